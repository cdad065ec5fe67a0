package io.troth.chaos.explore;

import io.troth.core.BranchId;
import io.troth.core.BranchWork;
import io.troth.core.EpochId;
import io.troth.core.ErrorCode;
import io.troth.core.GlobalTxId;
import io.troth.core.Outcome;
import io.troth.core.Reason;
import io.troth.core.Vote;
import io.troth.core.coordinator.CommitContent;
import io.troth.core.coordinator.Event;
import io.troth.core.coordinator.Event.CommitRequested.BranchVote;
import io.troth.core.coordinator.RequestId;
import io.troth.core.coordinator.StreamId;
import io.troth.core.participant.AgentEvent;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import java.util.TreeSet;
import java.util.function.Function;
import org.jspecify.annotations.Nullable;

/**
 * The client of each transaction, as its library behaves: it hears replies, adds up what they name, and asks for commit
 * when every call has returned; or it rolls back. Whatever it may say later, at whatever leader, counts as sent with the
 * first request: a client that never repeats its question is one whose messages get lost.
 */
final class Clients {

    /** What the client has asked for. */
    enum Phase {
        WORKING,
        COMMIT,
        ROLLBACK
    }

    /** What happens to a client. */
    enum Step {
        COMMITS,
        ROLLS_BACK,
        COMMITS_IN_PLACE,
        /** It has heard that T is committed, and tells its agents, whose votes it has brought. */
        TELLS,
        /** T is about to leave its process: whoever asks for its commit is the coordinator. */
        SHARES,
        /** It has heard how T ended and tells the leader so. */
        ENDS,
        DIES
    }

    /** Who ends T. */
    enum By {
        /** The coordinator. */
        LEADER,
        /** Nobody has heard of T, so it may end in place. */
        CLIENT,
        /** The agent in the client's process is ending it. */
        AGENT,
        /** The agents in the client's process are preparing its branches, and their votes go to the client. */
        VOTERS,
        /** The agent could not tell how it ended, and the leader is asked. */
        QUESTION,
        /** It has ended in place, and the client knows how. */
        DONE,
        /** The process is dead. */
        NOBODY
    }

    /**
     * One state.
     *
     * @param seen the branch that the reply of each call named; null when no reply has come
     * @param votes of branches that were prepared in place
     */
    record State(int tx, Phase phase, By by, List<BranchName> seen, List<Voted> votes, boolean over) {

        State now(Phase nextPhase, By nextBy) {
            return new State(tx, nextPhase, nextBy, seen, votes, over);
        }

        /** The branches whose calls have returned, in ascending order. */
        Set<BranchId> branches() {
            Set<BranchId> all = new TreeSet<>();
            seen.forEach(name -> {
                if (name.id != null) {
                    all.add(name.id);
                }
            });
            return all;
        }

        /** The same with this vote, unless the branch has voted. The last one leads to the leader, or is the end. */
        State with(Voted vote) {
            if (votes.stream().anyMatch(each -> each.branch.equals(vote.branch))) {
                return this;
            }
            List<Voted> all = new ArrayList<>(votes);
            all.add(vote);
            all.sort((left, right) -> left.branch.compareTo(right.branch));
            boolean readOnly = all.stream().allMatch(each -> each.vote.vote() == Vote.READ_ONLY);
            By next = all.size() < branches().size() ? by : readOnly ? By.DONE : By.LEADER;
            return new State(tx, phase, next, seen, List.copyOf(all), over);
        }

        /** Whether the client waits for an answer of the leader, or of its own agent. */
        boolean waits() {
            return phase == Phase.COMMIT && by != By.DONE && by != By.NOBODY;
        }

        /** Whether it asks the leader. */
        boolean asks() {
            return waits() && (by == By.LEADER || by == By.QUESTION);
        }

        /** Whether its agents wait for what it hears. */
        boolean mayTell() {
            return asks() && !votes.isEmpty();
        }

        /** Whether it may ask the leader for the commit now. */
        boolean mayCommit() {
            return phase == Phase.WORKING && by == By.LEADER && hasAllReplies();
        }

        /** Whether its agents are ending it. */
        boolean isTaken() {
            return waits() && (by == By.AGENT || by == By.VOTERS);
        }

        boolean mayCommitInPlace() {
            return phase == Phase.WORKING && by == By.CLIENT && !branches().isEmpty();
        }

        /**
         * Whether somebody can know what T consists of: while nobody else has heard of it only the client does, which looks no
         * sooner than all is there.
         */
        boolean mayConfide(Scope scope) {
            boolean complete = true;
            for (int i = 0; i < seen.size() && by == By.CLIENT; i++) {
                int resource = scope.calls.get(scope.callsOf(tx).get(i)).resource();
                complete &= seen.get(i).id != null || !scope.isClients(scope.agents.indexOf(resource));
            }
            return complete && !branches().isEmpty();
        }

        /** What the client would list: branches and the calls whose replies came. */
        List<BranchWork> list(Scope scope) {
            Map<BranchId, BranchWork> list = new TreeMap<>();
            for (int i = 0; i < seen.size(); i++) {
                BranchId branch = seen.get(i).id;
                if (branch != null) {
                    String resource = Names.resource(
                            scope.calls.get(scope.callsOf(tx).get(i)).resource());
                    list.merge(
                            branch,
                            new BranchWork(branch, resource, 1),
                            (left, right) -> new BranchWork(branch, resource, left.calls() + 1));
                }
            }
            return List.copyOf(list.values());
        }

        boolean hasAllReplies() {
            return seen.stream().allMatch(name -> name.id != null);
        }
    }

    /** A branch, or none yet. */
    record BranchName(@Nullable BranchId id) {}

    /** The vote of a branch that was prepared in place. */
    record Voted(BranchId branch, BranchVote vote) {}

    private final Things<State> states = new Things<>();
    private final LongMap moves = new LongMap();
    private final List<Move> made = new ArrayList<>();
    private final Scope scope;
    private final Things<Object> things;
    private final Inboxes inboxes;

    Clients(Scope scope, Things<Object> things, Inboxes inboxes) {
        this.scope = scope;
        this.things = things;
        this.inboxes = inboxes;
    }

    int first(int tx) {
        List<BranchName> seen = new ArrayList<>();
        scope.callsOf(tx).forEach(call -> seen.add(new BranchName(null)));
        By by = scope.inPlace ? By.CLIENT : By.LEADER;
        return states.number(new State(tx, Phase.WORKING, by, List.copyOf(seen), List.of(), false));
    }

    State get(int number) {
        return states.get(number);
    }

    /** The client hears an {@link Agents.Reply}, or takes a {@link Step}. */
    Move step(int state, int input) {
        long key = LongMap.pair(state, input);
        int known = moves.get(key);
        if (known >= 0) {
            return made.get(known);
        }
        Move move = compute(state, things.get(input));
        moves.put(key, made.size());
        made.add(move);
        return move;
    }

    private Move compute(int number, Object input) {
        State state = get(number);
        List<Integer> sends = new ArrayList<>();
        int answers = 0;
        State next = state;
        if (input instanceof Agents.Reply reply && state.phase == Phase.WORKING) {
            List<BranchName> seen = new ArrayList<>(state.seen);
            int index = scope.callsOf(state.tx).indexOf(reply.call());
            if (seen.get(index).id == null) {
                seen.set(index, new BranchName(reply.branch()));
            }
            next = new State(state.tx, state.phase, state.by, seen, state.votes, state.over);
        } else if (input == Step.COMMITS && state.mayCommit()) {
            next = state.now(Phase.COMMIT, state.by);
            commits(next, sends);
        } else if (input == Step.ROLLS_BACK && state.phase == Phase.WORKING && state.by != By.NOBODY) {
            next = state.now(Phase.ROLLBACK, state.by);
            answers = state.by == By.CLIENT ? Answers.bits(state.tx, Outcome.ROLLED_BACK) : 0;
            rollsBack(next, sends);
        } else if (input == Step.ENDS && !state.over) {
            next = new State(state.tx, state.phase, state.by, state.seen, state.votes, true);
            ends(state.tx, sends);
        } else if (input == Step.DIES) {
            next = state.now(state.phase, By.NOBODY);
        } else if (input == Step.COMMITS_IN_PLACE && state.mayCommitInPlace()) {
            boolean alone = new CommitContent(state.list(scope), scope.onePhase).isOnePhase();
            next = state.now(Phase.COMMIT, alone ? By.AGENT : By.VOTERS);
            takes(next, sends);
        } else if (input == Step.TELLS && state.mayTell()) {
            next = state.now(state.phase, By.DONE);
            tells(sends, state, own -> new AgentEvent.CommitPreparedInPlace(scope.id(state.tx), own));
        } else if (input == Step.SHARES && state.phase == Phase.WORKING && state.by == By.CLIENT) {
            next = state.now(state.phase, By.LEADER);
            announces(sends, state);
        } else if (input == Step.SHARES && state.isTaken()) {
            announces(sends, state);
        } else if (input instanceof Voted voted && state.waits() && state.by == By.VOTERS) {
            next = state.with(voted);
            answers = next.by == By.DONE ? Answers.bits(state.tx, Outcome.READ_ONLY) : 0;
            if (next.by == By.LEADER) {
                commits(next, sends);
            }
        } else if (input instanceof Agents.EndedInPlace end && !state.votes.isEmpty() && state.by != By.NOBODY) {
            // The end of phase 2, of which the client may hear before the leader's answer comes.
            answers = Answers.bits(state.tx, end.fate().outcome());
        } else if (input instanceof Agents.EndedInPlace end && state.waits() && state.by == By.AGENT) {
            Outcome outcome = end.fate().outcome();
            boolean known = outcome != Outcome.UNKNOWN;
            answers = known ? Answers.bits(state.tx, outcome) : 0;
            next = state.now(state.phase, known ? By.DONE : By.QUESTION);
            for (int epoch = scope.epochOf(state.tx); !known && epoch <= scope.epochs; epoch++) {
                send(sends, epoch, question(next, epoch));
            }
        }
        int[] all = sends.stream().mapToInt(Integer::intValue).toArray();
        return new Move(states.number(next), all, answers, List.of(), null, Move.NOTHING, null);
    }

    private void takes(State state, List<Integer> sends) {
        GlobalTxId tx = scope.id(state.tx);
        tells(
                sends,
                state,
                own -> state.by == By.AGENT
                        ? new AgentEvent.CommitInPlace(tx, own)
                        : new AgentEvent.PrepareInPlace(tx, own));
    }

    private void announces(List<Integer> sends, State state) {
        tells(sends, state, own -> new AgentEvent.Announced(own, Names.REMAINING_MILLIS));
    }

    /** Tells the agents in the same process about each of the branches there. */
    private void tells(List<Integer> sends, State state, Function<BranchId, AgentEvent> event) {
        for (BranchId own : state.branches()) {
            if (scope.isClients(Agents.agentOf(own))) {
                sends.add(inboxes.agent(Agents.agentOf(own)));
                sends.add(things.number(event.apply(own)));
            }
        }
    }

    private void send(List<Integer> sends, int epoch, Event event) {
        sends.add(inboxes.leader(epoch));
        sends.add(things.number(event));
    }

    private void ends(int tx, List<Integer> sends) {
        int number = scope.epochOf(tx);
        StreamId stream = Names.clientStream(number, 0);
        EpochId epoch = Names.epoch(number);
        long next = scope.id(tx).sequence() + 1;
        send(sends, number, new Event.Progress(stream, epoch, Names.SESSION, Names.KEY, next));
        if (scope.isLast(tx)) {
            send(sends, number, new Event.CloseSession(stream, epoch, Names.SESSION, Names.KEY));
        }
    }

    private void commits(State state, List<Integer> sends) {
        for (int epoch = scope.epochOf(state.tx); epoch <= scope.epochs; epoch++) {
            send(sends, epoch, commit(state, epoch, 0));
        }
        if (scope.can(Scope.May.CLIENT_LOSES_STREAM)) {
            resume(sends);
            send(sends, 1, commit(state, 1, 1));
        }
    }

    /** Session 1 is taken over to the client's second stream. */
    private void resume(List<Integer> sends) {
        send(
                sends,
                1,
                new Event.ResumeSession(
                        new RequestId(Names.clientStream(1, 1), 9), Names.epoch(1), Names.SESSION, Names.KEY));
    }

    private void rollsBack(State state, List<Integer> sends) {
        GlobalTxId tx = scope.id(state.tx);
        if (state.by == By.CLIENT) {
            Reason reason = Reason.of(ErrorCode.ROLLED_BACK_BY_CLIENT);
            tells(sends, state, own -> new AgentEvent.RollbackInPlace(tx, reason));
        }
        List<BranchWork> list = state.list(scope);
        for (int epoch = scope.epochOf(state.tx); epoch <= scope.epochs; epoch++) {
            send(
                    sends,
                    epoch,
                    new Event.RollbackRequested(
                            new RequestId(Names.clientStream(epoch, 0), 10L * state.tx + 2),
                            tx,
                            Names.KEY,
                            tx.sequence(),
                            list,
                            Reason.of(ErrorCode.ROLLED_BACK_BY_CLIENT)));
        }
        if (scope.can(Scope.May.CLIENT_LOSES_STREAM)) {
            resume(sends);
        }
    }

    /** The client's Commit, for the first time or as a question; with the votes where it has them. */
    Event commit(State state, int epoch, int again) {
        List<BranchWork> list = state.list(scope);
        GlobalTxId tx = scope.id(state.tx);
        return new Event.CommitRequested(
                new RequestId(Names.clientStream(epoch, again), 10L * state.tx + 1),
                tx,
                Names.KEY,
                tx.sequence(),
                new CommitContent(list, scope.onePhase),
                state.votes.stream().map(Voted::vote).toList(),
                scope.waitCompleted && state.votes.isEmpty(),
                Names.REMAINING_MILLIS);
    }

    /** The question of somebody who does not know the content of T's Commit. */
    Event question(int tx, int epoch) {
        return new Event.OutcomeInquiry(new RequestId(Names.clientStream(epoch, 0), 10L * tx + 3), scope.id(tx), null);
    }

    /** The question of somebody who knows what T consists of so far. */
    Event question(State state, int epoch) {
        return new Event.OutcomeInquiry(
                new RequestId(Names.clientStream(epoch, 0), 10L * state.tx + 4),
                scope.id(state.tx),
                new CommitContent(state.list(scope), scope.onePhase));
    }

    /** The client opens its session at the leader of this epoch. */
    Event opensSession(int epoch) {
        RequestId request = new RequestId(Names.clientStream(epoch, 0), 0);
        return new Event.OpenSession(request, Names.KEY, "client", scope.inPlace);
    }
}
