package io.troth.coordinator.engine;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNotNull;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.troth.core.ErrorCode;
import io.troth.core.GlobalTxId;
import io.troth.core.Outcome;
import io.troth.core.Reason;
import io.troth.core.TrothException;
import io.troth.core.coordinator.AgentMessage;
import io.troth.core.coordinator.ClientMessage;
import io.troth.core.coordinator.CoordinatorLimits;
import io.troth.core.coordinator.CoordinatorStateMachine;
import io.troth.core.coordinator.Event;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionException;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.Assertions;
import org.junit.jupiter.api.Test;

/**
 * A log that fails, hangs or runs out of space, and a coordinator that is to stop: what is said then, and what is not
 * (protocol L4, L5; test plan, pitfall 2).
 */
class EngineHoldTest {

    private final EngineWorld world = EngineWorld.fresh().open();

    // A write fails.

    @Test
    void nobodyHearsAnOutcomeWhenTheAppendFailsAndTheNextProcessTellsTheTruth() {
        for (boolean survives : new boolean[] {true, false}) {
            EngineWorld first = EngineWorld.fresh().open();
            IllegalStateException cause = new IllegalStateException("no space left on device");
            GlobalTxId tx = first.commitTwo();
            first.simulated().failNextWrite(cause, survives);
            first.settle();

            assertEquals(List.of(Outcome.NOT_LEADER), outcomes(first));
            assertEquals(List.of(cause), first.heard.logFailures);
            assertTrue(first.engine.isStopped());
            assertEquals(
                    ErrorCode.NOT_READY,
                    Assertions.assertInstanceOf(Reason.class, first.engine.notReady())
                            .code());
            assertEquals(0, first.gateway.toAgents(EngineHoldTest::isDecision));

            EngineWorld second = first.crash(true).open();
            second.ask(tx);
            second.settle();
            Outcome truth = survives ? Outcome.COMMITTED : Outcome.UNKNOWN;
            assertEquals(List.of(truth), outcomes(second), "without the content of the commit absence says nothing");
            assertTrue(second.agents.stream().allMatch(agent -> agent.prepared.isEmpty()));
            assertTrue(second.agents.stream().allMatch(agent -> agent.committed.contains(tx) == survives));
        }
    }

    @Test
    void doesNothingAnyMoreAfterTheLogFailed() {
        world.commitTwo();
        world.simulated().failNextWrite(new IllegalStateException("EIO"), false);
        world.settle();
        int left = world.gateway.left().size();

        List<String> stepped = new ArrayList<>();
        world.engine.submit(List.of(new Event.ClientDisconnected(world.client())), () -> stepped.add("stepped"));
        assertFalse(world.engine.runOnce());
        assertEquals(left, world.gateway.left().size());
        assertTrue(stepped.isEmpty());
        assertEquals(Long.MAX_VALUE, world.engine.nanosToNextTurn());
        CompletionException thrown = Assertions.assertThrows(
                CompletionException.class,
                () -> world.engine.look(CoordinatorStateMachine::view).join());
        assertEquals(ErrorCode.NOT_READY, ((TrothException) thrown.getCause()).code());
    }

    @Test
    void stopsWhenTheLogCannotBeReadForAnAnswer() {
        GlobalTxId old = world.commitTwo();
        world.settle();
        EngineWorld second = world.crash(false).open();
        second.ask(old);
        while (second.engine.runOnce()) {
            // Until the question is on its way to the log.
        }
        assertEquals(1, second.lookups.size());
        second.simulated().crash(false);
        second.settle();

        assertEquals(List.of(Outcome.NOT_LEADER), outcomes(second));
        assertEquals(1, second.heard.logFailures.size());
        assertTrue(second.engine.isStopped());
    }

    @Test
    void stopsWhenAnErrorKeepsItFromReadingTheLog() {
        GlobalTxId old = world.commitTwo();
        world.settle();
        EngineWorld second = world.crash(false).open();
        second.simulated().failFinds(new LinkageError("for a test"));
        second.ask(old);
        second.settle();

        assertEquals(List.of(Outcome.NOT_LEADER), outcomes(second));
        assertEquals(1, second.heard.logFailures.size());
        assertTrue(second.engine.isStopped());
    }

    @Test
    void stopsWhenTheLogIsNotReadAnyMore() {
        GlobalTxId old = world.commitTwo();
        world.settle();
        EngineWorld second = world.crash(false).open();
        second.refusesLookups = true;
        second.ask(old);
        second.settle();

        assertEquals(List.of(Outcome.NOT_LEADER), outcomes(second));
        assertTrue(second.engine.isStopped());
    }

    /** It sleeps otherwise, for hours where nothing is to do. */
    @Test
    void wakesForAllThatIsHandedOver() {
        AtomicInteger wakes = new AtomicInteger();
        world.engine.wakeWith(wakes::incrementAndGet);
        List<Runnable> handed = List.of(
                () -> world.engine.submit(List.of(new Event.ClientDisconnected(world.client())), () -> {}),
                () -> {
                    var unused = world.engine.look(CoordinatorStateMachine::view);
                },
                () -> {
                    var unused = world.engine.drain(Duration.ofSeconds(30));
                },
                () -> world.engine.applied(List.of(), 1),
                () -> world.engine.stalled(true),
                () -> world.engine.free(false, 1));
        for (int i = 0; i < handed.size(); i++) {
            handed.get(i).run();
            assertEquals(i + 1, wakes.get());
        }
        world.settle();
        assertTrue(world.engine.nanosToNextTurn() > 0);
        wakes.set(0);
        world.engine.failed(new IllegalStateException("for a test"));
        assertEquals(1, wakes.get());
        assertEquals(0, world.engine.nanosToNextTurn());
    }

    @Test
    void readsTheLogBesideTheEngineThread() {
        GlobalTxId old = world.commitTwo();
        world.settle();
        EngineWorld second = world.crash(false).open();
        second.ask(old);
        while (second.engine.runOnce()) {
            // Until the question is on its way to the log.
        }
        assertTrue(outcomes(second).isEmpty());
        second.settle();
        assertEquals(List.of(Outcome.COMMITTED), outcomes(second));
    }

    @Test
    void whoLooksAtOneThatCouldNotStartHearsThatItHasStopped() {
        EnginePorts ports = new EnginePorts(
                new SimulatedDecisionLog(),
                new RecordingGateway(),
                StepListener.NONE,
                EngineListener.all(List.of()),
                () -> 0,
                () -> {
                    throw new LeadershipLostException("for a test");
                },
                Runnable::run);
        CoordinatorEngine engine = new CoordinatorEngine(0, CoordinatorLimits.DEFAULTS, ports);
        Assertions.assertThrows(LeadershipLostException.class, engine::start);
        assertTrue(engine.isStopped());
        assertTrue(engine.look(CoordinatorStateMachine::view).isCompletedExceptionally());
    }

    // A write hangs.

    @Test
    void saysNothingWhileAWriteHangsAndGoesOnWhenItReturns() {
        GlobalTxId running = world.begin();
        var works = world.enlist(running, world.agents.get(0), world.agents.get(1));
        GlobalTxId deciding = world.commitTwo();
        world.logWrites = false;
        world.settle();
        assertEquals(1, world.simulated().waiting());
        world.simulated().stall(true);
        world.settle();
        assertEquals(
                ErrorCode.LOG_STALLED,
                Assertions.assertInstanceOf(Reason.class, world.engine.notReady())
                        .code());
        assertEquals(1, world.gateway.toClients(EngineHoldTest::refusesNew));
        int left = world.gateway.left().size();

        List<String> stepped = new ArrayList<>();
        world.engine.submit(
                List.of(new Event.RollbackRequested(
                        world.request(), running, world.key(), 1, works, Reason.of(ErrorCode.ROLLED_BACK_BY_CLIENT))),
                () -> stepped.add("stepped"));
        world.ask(deciding);
        world.pass(Duration.ofMinutes(10));
        assertEquals(left, world.gateway.left().size(), "nothing was said, not even what is certain");
        assertTrue(stepped.isEmpty(), "an edge reads no more than it may meanwhile");

        world.logWrites = true;
        world.simulated().stall(false);
        world.settle();
        assertEquals(List.of("stepped"), stepped);
        assertNull(world.engine.notReady());
        assertEquals(List.of(Outcome.ROLLED_BACK, Outcome.PENDING, Outcome.COMMITTED), outcomes(world));
        assertTrue(world.agents.stream().allMatch(agent -> agent.committed.contains(deciding)));
        assertTrue(world.agents.stream().allMatch(agent -> agent.rolledBack.contains(running)));
    }

    @Test
    void repeatsNothingWhileAWriteHangs() {
        world.agents.get(1).commits = false;
        world.commitTwo();
        world.settle();
        world.simulated().stall(true);
        world.settle();
        long before = world.gateway.toAgents(EngineHoldTest::isDecision);
        for (int minute = 0; minute < 3; minute++) {
            world.pass(Duration.ofMinutes(1));
        }
        world.simulated().stall(false);
        world.settle();
        assertEquals(1, world.gateway.toAgents(EngineHoldTest::isDecision) - before, "one retry that was due");
    }

    @Test
    void refusesNewTransactionsWhileAWriteHangs() {
        world.simulated().stall(true);
        world.settle();
        world.enlist(world.begin(), world.agents.get(0));
        world.settle();
        assertEquals(
                1,
                world.gateway.toAgents(message -> message instanceof AgentMessage.EnlistRefused refused
                        && refused.reason().code() == ErrorCode.LOG_STALLED));
    }

    @Test
    void whatWasHeldIsNeverSaidWhenTheHangingWriteFails() {
        GlobalTxId running = world.begin();
        var works = world.enlist(running, world.agents.get(0));
        world.commitTwo();
        world.logWrites = false;
        world.settle();
        world.simulated().stall(true);
        world.settle();
        world.rollback(running, works);
        world.settle();

        world.engine.failed(new IllegalStateException("EIO after a minute"));
        world.settle();
        assertEquals(List.of(Outcome.NOT_LEADER), outcomes(world), "only who waits for the commit hears something");
        assertEquals(0, world.gateway.toAgents(EngineHoldTest::isDecision));
    }

    /** Entries of a replicated log are several at a time. Rounds, because a turn has no place where a test could step in. */
    @Test
    void whatWasHeldIsNeverSaidWhenOneWriteFailsAndAnotherReturns() throws Exception {
        for (int round = 0; round < 1_000; round++) {
            EngineWorld each = EngineWorld.fresh().open();
            GlobalTxId running = each.begin();
            var works = each.enlist(running, each.agents.get(0));
            each.simulated().stall(true);
            each.settle();
            each.rollback(running, works);
            each.settle();
            CountDownLatch turns = new CountDownLatch(1);
            CompletableFuture<Void> log = CompletableFuture.runAsync(() -> {
                turns.countDown();
                each.engine.failed(new IllegalStateException("EIO"));
                each.engine.stalled(false);
            });
            turns.await();
            while (!each.engine.isStopped()) {
                var unused = each.engine.runOnce();
            }
            log.join();
            assertEquals(0, each.gateway.toAgents(EngineHoldTest::isDecision));
        }
    }

    @Test
    void forgetsWhatIsHeldForAStreamThatIsGone() {
        world.simulated().stall(true);
        world.settle();
        world.ask(new GlobalTxId(0, world.gateway.flushedEpoch(), 1, 77));
        world.submit(new Event.ClientDisconnected(world.client()));
        world.settle();
        world.simulated().stall(false);
        world.settle();
        assertTrue(outcomes(world).isEmpty());
    }

    // Several causes at once.

    @Test
    void tellsTheFirstOfSeveralCausesAndAcceptsAgainOnlyWhenAllAreGone() {
        world.simulated().reportFree(false, 1_000);
        world.settle();
        world.simulated().stall(true);
        world.settle();
        world.simulated().stall(false);
        world.settle();
        assertEquals(
                List.of(ErrorCode.DISK_FLOOR, ErrorCode.LOG_STALLED, ErrorCode.DISK_FLOOR),
                accepting().stream().map(each -> each.reason().code()).toList());
        assertTrue(accepting().stream().noneMatch(ClientMessage.Accepting::accepting));
        world.simulated().reportFree(true, 1L << 40);
        world.settle();
        assertTrue(accepting().get(3).accepting());
    }

    @Test
    void refusesNewTransactionsBelowTheDiskFloorAndEndsRunningOnes() {
        GlobalTxId running = world.begin();
        var works = world.enlist(running, world.agents.get(0), world.agents.get(1));
        world.settle();
        world.simulated().reportFree(false, 1_000);
        world.settle();
        world.enlist(world.begin(), world.agents.get(0));
        world.commit(running, works, true);
        world.settle();

        assertEquals(1, world.gateway.toAgents(message -> message instanceof AgentMessage.EnlistRefused));
        assertEquals(List.of(Outcome.COMMITTED), outcomes(world));
    }

    @Test
    void aDrainThatBeginsTakesNothingThatIsRefusedAlready() {
        world.simulated().reportFree(false, 1_000);
        world.settle();
        var unused = world.engine.drain(Duration.ofSeconds(30));
        world.settle();
        world.enlist(world.begin(), world.agents.get(0));
        world.settle();
        assertEquals(List.of(ErrorCode.DISK_FLOOR), refusedEnlists());
        assertEquals(
                List.of(ErrorCode.DISK_FLOOR, ErrorCode.DRAINING),
                accepting().stream().map(each -> each.reason().code()).toList());

        world.simulated().reportFree(true, 1L << 40);
        world.settle();
        world.enlist(world.begin(), world.agents.get(0));
        world.settle();
        assertEquals(1, refusedEnlists().size(), "what its client has begun before it heard of the drain is taken");
        assertTrue(accepting().stream().noneMatch(ClientMessage.Accepting::accepting));
    }

    @Test
    void whatTheLogCannotTakeIsRefusedDuringADrainToo() {
        var unused = world.engine.drain(Duration.ofSeconds(30));
        world.settle();
        world.simulated().stall(true);
        world.settle();
        world.enlist(world.begin(), world.agents.get(0));
        world.settle();
        assertEquals(List.of(ErrorCode.LOG_STALLED), refusedEnlists());
        world.simulated().stall(false);
        world.settle();
        world.enlist(world.begin(), world.agents.get(0));
        world.settle();
        assertEquals(1, refusedEnlists().size());
        assertEquals(
                List.of(ErrorCode.DRAINING, ErrorCode.DRAINING, ErrorCode.DRAINING),
                accepting().stream().map(each -> each.reason().code()).toList());
    }

    // Stopping.

    @Test
    void drainsUntilTheRunningTransactionsHaveEnded() {
        GlobalTxId running = world.begin();
        var works = world.enlist(running, world.agents.get(0), world.agents.get(1));
        world.settle();
        CompletableFuture<Boolean> drained = world.engine.drain(Duration.ofSeconds(30));
        world.settle();
        assertFalse(drained.isDone());
        assertEquals(
                ErrorCode.DRAINING,
                Assertions.assertInstanceOf(Reason.class, world.engine.notReady())
                        .code());

        world.commit(running, works, true);
        world.settle();
        assertEquals(List.of(Outcome.COMMITTED), outcomes(world));
        // Its client had not heard that nothing more is to begin.
        GlobalTxId begun = world.begin();
        var more = world.enlist(begun, world.agents.get(0), world.agents.get(1));
        world.pass(Duration.ofSeconds(1));
        assertFalse(drained.isDone());
        world.commit(begun, more, true);
        world.settle();
        assertTrue(drained.join());
        assertEquals(List.of(Outcome.COMMITTED, Outcome.COMMITTED), outcomes(world));
        assertTrue(world.engine.isStopped());
        assertEquals(List.of(), world.heard.outlived);
    }

    @Test
    void drainsAtLeastAsLongAsWhatWasBegunMayTakeToShow() {
        world.commitTwo();
        world.settle();
        CompletableFuture<Boolean> drained = world.engine.drain(Duration.ofSeconds(30));
        world.pass(Duration.ofMillis(999));
        assertFalse(drained.isDone());
        world.pass(Duration.ofMillis(1));
        assertTrue(drained.join());
    }

    @Test
    void drainsNoLongerThanItsLimit() {
        GlobalTxId running = world.begin();
        world.agents.get(1).answers = false;
        world.commit(running, world.enlist(running, world.agents.get(0), world.agents.get(1)), true);
        world.settle();
        CompletableFuture<Boolean> drained = world.engine.drain(Duration.ofSeconds(30));
        world.pass(Duration.ofSeconds(29));
        assertFalse(drained.isDone());
        world.pass(Duration.ofSeconds(2));
        assertFalse(drained.join());
        assertEquals(List.of(Outcome.NOT_LEADER), outcomes(world));
        assertEquals(List.of(1), world.heard.outlived);
        assertFalse(world.engine.drain(Duration.ZERO).join());
    }

    // What the gateway is told.

    @Test
    void tellsEpochAndDurableBatchWithEveryFlush() {
        assertNotNull(world.gateway.flushedEpoch());
        long before = world.gateway.flushedBatch();
        world.commitTwo();
        world.settle();
        assertEquals(before + 1, world.gateway.flushedBatch());
    }

    private static boolean isDecision(AgentMessage message) {
        return message instanceof AgentMessage.CommitBranch || message instanceof AgentMessage.RollbackBranch;
    }

    private static boolean refusesNew(ClientMessage message) {
        return message instanceof ClientMessage.Accepting accepting
                && !accepting.accepting()
                && accepting.reason().code() == ErrorCode.LOG_STALLED;
    }

    private List<ClientMessage.Accepting> accepting() {
        return world.gateway.left().stream()
                .filter(sent -> sent.toClient() instanceof ClientMessage.Accepting)
                .map(sent -> (ClientMessage.Accepting) sent.toClient())
                .toList();
    }

    private List<ErrorCode> refusedEnlists() {
        return world.gateway.left().stream()
                .filter(sent -> sent.toAgent() instanceof AgentMessage.EnlistRefused)
                .map(sent ->
                        ((AgentMessage.EnlistRefused) sent.toAgent()).reason().code())
                .toList();
    }

    private static List<Outcome> outcomes(EngineWorld of) {
        return of.gateway.answers().stream().map(ClientMessage.Answer::outcome).toList();
    }
}
