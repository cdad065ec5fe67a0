package io.troth.chaos.sim;

import io.troth.chaos.sim.world.World;
import io.troth.client.context.CallScope;
import io.troth.client.context.InPlaceBranch;
import io.troth.core.BranchId;
import io.troth.core.GlobalTxId;
import io.troth.core.Outcome;
import io.troth.core.SessionKey;
import io.troth.core.coordinator.CommitContent;
import io.troth.core.coordinator.Event.CommitRequested.BranchVote;
import java.util.ArrayDeque;
import java.util.Deque;
import java.util.List;
import java.util.Set;
import java.util.TreeSet;
import org.jspecify.annotations.Nullable;

/** One T as its client sees it. */
final class ClientTransaction {

    final GlobalTxId id;
    final SessionKey key;
    final CallScope root;
    /** What is still to be called. */
    final Deque<Call.Script> plan;

    int calling;
    /** The client's process has died and forgotten it, or it has given up after a rollback. */
    boolean abandoned;

    /** It is not so far above the lowest open one of its session that the leader may refuse to remember it. */
    boolean isRemembered;

    /** Begun when all is over: the application does not change its mind. */
    boolean isLast;

    boolean requested;
    boolean rolling;

    /** Its commit was begun in place: there is no Commit to send. */
    boolean inPlace;

    /** And the agent has not said yet how it ended. */
    boolean endsInPlace;

    /** The client has its branches prepared itself, and not all of them have voted yet. */
    boolean voting;

    /** What they have voted, in the order of the list; empty when the leader is to ask. */
    List<BranchVote> votes = List.of();

    /** Those of them that wait for the decision. */
    List<InPlaceBranch> voters = List.of();

    /** The branches in which the root scope has worked. */
    final Set<BranchId> own = new TreeSet<>();

    @Nullable
    CommitContent content;

    @Nullable
    Outcome outcome;

    /** The next thing that the client does about it by itself. */
    World.@Nullable Task next;

    int moreQuestions;

    ClientTransaction(GlobalTxId id, SessionKey key, CallScope root, List<Call.Script> plan, int moreQuestions) {
        this.id = id;
        this.key = key;
        this.root = root;
        this.plan = new ArrayDeque<>(plan);
        this.moreQuestions = moreQuestions;
    }

    boolean isOver() {
        return abandoned || outcome != null;
    }

    /** Its process has died, or the agent in it: how it ends in place nobody tells any more. */
    void losesItsAgents() {
        inPlace |= voting || !votes.isEmpty();
        endsInPlace = false;
        voting = false;
        votes = List.of();
        voters = List.of();
    }

    /** The next thing is another one. */
    void then(World.@Nullable Task task) {
        if (next != null) {
            next.cancel();
        }
        next = task;
    }
}
