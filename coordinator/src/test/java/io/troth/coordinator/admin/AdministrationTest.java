package io.troth.coordinator.admin;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertInstanceOf;
import static org.junit.jupiter.api.Assertions.assertThrows;

import io.troth.coordinator.engine.CoordinatorEngine;
import io.troth.coordinator.engine.EngineWorld;
import io.troth.coordinator.engine.LiveWorld;
import io.troth.coordinator.engine.SimulatedDecisionLog;
import io.troth.coordinator.engine.StepListener;
import io.troth.core.BranchId;
import io.troth.core.Decision;
import io.troth.core.EpochId;
import io.troth.core.ErrorCode;
import io.troth.core.GlobalTxId;
import io.troth.core.Outcome;
import io.troth.core.Reason;
import io.troth.core.TrothException;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.ForkJoinPool;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;

/** Goal: an operator whose leader goes is answered, and not told that nothing was done. Method: the test ends the leader. */
class AdministrationTest {

    private static final GlobalTxId TX = new GlobalTxId(0, new EpochId(1, 2), 3, 4);
    private static final BranchId BRANCH = new BranchId(5, 6);

    private final CoordinatorEngine engine = new LiveWorld(
                    new SimulatedDecisionLog().writeAtOnce(),
                    EngineWorld.twoAgents(),
                    StepListener.NONE,
                    ForkJoinPool.commonPool())
            .engine;

    private Administration administration(ErrorCode lost) {
        return new Administration(
                engine, request -> CompletableFuture.failedFuture(new TrothException(Reason.of(lost))));
    }

    @Test
    void whoChangesAResourceHearsThatTheLeaderHasStopped() {
        engine.start();
        engine.failed(new IllegalStateException("for a test"));
        Administration administration = administration(ErrorCode.NOT_LEADER);
        List<CompletableFuture<Boolean>> changes =
                List.of(administration.hold("accounts", true, "why"), administration.exclude("accounts", true, "why"));
        var unused = engine.runOnce();
        for (CompletableFuture<Boolean> change : changes) {
            ExecutionException failed = assertThrows(ExecutionException.class, () -> change.get(60, TimeUnit.SECONDS));
            assertEquals(
                    ErrorCode.NOT_READY,
                    assertInstanceOf(TrothException.class, failed.getCause()).code());
        }
    }

    @Test
    void aForcedDecisionWhoseLeadershipEndsIsNotKnownToBeTaken() {
        for (ErrorCode lost : List.of(ErrorCode.NOT_LEADER, ErrorCode.NOT_READY, ErrorCode.DRAINING)) {
            assertEquals(
                    Outcome.NOT_LEADER,
                    administration(lost)
                            .resolve(TX, BRANCH, Decision.COMMIT, "why")
                            .join());
            assertEquals(
                    Outcome.NOT_LEADER, administration(lost).close(TX, "why").join());
        }
        ExecutionException notAsked = assertThrows(
                ExecutionException.class,
                () -> administration(ErrorCode.OVERLOADED).close(TX, "why").get());
        assertEquals(
                ErrorCode.OVERLOADED,
                assertInstanceOf(TrothException.class, notAsked.getCause()).code());
    }
}
