package io.troth.chaos.sim;

import io.troth.chaos.sim.resource.BranchWatcher.State;
import io.troth.chaos.sim.world.Broken;
import io.troth.chaos.sim.world.SimProcess;
import io.troth.chaos.sim.world.World;
import io.troth.client.context.InPlaceBranch;
import io.troth.client.context.InPlaceBranch.Ballot;
import io.troth.client.context.InPlaceBranch.End;
import io.troth.core.BranchId;
import io.troth.core.BranchWork;
import io.troth.core.Outcome;
import io.troth.core.Vote;
import io.troth.core.coordinator.Event.CommitRequested.BranchVote;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.concurrent.CompletionStage;
import java.util.function.BiConsumer;
import java.util.function.Consumer;

/**
 * The client's part where all branches of a transaction are in its process: has them prepared, takes their votes, and
 * tells them the decision, as the library does. One thread.
 */
final class VotesInPlace {

    private static final long COMPLETION_LIMIT_NANOS = 1_000_000_000;
    private static final long LATE_NANOS_MAX = 2_000_000_000;

    private final Run run;
    private final World world;
    private final SimProcess process;

    private final ClientSessions sessions;
    private final ClientStream stream;
    private final Consumer<ClientTransaction> commits;
    private final BiConsumer<ClientTransaction, Outcome> ends;

    /**
     * Nothing is prepared yet.
     *
     * @param commits sends the Commit, until somebody answers
     * @param ends takes what the application hears without a leader's word
     */
    VotesInPlace(
            Run run,
            SimProcess process,
            ClientSessions sessions,
            ClientStream stream,
            Consumer<ClientTransaction> commits,
            BiConsumer<ClientTransaction, Outcome> ends) {
        this.run = run;
        this.world = run.world;
        this.process = process;
        this.sessions = sessions;
        this.stream = stream;
        this.commits = commits;
        this.ends = ends;
    }

    /** Has them prepared; the Commit follows when all have voted. */
    void prepare(ClientTransaction tx, List<InPlaceBranch> branches) {
        world.saw("votes in place of " + (branches.size() == 1 ? "one branch" : "several branches"));
        world.note(() -> process + " prepares " + tx.id + " in place");
        tx.voting = true;
        int life = process.life();
        Map<BranchId, Ballot> ballots = new LinkedHashMap<>();
        for (InPlaceBranch branch : branches) {
            if (lives(life)) {
                hears(branch.prepare(world.random().nextBoolean()), ballot -> {
                    heard(tx, branch, ballot);
                    ballots.put(branch.branch(), ballot);
                    if (ballots.size() == branches.size()) {
                        counted(tx, branches, ballots);
                        voted(tx);
                    }
                });
            }
        }
    }

    /** A kill at any point of the agent is one of the client too. */
    private boolean lives(int life) {
        return process.isUp() && process.life() == life;
    }

    /** As an event of its own: a stage would keep to itself what is thrown. */
    private <T> void hears(CompletionStage<T> stage, Consumer<T> then) {
        var unused = stage.thenAccept(what -> process.after(0, () -> "", () -> then.accept(what)));
    }

    private void heard(ClientTransaction tx, InPlaceBranch branch, Ballot ballot) {
        world.saw("vote in place " + ballot.vote());
        world.note(() -> process + " hears " + ballot + " of " + branch.branch() + " of " + tx.id);
        if (ballot.vote() == Vote.YES) {
            run.ledger.votedYes(tx.id, branch.branch());
        }
    }

    private void counted(ClientTransaction tx, List<InPlaceBranch> branches, Map<BranchId, Ballot> ballots) {
        List<BranchVote> votes = new ArrayList<>();
        for (BranchWork work : Objects.requireNonNull(tx.content).branches()) {
            Broken.unless(
                    ballots.containsKey(work.branch()),
                    () -> "Validity: " + work.branch() + " of " + tx.id + " is listed, and was not asked to vote");
            Ballot ballot = Objects.requireNonNull(ballots.get(work.branch()));
            votes.add(new BranchVote(ballot.vote(), ballot.proof(), ballot.reason()));
            if (ballot.vote() == Vote.YES) {
                run.inPlace.prepared(tx.id, work.branch());
            }
        }
        tx.votes = votes;
        tx.voters = branches.stream()
                .filter(branch ->
                        Objects.requireNonNull(ballots.get(branch.branch())).vote() != Vote.READ_ONLY)
                .toList();
    }

    /** Time passes before the Commit leaves, and its stream may break just then. */
    private void voted(ClientTransaction tx) {
        if (world.isFaulty() && world.random().nextInt(8) == 0) {
            stream.hangUp();
        }
        long late = world.random().nextInt(6) == 0 ? world.random().nextLong(LATE_NANOS_MAX) : 0;
        if (late == 0) {
            send(tx);
        } else {
            process.after(late, () -> "", () -> send(tx));
        }
    }

    private void send(ClientTransaction tx) {
        boolean isGivenUp = sessions.isOfAnotherEpoch(tx.id)
                || (world.isFaulty() && world.random().nextInt(40) == 0);
        tx.voting = false;
        if (tx.votes.stream().allMatch(vote -> vote.vote() == Vote.READ_ONLY)) {
            // There is nothing to decide.
            world.saw("votes in place only READ_ONLY");
            ends.accept(tx, Outcome.READ_ONLY);
        } else if (isGivenUp) {
            // The Commit was never sent, so it is none.
            world.saw("votes in place given up");
            tx.losesItsAgents();
            ends.accept(tx, Outcome.ROLLED_BACK);
        } else {
            commits.accept(tx);
        }
    }

    /**
     * The client has heard how T ended, and tells its agents that it is committed, where the leader leaves that to it; one that
     * has given up before does not.
     */
    void decided(ClientTransaction tx, Outcome outcome, boolean completing) {
        if (tx.voters.isEmpty()) {
            return;
        }
        boolean hasNo = tx.votes.stream().anyMatch(vote -> vote.vote() == Vote.NO);
        world.saw("votes in place " + (hasNo ? "with a NO " : "") + outcome);
        List<InPlaceBranch> voters = tx.voters;
        tx.losesItsAgents();
        if (outcome != Outcome.COMMITTED) {
            return;
        }
        if (completing) {
            world.saw("votes in place, and the leader tells the agents");
        } else if (world.isFaulty() && world.random().nextInt(10) == 0) {
            world.saw("votes in place, and the agents not told");
        } else {
            commit(tx, voters);
        }
    }

    /** The application's commit returns when all are committed, or when that takes too long. */
    private void commit(ClientTransaction tx, List<InPlaceBranch> voters) {
        if (run.ledger.branches(tx.id).containsValue(State.COMMITTED)) {
            world.saw("votes in place, and the leader was first");
        }
        int life = process.life();
        List<BranchId> missing = new ArrayList<>();
        voters.forEach(branch -> missing.add(branch.branch()));
        World.Task limit =
                process.after(COMPLETION_LIMIT_NANOS, () -> "", () -> world.saw("votes in place completing"));
        for (InPlaceBranch branch : voters) {
            if (lives(life)) {
                hears(branch.commitPrepared(), end -> {
                    checkEnd(tx, branch.branch(), end);
                    missing.remove(branch.branch());
                    if (missing.isEmpty()) {
                        limit.cancel();
                        world.saw("votes in place completed");
                    }
                });
            }
        }
    }

    /** Who is told that a branch is committed may read what it wrote. */
    private void checkEnd(ClientTransaction tx, BranchId branch, End end) {
        world.note(() -> process + " hears " + end + " of " + branch + " of " + tx.id);
        if (end.outcome() == Outcome.COMMITTED) {
            State state = run.ledger.branches(tx.id).get(branch);
            Broken.unless(
                    state == State.COMMITTED || run.excusesHeuristic(tx.id, branch),
                    () -> "Completed: " + branch + " of " + tx.id + " is told as committed, and is " + state);
        }
    }
}
