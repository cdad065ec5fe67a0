package io.troth.agent.engine;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.troth.client.context.CallScope;
import io.troth.core.BranchId;
import io.troth.core.ClusterId;
import io.troth.core.EpochId;
import io.troth.core.ErrorCode;
import io.troth.core.GlobalTxId;
import io.troth.core.Reason;
import io.troth.core.SessionKey;
import io.troth.core.TransactionContext;
import io.troth.core.participant.AgentLimits;
import io.troth.core.participant.AgentNotice;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.FutureTask;
import java.util.concurrent.TimeUnit;
import org.awaitility.Awaitility;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/**
 * Goal: a call that reaches the agent before the agent has reached the leader of its transaction waits, and no longer
 * than there is something to wait for. Method: the call stands on a thread of its own, with an hour to wait, until the
 * test does what should end that.
 */
@Timeout(60)
class CallBeforeLeaderTest {

    private static final ClusterId CLUSTER = new ClusterId(7);
    private static final EpochId BEFORE = new EpochId(2, 22);
    private static final EpochId EPOCH = new EpochId(3, 33);
    private static final EpochId AFTER = new EpochId(4, 44);
    private static final long HOUR_MILLIS = TimeUnit.HOURS.toMillis(1);

    private final SimulatedCoordinatorLink link = new SimulatedCoordinatorLink();
    private final List<Reason> refusals = new CopyOnWriteArrayList<>();
    private final AgentEngine engine = new AgentEngine(new AgentEngine.Parts(
            0xa,
            Map.of("accounts", new SimulatedBranchDatabase()),
            link,
            new ScheduledTimers(),
            new AgentListener() {
                @Override
                public void heard(AgentNotice notice) {
                    if (notice instanceof AgentNotice.Refused refused) {
                        refusals.add(refused.reason());
                    }
                }

                @Override
                public void failed(RuntimeException cause) {
                    throw cause;
                }
            },
            StepListener.NONE,
            AgentLimits.DEFAULTS));

    private final CallScope scope = scope(HOUR_MILLIS);
    private final FutureTask<BranchId> call = new FutureTask<>(() -> engine.join(scope, "accounts", HOUR_MILLIS));
    private final Thread caller = new Thread(call, "caller");

    @BeforeEach
    void start() {
        engine.start(null, null);
    }

    @AfterEach
    void stop() throws InterruptedException {
        engine.close();
        caller.join();
    }

    private static CallScope scope(long remainingMillis) {
        return new CallScope(
                new TransactionContext(
                        CLUSTER, new GlobalTxId(0, EPOCH, 5, 1), new SessionKey(1, 2), 1, remainingMillis),
                System::nanoTime);
    }

    private void callAndSeeItWait() {
        caller.start();
        Awaitility.await()
                .atMost(Duration.ofSeconds(60))
                .pollInterval(Duration.ofMillis(1))
                .until(() -> caller.getState() == Thread.State.TIMED_WAITING);
    }

    private BranchRefusedException refused() {
        ExecutionException thrown = assertThrows(ExecutionException.class, call::get);
        return (BranchRefusedException) thrown.getCause();
    }

    @Test
    void waitsForTheStream() throws Exception {
        callAndSeeItWait();
        link.welcome(CLUSTER, EPOCH);
        assertEquals(call.get(), scope.list().branches().get(0).branch());
        assertTrue(link.takeKinds().contains("Enlist"));
        assertEquals(List.of(), refusals);
    }

    @Test
    void waitsWhileTheStreamLeadsToTheLeaderBefore() throws Exception {
        link.welcome(CLUSTER, BEFORE);
        callAndSeeItWait();
        link.agent().broken(Reason.of(ErrorCode.NOT_LEADER));
        link.welcome(CLUSTER, EPOCH);
        assertEquals(call.get(), scope.list().branches().get(0).branch());
    }

    @Test
    void waitsWhileItsOwnStreamIsBroken() throws Exception {
        link.welcome(CLUSTER, EPOCH);
        link.agent().broken(Reason.of(ErrorCode.STREAM_BROKEN));
        callAndSeeItWait();
        link.welcome(CLUSTER, EPOCH);
        assertEquals(call.get(), scope.list().branches().get(0).branch());
    }

    @Test
    void doesNotWaitForALeaderThatHasBeenFollowed() {
        link.welcome(CLUSTER, AFTER);
        link.agent().broken(Reason.of(ErrorCode.STREAM_BROKEN));
        caller.start();
        assertEquals(ErrorCode.LEADER_CHANGED, refused().reason().code());
    }

    @Test
    void stopsWaitingWhenAnotherLeaderComes() {
        callAndSeeItWait();
        link.welcome(CLUSTER, AFTER);
        assertEquals(ErrorCode.LEADER_CHANGED, refused().reason().code());
        assertEquals(1, refusals.size(), "a call is refused once");
    }

    @Test
    void doesNotWaitWhenItWouldBeRefusedAllTheSame() {
        BranchRefusedException unknown =
                assertThrows(BranchRefusedException.class, () -> engine.join(scope, "stock", HOUR_MILLIS));
        assertEquals(ErrorCode.UNKNOWN_RESOURCE, unknown.reason().code());
    }

    @Test
    void givesUpAtItsLimitAndAtTheDeadline() {
        BranchRefusedException atLimit =
                assertThrows(BranchRefusedException.class, () -> engine.join(scope, "accounts", 1));
        assertEquals(ErrorCode.NO_COORDINATOR, atLimit.reason().code());
        assertEquals(1, refusals.size(), "a call is refused once");
        BranchRefusedException atDeadline =
                assertThrows(BranchRefusedException.class, () -> engine.join(scope(1), "accounts", HOUR_MILLIS));
        assertEquals(ErrorCode.NO_COORDINATOR, atDeadline.reason().code());
    }

    @Test
    void stopsWaitingWhenItsScopeIsClosed() {
        callAndSeeItWait();
        var unused = scope.close();
        assertEquals(ErrorCode.SCOPE_CLOSED, refused().reason().code());
    }

    @Test
    void stopsWaitingWhenTheAgentStops() {
        callAndSeeItWait();
        engine.close();
        assertEquals(ErrorCode.DRAINING, refused().reason().code());
    }

    @Test
    void stopsWaitingWhenItIsInterrupted() {
        callAndSeeItWait();
        caller.interrupt();
        assertEquals(ErrorCode.NO_COORDINATOR, refused().reason().code());
    }
}
