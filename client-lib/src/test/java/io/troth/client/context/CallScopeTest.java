package io.troth.client.context;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.troth.core.BranchId;
import io.troth.core.BranchList;
import io.troth.core.BranchWork;
import io.troth.core.ClusterId;
import io.troth.core.EpochId;
import io.troth.core.ErrorCode;
import io.troth.core.GlobalTxId;
import io.troth.core.Reason;
import io.troth.core.SessionKey;
import io.troth.core.TransactionContext;
import io.troth.core.TrothException;
import java.util.List;
import java.util.concurrent.Callable;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.Executor;
import java.util.concurrent.RejectedExecutionException;
import org.junit.jupiter.api.Test;

/** Goal: what a scope holds is bounded, and it ends when it may. Method: a scope alone. */
class CallScopeTest {

    private final CallScope root = new CallScope(
            new TransactionContext(
                    new ClusterId(1),
                    new GlobalTxId(0, new EpochId(3, 5), 7, 1),
                    new SessionKey(1, 2),
                    TransactionContext.ROOT_CALL,
                    60_000),
            NanoClock.SYSTEM);

    @Test
    void aRootScopeClosesOnlyWhenNothingRunsUnderIt() {
        root.enter();
        assertFalse(root.closeIfIdle());
        assertFalse(root.isClosed());
        root.exit();
        assertTrue(root.closeIfIdle());
    }

    /** Its work is part of the transaction: the commit that closes the scope has waited for it. */
    @Test
    void aTaskThatTheEndHasWaitedForHasNotOutlivedIt() throws Exception {
        Callable<String> task = ScopedTasks.wrap(root, () -> {
            root.closeWhenIdle(() -> {});
            return "done";
        });
        assertEquals("done", task.call());
        assertTrue(root.isClosed());
        assertFalse(root.isRollbackOnly());
    }

    /** It does not wait for its caller either. */
    @Test
    void aTaskThatStillRanAtTheEndHasOutlivedIt() {
        Runnable task = ScopedTasks.wrap(root, (Runnable) root::close);
        TrothException thrown = assertThrows(TrothException.class, task::run);
        assertEquals(ErrorCode.SCOPE_CLOSED, thrown.code());
        assertTrue(root.isRollbackOnly());
        assertEquals(0, root.running());
    }

    /** As of a task that hands something to a pool that is shutting down, in an executor that runs it at once. */
    @Test
    void aTaskThatThrowsARejectionHasEndedOnce() {
        root.enter();
        Executor here = ScopedTasks.wrap(root, (Executor) Runnable::run);
        assertThrows(
                RejectedExecutionException.class,
                () -> here.execute(() -> {
                    throw new RejectedExecutionException("thrown on purpose");
                }));
        assertEquals(1, root.running());
    }

    /** As of an executor that cannot start another thread: a commit would wait for the task until the time is over. */
    @Test
    void aTaskThatAnExecutorDidNotTakeHasEnded() {
        Executor broken = ScopedTasks.wrap(root, (Executor) task -> {
            throw new OutOfMemoryError("unable to create native thread");
        });
        assertThrows(OutOfMemoryError.class, () -> broken.execute(() -> {}));
        assertEquals(0, root.running());
    }

    @Test
    void doesNotCommitMoreBranchesThanATransactionHas() {
        for (int i = 1; i <= CallScope.BRANCHES_MAX; i++) {
            root.addReply(new BranchList(false, List.of(new BranchWork(new BranchId(1, i), "left", 1))));
        }
        assertFalse(root.isRollbackOnly());
        root.addReply(new BranchList(false, List.of(new BranchWork(new BranchId(2, 1), "left", 1))));
        assertEquals(ErrorCode.LIMIT_EXCEEDED, root.rollbackReason().code());
    }

    /** Such a commit would not fit into one entry, and its token could not be read back. */
    @Test
    void doesNotCommitBranchesWhoseListIsTooLong() {
        int line = 32 + 255 + 3;
        int most = (BranchList.LENGTH_MAX - 3) / line;
        for (int i = 1; i <= most; i++) {
            root.addReply(new BranchList(false, List.of(new BranchWork(new BranchId(1, i), "n".repeat(255), 1))));
        }
        assertEquals(most, root.list().branches().size());
        assertFalse(root.isRollbackOnly());
        root.addReply(new BranchList(false, List.of(new BranchWork(new BranchId(2, 1), "n".repeat(255), 1))));
        assertEquals(new BranchList(true, List.of()), root.list());
        assertEquals(ErrorCode.LIMIT_EXCEEDED, root.rollbackReason().code());
    }

    /** A branch that only counts how often it is announced. */
    private static final class Counted implements InPlaceBranch {

        private int announced;

        @Override
        public BranchId branch() {
            throw new AssertionError("nobody asks");
        }

        @Override
        public void announce() {
            announced++;
        }

        @Override
        public CompletionStage<End> commit(boolean here) {
            throw new AssertionError("nobody commits here");
        }

        @Override
        public CompletionStage<Ballot> prepare(boolean here) {
            throw new AssertionError("nobody prepares here");
        }

        @Override
        public CompletionStage<End> commitPrepared() {
            throw new AssertionError("nobody commits here");
        }

        @Override
        public void rollBack(Reason reason) {
            throw new AssertionError("nobody rolls back here");
        }
    }

    private final CallScope alone = new CallScope(
            new TransactionContext(
                    new ClusterId(1),
                    new GlobalTxId(0, new EpochId(3, 5), 7, 2),
                    new SessionKey(1, 2),
                    TransactionContext.ROOT_CALL,
                    60_000),
            NanoClock.SYSTEM,
            true);

    private final Counted first = new Counted();

    @Test
    void theBranchesOfATransactionAloneAreTakenOnceAndNeverAnnounced() {
        Counted second = new Counted();
        assertTrue(alone.mayStartInPlace());
        alone.addBranch(new BranchId(1, 1), "left", first);
        assertTrue(alone.mayStartInPlace());
        alone.addBranch(new BranchId(1, 2), "right", second);
        assertEquals(List.of(first, second), alone.takeInPlace());
        assertEquals(List.of(), alone.takeInPlace());
        alone.share();
        assertEquals(0, first.announced);
        assertEquals(0, second.announced);
    }

    @Test
    void aTransactionThatIsSharedAnnouncesItsBranchesOnce() {
        alone.addBranch(new BranchId(1, 1), "left", first);
        Counted second = new Counted();
        alone.addBranch(new BranchId(1, 2), "right", second);
        alone.share();
        alone.share();
        assertEquals(1, first.announced);
        assertEquals(1, second.announced);
        assertEquals(List.of(), alone.takeInPlace());
    }

    @Test
    void aBranchThatTheCoordinatorKnowsSharesTheOthers() {
        alone.addBranch(new BranchId(1, 1), "left", first);
        alone.addBranch(new BranchId(1, 2), "right");
        assertEquals(1, first.announced);
        assertFalse(alone.mayStartInPlace());
    }

    /** The call left after the branch had asked whether it may, and before it was there. */
    @Test
    void aBranchThatComesWhenTheTransactionIsSharedIsAnnounced() {
        alone.share();
        assertFalse(alone.mayStartInPlace());
        alone.addBranch(new BranchId(1, 1), "left", first);
        assertEquals(1, first.announced);
        assertEquals(List.of(), alone.takeInPlace());
    }

    /** One that ended in place and another that starts afterwards: the coordinator is to find both. */
    @Test
    void nothingStartsInPlaceAfterOneWasTaken() {
        Counted second = new Counted();
        alone.addBranch(new BranchId(1, 1), "left", first);
        assertEquals(List.of(first), alone.takeInPlace());
        assertFalse(alone.mayStartInPlace());
        alone.addBranch(new BranchId(1, 2), "right", second);
        assertEquals(1, second.announced);
    }

    @Test
    void aServedCallSharesItsTransaction() {
        assertFalse(root.mayStartInPlace());
    }
}
