package io.troth.chaos.explore;

import io.troth.core.BranchId;
import io.troth.core.EpochId;
import io.troth.core.ErrorCode;
import io.troth.core.GlobalTxId;
import io.troth.core.ProtocolViolation;
import io.troth.core.Reason;
import io.troth.core.coordinator.AgentHello;
import io.troth.core.coordinator.AgentMessage;
import io.troth.core.coordinator.Event;
import io.troth.core.coordinator.OnePhaseFate;
import io.troth.core.participant.AgentAction;
import io.troth.core.participant.AgentEvent;
import io.troth.core.participant.AgentStateMachine;
import io.troth.core.participant.AgentTimerKey;
import io.troth.core.participant.BranchState;
import io.troth.core.participant.CoordinatorMessage;
import io.troth.core.participant.StatementEnd;
import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Comparator;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/** The states of all agent processes: the real agent's machine, its timers, its stream, and what its database owes it. */
final class Agents {

    /** Everything but a welcome may come from a stream that is over: it only is very late. */
    static final int ANY_STREAM = -1;

    static final int NO_STREAM = -1;

    /** A leader's message on its way to an instance. {@code stream} only where it counts. */
    record Said(int life, int stream, int epoch, AgentMessage message) {}

    /** An agent dials this leader, and leaves the one that it had a stream to. */
    record Dials(int epoch, boolean spare) {}

    /** Call number {@code call} comes to its {@code nth} execution; {@code inPlace}: only the client in this process knows T. */
    record Executes(int call, int nth, boolean inPlace) {}

    /** The database has answered what {@code action} asked for. */
    record Answered(AgentAction action, List<AgentEvent> events) {}

    /** The database has read the list that was asked for; it is on its way. */
    record Reads(AgentAction action, AgentEvent list) {}

    /** A call's reply, which carries the branch that it worked on. */
    record Reply(int call, BranchId branch) {}

    /** The agent in the client's process says how a commit in place ended. */
    record EndedInPlace(OnePhaseFate fate) {}

    /** What happens to an agent process. */
    enum Turn {
        LOSES_STREAM,
        /** The list of prepared xids that was read comes in. */
        HEARS_LIST,
        DIES,
        /** Another instance takes its place: only when it is dead. */
        STARTS
    }

    private record Key(
            int agent,
            int life,
            boolean alive,
            ByteBuffer machine,
            Set<AgentTimerKey> timers,
            Set<AgentAction> asked,
            @Nullable AgentEvent list,
            int stream,
            List<Integer> dialled) {}

    /** One state, taken apart for those who look at it. */
    static final class State {
        final int agent;
        final int life;
        final boolean alive;
        final byte[] machine;
        final Set<AgentTimerKey> timers;
        final Set<AgentAction> asked;
        /** A list of prepared xids on its way. */
        final @Nullable AgentEvent list;
        /** Number of the open stream, or {@link #NO_STREAM}. */
        final int stream;
        /** How many streams to the leader of each epoch there were. */
        final List<Integer> dialled;

        /** Numbers of {@link AgentEvent.TimerFired}, in a fixed order. */
        final int[] timerInputs;
        /** Numbers of what the database has not answered, in a fixed order. */
        final int[] askedInputs;

        private final AgentStateMachine real;

        private State(Key key, byte[] machine, AgentStateMachine real, int[] timerInputs, int[] askedInputs) {
            this.agent = key.agent;
            this.life = key.life;
            this.alive = key.alive;
            this.machine = machine;
            this.timers = key.timers;
            this.asked = key.asked;
            this.list = key.list;
            this.stream = key.stream;
            this.dialled = key.dialled;
            this.timerInputs = timerInputs;
            this.askedInputs = askedInputs;
            this.real = real;
        }

        /** Only for looking. */
        AgentStateMachine real() {
            return real;
        }
    }

    private static final class Work {
        final int agent;
        int life;
        boolean alive = true;
        AgentStateMachine machine;
        Set<AgentTimerKey> timers = new HashSet<>();
        Set<AgentAction> asked = new HashSet<>();

        @Nullable
        AgentEvent list;

        int stream = NO_STREAM;
        Integer[] dialled;
        final List<Integer> sends = new ArrayList<>();
        final List<Integer> database = new ArrayList<>();

        @Nullable
        BranchId admitted;

        /** What the agent was before, and what it hears; null when it starts. */
        @Nullable
        State before;

        @Nullable
        Object input;

        @Nullable
        String wrong;

        Work(int agent, AgentStateMachine machine, int epochs) {
            this.agent = agent;
            this.machine = machine;
            dialled = new Integer[epochs];
            Arrays.fill(dialled, 0);
        }
    }

    private final Things<Key> keys = new Things<>();
    private final List<State> states = new ArrayList<>();
    private final LongMap moves = new LongMap();
    private final List<Move> made = new ArrayList<>();

    private final Scope scope;
    private final Streams streams;
    private final Things<Object> things;
    private final Inboxes inboxes;

    Agents(Scope scope, Streams streams, Things<Object> things, Inboxes inboxes) {
        this.scope = scope;
        this.streams = streams;
        this.things = things;
        this.inboxes = inboxes;
    }

    State get(int number) {
        return states.get(number);
    }

    /** The instance id of an agent process in its {@code life}. */
    static long instance(int agent, int life) {
        return 10L * (agent + 1) + life;
    }

    static int agentOf(BranchId branch) {
        return (int) (branch.instance() / 10) - 1;
    }

    private String resource(int agent) {
        return Names.resource(scope.agents.get(agent));
    }

    private AgentStateMachine fresh(int agent, int life) {
        return new AgentStateMachine(instance(agent, life), List.of(resource(agent)), Names.AGENT_LIMITS);
    }

    /** A process that has just started, and knows its cluster from its configuration. */
    Move started(int agent) {
        Work work = new Work(agent, fresh(agent, 0), scope.epochs + 1);
        step(work, new AgentEvent.ClusterHeard(Names.CLUSTER));
        return finish(work);
    }

    /** The agent takes an input: {@link Said}, {@link Dials}, {@link Executes}, {@link Answered}, {@link Turn}, a timer. */
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
        Work work =
                new Work(state.agent, AgentStateMachine.decode(state.machine, Names.AGENT_LIMITS), scope.epochs + 1);
        work.before = state;
        work.input = input;
        work.life = state.life;
        work.alive = state.alive;
        work.timers.addAll(state.timers);
        work.asked.addAll(state.asked);
        work.list = state.list;
        work.stream = state.stream;
        work.dialled = state.dialled.toArray(Integer[]::new);
        try {
            take(work, input);
        } catch (ProtocolViolation violation) {
            return Move.wrong(number, String.valueOf(violation.getMessage()));
        }
        return finish(work);
    }

    private void take(Work work, Object input) {
        if (input instanceof Said said) {
            if (said.life == work.life && (said.stream == ANY_STREAM || said.stream == work.stream)) {
                step(work, new AgentEvent.Heard(Names.epoch(said.epoch), 0));
                step(work, new AgentEvent.Ordered(Names.epoch(said.epoch), said.message));
            }
        } else if (input instanceof AgentEvent.TimerFired fired) {
            if (work.timers.remove(fired.key())) {
                step(work, fired);
            }
        } else if (input instanceof Answered answered) {
            if (work.asked.remove(answered.action)) {
                answered.events.forEach(event -> step(work, event));
            }
        } else if (input instanceof Reads reads) {
            if (work.asked.remove(reads.action)) {
                work.list = reads.list;
            }
        } else if (input instanceof Executes executes) {
            execute(work, executes);
        } else if (input instanceof Dials dials) {
            dial(work, dials);
        } else if (input instanceof Turn turn) {
            turn(work, turn);
        } else if (input instanceof AgentEvent asked) {
            // Of the client in the same process.
            step(work, asked);
        }
    }

    private void turn(Work work, Turn turn) {
        switch (turn) {
            case LOSES_STREAM -> {
                if (work.stream != NO_STREAM) {
                    work.stream = NO_STREAM;
                    step(work, new AgentEvent.StreamBroken(Reason.of(ErrorCode.STREAM_BROKEN)));
                }
            }
            case HEARS_LIST -> {
                AgentEvent list = work.list;
                work.list = null;
                if (list != null) {
                    step(work, list);
                }
            }
            case DIES -> {
                work.alive = false;
                work.list = null;
                work.database.add(things.number(Databases.Died.of(instance(work.agent, work.life), work.asked)));
                work.timers.clear();
                work.asked.clear();
                work.stream = NO_STREAM;
                work.machine = fresh(work.agent, work.life);
            }
            case STARTS -> {
                work.alive = true;
                work.life++;
                Arrays.fill(work.dialled, 0);
                work.machine = fresh(work.agent, work.life);
                step(work, new AgentEvent.ClusterHeard(Names.CLUSTER));
            }
        }
    }

    private void dial(Work work, Dials dials) {
        turn(work, Turn.LOSES_STREAM);
        int epoch = dials.epoch;
        int stream = dials.spare
                ? streams.spare(work.agent, work.life, epoch)
                : streams.number(work.agent, work.life, epoch, work.dialled[epoch - 1]);
        work.dialled[epoch - 1]++;
        work.stream = stream;
        AgentHello hello = new AgentHello(
                instance(work.agent, work.life),
                work.machine.highestEpoch(),
                work.machine.highestBatch(),
                List.of(new AgentHello.AgentResource(
                        resource(work.agent), "simulated", "db-" + resource(work.agent), "r", null)));
        send(work, epoch, new Event.AgentConnected(Streams.id(stream), hello));
    }

    /** The whole of a call: admitted or refused, its statement, the end of its scope, its reply. */
    private void execute(Work work, Executes executes) {
        Scope.Call call = scope.calls.get(executes.call);
        GlobalTxId tx = scope.id(call.tx());
        long scopeId = 10L * (executes.call + 1) + executes.nth;
        work.admitted = null;
        step(
                work,
                new AgentEvent.CallJoins(
                        1,
                        Names.CLUSTER,
                        tx,
                        Names.KEY,
                        executes.call + 1L,
                        scopeId,
                        resource(work.agent),
                        Names.REMAINING_MILLIS,
                        executes.inPlace));
        BranchId branch = work.admitted;
        if (branch != null) {
            step(work, new AgentEvent.StatementBegins(branch, scopeId));
            work.database.add(things.number(new Databases.Ran(branch, executes.call)));
            step(work, new AgentEvent.StatementEnded(branch, StatementEnd.completed()));
            step(work, new AgentEvent.ScopeClosed(tx, scopeId));
            work.sends.add(inboxes.client(call.tx()));
            work.sends.add(things.number(new Reply(executes.call, branch)));
        }
    }

    private void send(Work work, int epoch, Event event) {
        work.sends.add(inboxes.leader(epoch));
        work.sends.add(things.number(event));
    }

    private void step(Work work, AgentEvent event) {
        for (AgentAction action : List.copyOf(work.machine.step(event))) {
            carryOut(work, action);
        }
    }

    private void carryOut(Work work, AgentAction action) {
        if (action instanceof AgentAction.Send send) {
            boolean counts =
                    scope.can(Scope.May.RETENTION_ENDS) || !(send.message() instanceof CoordinatorMessage.ScanReport);
            if (work.stream != NO_STREAM && counts) {
                send(work, streams.epoch(work.stream), send.message().accept(new Wire(Streams.id(work.stream))));
            }
        } else if (action instanceof AgentAction.StartTimer timer) {
            work.timers.add(timer.key());
        } else if (action instanceof AgentAction.CancelTimer timer) {
            work.timers.remove(timer.key());
        } else if (action instanceof AgentAction.CallAdmitted admitted) {
            work.admitted = admitted.branch();
        } else if (action instanceof AgentAction.VotedInPlace voted) {
            // The words of a refusal make no difference.
            Event.CommitRequested.BranchVote vote =
                    new Event.CommitRequested.BranchVote(voted.vote(), voted.proof(), null);
            work.sends.add(inboxes.client(0));
            work.sends.add(things.number(new Clients.Voted(voted.branch(), vote)));
        } else if (action instanceof AgentAction.EndedInPlace ended) {
            work.sends.add(inboxes.client(0));
            work.sends.add(things.number(new EndedInPlace(ended.fate())));
        } else if (action instanceof AgentAction.CloseStream) {
            turn(work, Turn.LOSES_STREAM);
        } else if (Databases.answers(action)) {
            work.asked.add(action);
            if (resolvesAlone(work, action)) {
                work.wrong = "No lone resolution: nobody has told the agent to " + action;
            } else if (comesTooLate(work, action)) {
                work.wrong = "Epochs at the agent: " + action + " after epoch " + work.machine.highestEpoch()
                        + " was heard of";
            }
        }
    }

    /** Protocol 9.6: nothing leads to a decision of an epoch after which a higher one was heard of. */
    private static boolean comesTooLate(Work work, AgentAction action) {
        EpochId heard = work.machine.highestEpoch();
        GlobalTxId tx = action instanceof AgentAction.Prepare prepare
                ? prepare.tx()
                : action instanceof AgentAction.CommitOnePhase commit ? commit.tx() : null;
        return tx != null && heard != null && heard.number() > tx.epoch().number();
    }

    /**
     * A prepared branch is resolved only by the word of a leader, or of the client that has brought it the votes; but one that never
     * voted YES the agent may undo.
     */
    private static boolean resolvesAlone(Work work, AgentAction action) {
        AgentMessage told = work.input instanceof Said said ? said.message : null;
        State before = work.before;
        if (action instanceof AgentAction.RollbackPrepared rollback) {
            BranchState was = before == null ? BranchState.FINISHED : before.real.stateOf(rollback.branch());
            return was != BranchState.PREPARING
                    && was != BranchState.ROLLING_BACK_PREPARED
                    && !(told instanceof AgentMessage.RollbackBranch order
                            && order.branch().equals(rollback.branch()));
        } else if (action instanceof AgentAction.CommitPrepared commit) {
            BranchState was = before == null ? BranchState.FINISHED : before.real.stateOf(commit.branch());
            return was != BranchState.COMMITTING
                    && !(work.input instanceof AgentEvent.CommitPreparedInPlace client
                            && client.branch().equals(commit.branch()))
                    && !(told instanceof AgentMessage.CommitBranch order
                            && order.branch().equals(commit.branch()));
        }
        return false;
    }

    private Move finish(Work work) {
        byte[] bytes = work.machine.encodeFolded();
        Key key = new Key(
                work.agent,
                work.life,
                work.alive,
                ByteBuffer.wrap(bytes),
                work.timers,
                work.asked,
                work.list,
                work.stream,
                List.of(work.dialled));
        int number = keys.number(key);
        if (number == states.size()) {
            states.add(new State(
                    key,
                    bytes,
                    work.machine,
                    numbers(work.timers.stream().map(AgentEvent.TimerFired::new).toList()),
                    numbers(work.asked)));
        }
        int[] sends = work.sends.stream().mapToInt(Integer::intValue).toArray();
        int[] database = work.database.stream().mapToInt(Integer::intValue).toArray();
        return new Move(number, sends, 0, List.of(), null, database, work.wrong);
    }

    private int[] numbers(java.util.Collection<?> inputs) {
        List<Object> sorted = new ArrayList<>(inputs);
        sorted.sort(Comparator.comparing(Object::toString));
        return sorted.stream().mapToInt(things::number).toArray();
    }
}
