package io.troth.client.internal;

import io.troth.client.context.CallScope;
import io.troth.client.context.InPlaceBranch;
import io.troth.client.context.InPlaceBranch.Ballot;
import io.troth.client.context.InPlaceBranch.End;
import io.troth.client.context.NanoClock;
import io.troth.core.BranchId;
import io.troth.core.BranchList;
import io.troth.core.BranchWork;
import io.troth.core.ErrorCode;
import io.troth.core.Outcome;
import io.troth.core.Reason;
import io.troth.core.Vote;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.Iterator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import java.util.function.BiConsumer;
import java.util.function.Consumer;

/**
 * The end of transactions of which nobody outside this process has heard, and whose branches are all at agents in it. A single
 * branch ends there as a local transaction does, and no message leaves; what the agent cannot tell afterwards is asked
 * for like any other outcome. Several are prepared there, the Commit takes their votes along, and its answer is carried out
 * there. Guarded by the engine's lock, but for what says otherwise.
 */
final class InPlaceCommits {

    private final NanoClock clock;
    private final long outcomeTimeoutNanos;
    private final Consumer<Consumer<Effects>> locked;
    private final BiConsumer<Request, CompletableFuture<Answer>> ask;

    /** The commits that run; the oldest first. */
    private final Map<OpenTransaction, Pending> pending = new LinkedHashMap<>();

    /** Those that are committed, and whose branches are not yet; the oldest first. */
    private final Map<OpenTransaction, Completing> completing = new LinkedHashMap<>();

    private record Pending(CompletableFuture<Answer> future, Wish wish, long sinceNanos) {}

    /** {@code answer}: what is said when the branches take too long. */
    private record Completing(CompletableFuture<Answer> future, Answer answer, long sinceNanos) {}

    /**
     * How a transaction is to commit.
     *
     * @param onePhaseAllowed whether a single branch may commit by itself
     * @param decidedSuffices whether its branches need not be committed before it is
     * @param here whether to work on the calling thread
     */
    record Wish(boolean onePhaseAllowed, boolean decidedSuffices, boolean here) {

        /** Whether the branches have to vote before they can commit. */
        boolean needsVotes(BranchList list) {
            return !onePhaseAllowed || list.branches().size() > 1;
        }
    }

    /**
     * Nothing is committed yet.
     *
     * @param locked runs an action of the engine under its lock
     * @param ask asks for the outcome of a commit until somebody tells, or the time is over
     * @param outcomeTimeoutMillis how long the application waits for an outcome
     */
    InPlaceCommits(
            Consumer<Consumer<Effects>> locked,
            BiConsumer<Request, CompletableFuture<Answer>> ask,
            NanoClock clock,
            long outcomeTimeoutMillis) {
        this.locked = locked;
        this.ask = ask;
        this.clock = clock;
        this.outcomeTimeoutNanos = TimeUnit.MILLISECONDS.toNanos(outcomeTimeoutMillis);
    }

    /** Without the lock: what would be prepared while no coordinator can decide, would keep its locks. */
    void beforeCommit(CallScope scope, Wish wish, boolean linkUp) {
        if (!linkUp && wish.needsVotes(scope.list())) {
            scope.share();
        }
    }

    /**
     * Commits a transaction whose scope is closed, and which may commit.
     *
     * @param list what the closed scope says
     * @return false when the coordinator is to have its branches prepared
     */
    boolean commit(
            OpenTransaction transaction,
            BranchList list,
            Wish wish,
            CompletableFuture<Answer> future,
            Effects effects) {
        List<InPlaceBranch> branches = transaction.scope().takeInPlace();
        if (branches.isEmpty()) {
            return false;
        }
        transaction.setState(OpenTransaction.State.ENDING);
        pending.put(transaction, new Pending(future, wish, clock.nanos()));
        if (!wish.needsVotes(list)) {
            effects.then(() -> {
                var unused = branches.get(0)
                        .commit(wish.here())
                        .thenAccept(end -> locked.accept(later -> ended(transaction, end, future, later)));
            });
        } else {
            effects.then(() -> prepare(transaction, branches, wish, future));
        }
        return true;
    }

    private void ended(OpenTransaction transaction, End end, CompletableFuture<Answer> future, Effects effects) {
        pending.remove(transaction);
        switch (end.outcome()) {
            case COMMITTED, READ_ONLY -> {
                transaction.setState(OpenTransaction.State.ENDED);
                transaction.session().end(transaction);
                effects.complete(future, Answer.of(transaction.id(), end.outcome(), null));
            }
            case ROLLED_BACK -> {
                Reason reason = end.reason() == null ? Reason.of(ErrorCode.COMMIT_REFUSED) : end.reason();
                transaction.endBecause(reason);
                transaction.session().end(transaction);
                BranchId only = works(transaction).get(0).branch();
                effects.complete(future, new Answer(transaction.id(), Outcome.ROLLED_BACK, false, only, reason, null));
            }
            case UNKNOWN, FORGOTTEN, PENDING, NOT_LEADER -> {
                CommitContent content = new CommitContent(works(transaction), true);
                ask.accept(Request.lostCommit(transaction, content), future);
            }
        }
    }

    private static List<BranchWork> works(OpenTransaction transaction) {
        return transaction.scope().list().branches();
    }

    /** Without the lock. The last branch is prepared by the calling thread when that may work. */
    private void prepare(
            OpenTransaction transaction, List<InPlaceBranch> branches, Wish wish, CompletableFuture<Answer> future) {
        List<CompletableFuture<Ballot>> ballots = new ArrayList<>(branches.size());
        for (InPlaceBranch branch : branches) {
            boolean last = ballots.size() == branches.size() - 1;
            ballots.add(branch.prepare(wish.here() && last).toCompletableFuture());
        }
        var unused = CompletableFuture.allOf(ballots.toArray(CompletableFuture<?>[]::new))
                .thenRun(() -> locked.accept(effects -> {
                    List<Ballot> votes =
                            ballots.stream().map(CompletableFuture::join).toList();
                    voted(transaction, new Voters(branches, votes), wish, future, effects);
                }));
    }

    /** The branches of a transaction, and what each has voted. */
    private record Voters(List<InPlaceBranch> branches, List<Ballot> votes) {

        boolean haveOnlyRead() {
            return votes.stream().allMatch(ballot -> ballot.vote() == Vote.READ_ONLY);
        }

        /** Those that are prepared, or may be. */
        List<InPlaceBranch> unfinished() {
            List<InPlaceBranch> unfinished = new ArrayList<>(branches.size());
            for (int i = 0; i < branches.size(); i++) {
                if (votes.get(i).vote() != Vote.READ_ONLY) {
                    unfinished.add(branches.get(i));
                }
            }
            return unfinished;
        }

        /** The votes in the order of the list. */
        List<Ballot> inOrderOf(List<BranchWork> works) {
            Map<BranchId, Ballot> byBranch = new HashMap<>();
            for (int i = 0; i < branches.size(); i++) {
                byBranch.put(branches.get(i).branch(), votes.get(i));
            }
            return works.stream().map(work -> byBranch.get(work.branch())).toList();
        }
    }

    private void voted(
            OpenTransaction transaction, Voters voters, Wish wish, CompletableFuture<Answer> future, Effects effects) {
        if (voters.haveOnlyRead()) {
            // Nothing is left to decide, and nobody else needs to hear of it.
            ended(transaction, new End(Outcome.READ_ONLY, null), future, effects);
            return;
        }
        CommitContent content = new CommitContent(works(transaction), wish.onePhaseAllowed());
        CompletableFuture<Answer> answered = new CompletableFuture<>();
        var unused = answered.thenAccept(
                answer -> decided(transaction, voters.unfinished(), answer, wish.decidedSuffices(), future));
        ask.accept(Request.voted(transaction, content, voters.inOrderOf(content.branches())), answered);
    }

    /** Without the lock: the coordinator has decided, or nobody could tell. */
    private void decided(
            OpenTransaction transaction,
            List<InPlaceBranch> unfinished,
            Answer answer,
            boolean decidedSuffices,
            CompletableFuture<Answer> future) {
        // Where the coordinator tells the branches, it need not be done by both.
        boolean mine = answer.outcome() == Outcome.COMMITTED && !answer.completing();
        Answer soon = mine ? answer.whileCompleting() : answer;
        boolean waits = mine && !decidedSuffices;
        locked.accept(effects -> {
            pending.remove(transaction);
            if (waits) {
                completing.put(transaction, new Completing(future, soon, clock.nanos()));
            } else {
                effects.complete(future, soon);
            }
        });
        if (!mine) {
            return;
        }
        List<CompletableFuture<End>> ends = new ArrayList<>(unfinished.size());
        unfinished.forEach(branch -> ends.add(branch.commitPrepared().toCompletableFuture()));
        if (waits) {
            var unused = CompletableFuture.allOf(ends.toArray(CompletableFuture<?>[]::new))
                    .thenRun(() -> locked.accept(effects -> completed(transaction, unfinished, ends, effects)));
        }
    }

    private void completed(
            OpenTransaction transaction,
            List<InPlaceBranch> branches,
            List<CompletableFuture<End>> ends,
            Effects effects) {
        Completing waiting = completing.remove(transaction);
        if (waiting == null) {
            return;
        }
        boolean all = true;
        BranchId differs = null;
        Reason reason = null;
        for (int i = 0; i < ends.size(); i++) {
            End end = ends.get(i).join();
            all &= end.outcome() == Outcome.COMMITTED;
            if (reason == null && end.outcome() == Outcome.COMMITTED && end.reason() != null) {
                reason = end.reason();
                differs = branches.get(i).branch();
            }
        }
        Answer told = waiting.answer();
        effects.complete(
                waiting.future(), new Answer(told.tx(), Outcome.COMMITTED, !all, differs, reason, told.content()));
    }

    /** Tells those that have waited for long enough. What they waited for goes on. */
    void tick(Effects effects) {
        long now = clock.nanos();
        for (Map.Entry<OpenTransaction, Pending> entry : pending.entrySet()) {
            OpenTransaction transaction = entry.getKey();
            Pending oldest = entry.getValue();
            if (now - oldest.sinceNanos() < outcomeTimeoutNanos) {
                break;
            }
            if (!oldest.future().isDone()) {
                Reason why = new Reason(ErrorCode.OUTCOME_UNKNOWN, "no outcome of " + transaction.id() + " in time");
                CommitContent content =
                        new CommitContent(works(transaction), oldest.wish().onePhaseAllowed());
                effects.complete(
                        oldest.future(),
                        Answer.of(transaction.id(), Outcome.UNKNOWN, why).with(content));
            }
        }
        Iterator<Map.Entry<OpenTransaction, Completing>> oldest =
                completing.entrySet().iterator();
        while (oldest.hasNext()) {
            Map.Entry<OpenTransaction, Completing> next = oldest.next();
            long limit = TimeUnit.MILLISECONDS.toNanos(next.getKey().session().completionLimitMillis());
            if (now - next.getValue().sinceNanos() < limit) {
                break;
            }
            oldest.remove();
            effects.complete(next.getValue().future(), next.getValue().answer());
        }
    }

    /**
     * Rolls back what nobody else has heard of.
     *
     * @return false when that is for the coordinator to do
     */
    boolean rollBack(OpenTransaction transaction, Reason reason, Effects effects) {
        List<InPlaceBranch> branches = transaction.scope().takeInPlace();
        if (branches.isEmpty()) {
            // What starts under it all the same is announced, and then refused: nobody else would end it.
            transaction.scope().share();
            return false;
        }
        effects.then(() -> branches.forEach(branch -> branch.rollBack(reason)));
        return true;
    }

    /** Commits that run. */
    List<CompletableFuture<Answer>> pending() {
        List<CompletableFuture<Answer>> futures = new ArrayList<>();
        pending.values().forEach(running -> futures.add(running.future()));
        completing.values().forEach(waiting -> futures.add(waiting.future()));
        return futures;
    }
}
