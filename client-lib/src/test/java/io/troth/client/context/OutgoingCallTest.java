package io.troth.client.context;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertNull;
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
import java.sql.SQLException;
import java.util.List;
import java.util.Objects;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicLong;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.NullSource;
import org.junit.jupiter.params.provider.ValueSource;

/** Goal: a call under a transaction by any transport counts as one by gRPC. Method: both ends in one process. */
@SuppressWarnings("try") // A binding is there to be closed.
class OutgoingCallTest {

    private static final GlobalTxId TX = new GlobalTxId(0, new EpochId(1, 2), 3, 4);
    private static final BranchId BRANCH = new BranchId(5, 6);
    private static final long TIMEOUT_MILLIS = 60_000;

    private final AtomicLong now = new AtomicLong();
    private final CallScope root = new CallScope(context(TransactionContext.ROOT_CALL, TIMEOUT_MILLIS), now::get);

    private static TransactionContext context(long call, long remainingMillis) {
        return new TransactionContext(new ClusterId(7), TX, new SessionKey(8, 9), call, remainingMillis);
    }

    private OutgoingCall begun() {
        try (CallScope.Binding bound = root.attach()) {
            return OutgoingCall.begin("POST /stock").orElseThrow();
        }
    }

    private ErrorCode refused(@Nullable String header) {
        return assertThrows(TrothException.class, () -> ServedCall.begin(header, now::get))
                .code();
    }

    private void assertRollbackOnly(String why) {
        assertEquals(0, root.running());
        assertEquals("ROLLBACK_ONLY: call POST /stock " + why, String.valueOf(root.rollbackReason()));
    }

    @Test
    void bringsBackWhatWasDoneThere() {
        try (OutgoingCall call = begun()) {
            assertEquals(1, root.running());
            assertEquals(TIMEOUT_MILLIS, call.remainingMillis());
            try (ServedCall served = ServedCall.begin(call.header(), now::get)) {
                CallScope there = CallScope.current();
                assertEquals(TX, there.tx());
                assertEquals(root.key(), there.key());
                assertEquals(TIMEOUT_MILLIS, there.remainingMillis());
                there.addBranch(BRANCH, "stock");
                call.replied(served.end());
                assertThrows(TrothException.class, () -> there.addBranch(BRANCH, "stock"));
            }
            assertNull(CallScope.current());
        }
        assertFalse(root.isRollbackOnly());
        assertEquals(0, root.running());
        assertEquals(new BranchList(false, List.of(new BranchWork(BRANCH, "stock", 1))), root.close());
    }

    /** An agent refuses what comes under the same number again. */
    @Test
    void eachCallHasANumberOfItsOwn() {
        try (OutgoingCall first = begun();
                OutgoingCall second = begun()) {
            assertNotEquals(
                    TransactionContext.parse(first.header()).call(),
                    TransactionContext.parse(second.header()).call());
        }
    }

    @Test
    void aCallWithoutAReplyMayNotCommit() {
        begun().close();
        assertRollbackOnly("had no reply");
    }

    @Test
    void aCallThatFailedMayNotCommit() {
        OutgoingCall call = begun();
        call.failed("could not be sent");
        call.close();
        assertRollbackOnly("could not be sent");
    }

    @ParameterizedTest
    @NullSource
    @ValueSource(strings = {"", "1;;;", "2;;", "1;x;", "1;;5-6:stock"})
    void aReplyWithoutAReadableListMayNotCommit(@Nullable String list) {
        try (OutgoingCall call = begun()) {
            call.replied(list);
            assertEquals(0, root.running());
            assertTrue(root.isRollbackOnly());
        }
    }

    @Test
    void onlyTheFirstEndOfACallCounts() {
        try (OutgoingCall call = begun()) {
            call.replied(BranchList.EMPTY);
            call.replied(new BranchList(true, List.of()));
            call.failed("too late");
        }
        assertFalse(root.isRollbackOnly());
        assertEquals(0, root.running());
    }

    @Test
    void aReplyThatTellsOfAnErrorMayNotCommit() {
        try (OutgoingCall call = begun();
                ServedCall served = ServedCall.begin(call.header(), now::get)) {
            CallScope.current().addBranch(BRANCH, "stock");
            served.failed("status 500");
            call.replied(served.end());
        }
        assertTrue(root.isRollbackOnly());
        assertEquals(new BranchList(true, List.of(new BranchWork(BRANCH, "stock", 1))), root.close());
    }

    private @Nullable ErrorCode codeAfter(Throwable failure) {
        try (OutgoingCall call = begun();
                ServedCall served = ServedCall.begin(call.header(), now::get)) {
            served.failed(failure);
            call.replied(served.end(), served.reason().orElse(null));
        }
        return Objects.requireNonNull(root.rollbackReason()).code();
    }

    @Test
    void aReplySaysThatAnotherTryIsWorthIt() {
        SQLException deadlock = new SQLException("deadlock detected", "40P01");
        assertEquals(ErrorCode.DEADLOCK, codeAfter(new IllegalStateException("a framework's", deadlock)));
        assertEquals(ErrorCode.DEADLOCK, root.retryableCode());
    }

    @Test
    void aReplyThatDoesNotKnowBetterIsNotWorthAnotherTry() {
        assertEquals(ErrorCode.ROLLBACK_ONLY, codeAfter(new SQLException("duplicate key", "23505")));
        assertNull(root.retryableCode());
    }

    /** A separate transaction of the service may be committed, whatever else went wrong there. */
    @Test
    void aReplyAfterAnUnknownOutcomeIsNotWorthAnotherTry() {
        TrothException unknown = new TrothException(Reason.of(ErrorCode.OUTCOME_UNKNOWN));
        try (OutgoingCall call = begun();
                ServedCall served = ServedCall.begin(call.header(), now::get)) {
            CallScope.current().setRollbackOnly(Reason.of(ErrorCode.DEADLOCK));
            served.failed(new SQLException("as a framework wraps it", "40001", unknown));
            call.replied(served.end(), served.reason().orElse(null));
        }
        assertNull(root.retryableCode());
        assertTrue(root.isRollbackOnly());
    }

    /** As of a newer build, or of anybody else who writes headers. */
    @ParameterizedTest
    @ValueSource(strings = {"", "nonsense", "DUPLICATE_CALL", "deadlock"})
    void onlyACodeThatIsWorthItCounts(String reason) {
        try (OutgoingCall call = begun()) {
            call.replied(new BranchList(true, List.of()).encode(), reason);
        }
        assertTrue(root.isRollbackOnly());
        assertNull(root.retryableCode());
    }

    @Test
    void aReplyThatMayCommitNeedsNoOtherTry() {
        try (OutgoingCall call = begun()) {
            call.replied(BranchList.EMPTY.encode(), "DEADLOCK");
        }
        assertFalse(root.isRollbackOnly());
    }

    /** The statement of another thread, for one, finds it closed. */
    @Test
    void aServedCallThatIsLeftIsOver() {
        CallScope there;
        try (OutgoingCall call = begun();
                ServedCall served = ServedCall.begin(call.header(), now::get)) {
            there = CallScope.current();
        }
        assertTrue(there.isClosed());
        assertNull(CallScope.current());
    }

    @Test
    void thereIsNoCallOutsideATransactionOrAfterIt() {
        assertTrue(OutgoingCall.begin("GET /").isEmpty());
        BranchList unused = root.close();
        assertEquals(
                ErrorCode.SCOPE_CLOSED,
                assertThrows(TrothException.class, this::begun).code());
    }

    @Test
    void theTimeRunsOnBothSides() {
        now.addAndGet(TimeUnit.MILLISECONDS.toNanos(TIMEOUT_MILLIS - 1));
        OutgoingCall call = begun();
        assertEquals(1, call.remainingMillis());
        call.replied(BranchList.EMPTY);
        now.addAndGet(TimeUnit.MILLISECONDS.toNanos(1));
        assertEquals(
                ErrorCode.DEADLINE_EXCEEDED,
                assertThrows(TrothException.class, this::begun).code());
        assertEquals(0, root.running());
        assertTrue(root.isRollbackOnly());
        assertEquals(ErrorCode.DEADLINE_EXCEEDED, refused(context(1, 0).encode()));
    }

    @Test
    void refusesAHeaderThatIsNone() {
        assertEquals(ErrorCode.INVALID_ARGUMENT, refused("nonsense"));
        assertEquals(ErrorCode.INVALID_ARGUMENT, refused(null));
        assertEquals(
                ErrorCode.INVALID_ARGUMENT,
                refused(context(TransactionContext.ROOT_CALL, 1).encode()));
        assertNull(CallScope.current());
    }
}
