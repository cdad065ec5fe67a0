package io.troth.chaos.sim;

import static org.junit.jupiter.api.Assertions.assertDoesNotThrow;
import static org.junit.jupiter.api.Assertions.assertThrows;

import io.troth.chaos.sim.world.Broken;
import io.troth.core.BranchId;
import io.troth.core.Decision;
import io.troth.core.EpochId;
import io.troth.core.ErrorCode;
import io.troth.core.GlobalTxId;
import io.troth.core.Outcome;
import io.troth.core.Reason;
import io.troth.core.coordinator.AgentMessage;
import io.troth.core.coordinator.ClientMessage;
import io.troth.core.coordinator.LogRecord;
import org.junit.jupiter.api.Test;

/**
 * Goal: a leader that commits in a resource on hold, or hides a decision by force, is seen. Method: by hand; the simulation
 * must never see one.
 */
class OperatorWatchTest {

    private static final GlobalTxId TX = new GlobalTxId(0, new EpochId(1, 7), 1, 1);
    private static final BranchId BRANCH = new BranchId(5, 1);
    private static final AgentMessage COMMIT = new AgentMessage.CommitBranch(TX, BRANCH, "accounts", null, false);

    private final OperatorWatch watch = new OperatorWatch();

    private static ClientMessage.Answer answer(Outcome outcome, ErrorCode code) {
        return new ClientMessage.Answer(1, TX, outcome, false, BRANCH, Reason.of(code));
    }

    @Test
    void nothingIsCommittedInAResourceOnHold() {
        Runnable taken = watch.holds("accounts");
        assertDoesNotThrow(() -> watch.check(COMMIT), "not yet");
        taken.run();
        assertThrows(Broken.class, () -> watch.check(COMMIT));
        watch.releases("accounts");
        assertDoesNotThrow(() -> watch.check(COMMIT));
    }

    @Test
    void aHoldThatIsTakenAfterItsReleaseHoldsNothing() {
        Runnable taken = watch.holds("accounts");
        watch.releases("accounts");
        taken.run();
        assertDoesNotThrow(() -> watch.check(COMMIT));
    }

    @Test
    void aDecisionByForceIsCarriedOutInAResourceOnHold() {
        watch.holds("accounts").run();
        watch.applied(new LogRecord.Heuristic(TX, BRANCH, Decision.COMMIT, "as its other branches"));
        assertDoesNotThrow(() -> watch.check(COMMIT));
    }

    @Test
    void aDecisionAgainstTheOutcomeIsNotHidden() {
        ClientMessage.Answer hides = answer(Outcome.COMMITTED, ErrorCode.LEADER_CHANGED);
        assertDoesNotThrow(() -> watch.check(hides));
        watch.applied(new LogRecord.Heuristic(TX, BRANCH, Decision.ROLLBACK, "by mistake"));

        assertThrows(Broken.class, () -> watch.check(hides));
        assertDoesNotThrow(() -> watch.check(answer(Outcome.COMMITTED, ErrorCode.HEURISTIC_MIXED)));
        assertDoesNotThrow(() -> watch.check(answer(Outcome.ROLLED_BACK, ErrorCode.LEADER_CHANGED)), "it agrees");
        watch.applied(new LogRecord.Horizon(TX.epoch(), TX.session()));
        assertDoesNotThrow(() -> watch.check(hides), "forgotten");
    }
}
