package io.troth.coordinator.log.rocksdb;

import static org.awaitility.Awaitility.await;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.troth.coordinator.engine.CoordinatorEngine;
import io.troth.coordinator.engine.EngineWorld;
import io.troth.coordinator.engine.FakeAgent;
import io.troth.coordinator.engine.LiveWorld;
import io.troth.coordinator.engine.StepListener;
import io.troth.coordinator.log.LogSettings;
import io.troth.coordinator.server.EngineLoop;
import io.troth.core.ErrorCode;
import io.troth.core.GlobalTxId;
import io.troth.core.Outcome;
import io.troth.core.Reason;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicReference;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/**
 * Engine, its turns and the RocksDB log in one process: batching under load, a committer that is left paused while
 * the next process recovers from its files, and a disk that fails or hangs (test plan, pitfalls 2, 7 and 21).
 */
class EngineOnRocksDbTest {

    private static final Duration LIMIT = Duration.ofSeconds(60);

    @TempDir
    Path temporary;

    private final ExecutorService lookups = Executors.newSingleThreadExecutor();
    /** One for each engine: a paused committer pauses its own. */
    private final List<ScheduledExecutorService> loops = new ArrayList<>();

    private final AtomicInteger forcedWrites = new AtomicInteger();
    private final AtomicInteger recordsWritten = new AtomicInteger();
    private final AtomicReference<FaultyWriter> writer = new AtomicReference<>();

    @AfterEach
    void endThreads() {
        lookups.shutdownNow();
        loops.forEach(ExecutorService::shutdownNow);
    }

    @Test
    void sharesForcedWritesAndFramesUnderLoad() throws Exception {
        int transactions = 2_000;
        RocksDbDecisionLog log = open(Files.createDirectory(temporary.resolve("data")), 1_024);
        LiveWorld world = new LiveWorld(log, EngineWorld.twoAgents(), StepListener.NONE, lookups);
        EngineLoop turns = start(world);
        int before = forcedWrites.get();
        world.run(transactions, 64);
        await().atMost(LIMIT).until(() -> world.answers.size() == transactions);

        assertTrue(world.answers.values().stream().allMatch(outcome -> outcome == Outcome.COMMITTED));
        int forced = forcedWrites.get() - before;
        assertTrue(forced <= transactions / 4, forced + " forced writes for " + transactions);
        double batch = (double) world.entriesSent.get() / world.framesSent.get();
        assertTrue(batch >= 8, "entries in a frame: " + batch);
        stop(world.engine, turns, log);
    }

    @ParameterizedTest
    @ValueSource(ints = {1, 1_024})
    void theNextProcessFinishesWhatAPausedCommitterHasDecided(int recordsPerBatchMax) throws Exception {
        Path first = Files.createDirectory(temporary.resolve("first"));
        List<FakeAgent> agents = EngineWorld.twoAgents();
        CountDownLatch paused = new CountDownLatch(1);
        CountDownLatch goesOn = new CountDownLatch(1);
        AtomicInteger appended = new AtomicInteger(1);
        Set<GlobalTxId> seen = ConcurrentHashMap.newKeySet();
        StepListener pauses = (point, tx) -> {
            seen.add(tx);
            if (point == StepListener.Point.AFTER_APPEND_COMMIT || point == StepListener.Point.AFTER_APPEND_END) {
                appended.incrementAndGet();
            } else if (point == StepListener.Point.AFTER_COMMIT_DURABLE && seen.size() > 100) {
                paused.countDown();
                awaitQuietly(goesOn);
            }
        };
        RocksDbDecisionLog log = open(first, recordsPerBatchMax);
        LiveWorld world = new LiveWorld(log, agents, pauses, lookups);
        EngineLoop turns = start(world);
        world.run(1_000, 16);
        assertTrue(paused.await(LIMIT.toSeconds(), TimeUnit.SECONDS));
        await().atMost(LIMIT).until(() -> recordsWritten.get() == appended.get());
        assertTrue(agents.stream().anyMatch(FakeAgent::isInDoubt), "the pause has left branches in doubt");

        Path second = Files.createDirectory(temporary.resolve("second"));
        Logs.copy(first, second);
        RocksDbDecisionLog copy = open(second, recordsPerBatchMax);
        LiveWorld next = new LiveWorld(copy, agents, StepListener.NONE, lookups);
        EngineLoop nextTurns = start(next);
        next.run(0, 0);
        await().atMost(LIMIT)
                .until(() -> next.engine
                        .look(machine ->
                                machine.view().unended() == 0 && agents.stream().noneMatch(FakeAgent::isInDoubt))
                        .get());

        for (GlobalTxId tx : seen) {
            assertEquals(agents.get(0).hasCommitted(tx), agents.get(1).hasCommitted(tx), tx.toString());
        }
        world.answers.forEach((tx, outcome) -> {
            assertEquals(Outcome.COMMITTED, outcome);
            assertTrue(agents.get(0).hasCommitted(tx));
        });
        world.goDeaf();
        goesOn.countDown();
        stop(world.engine, turns, log);
        stop(next.engine, nextTurns, copy);
    }

    @Test
    void nobodyHearsOfACommitWhoseFlushFailedAndTheNextProcessTells() throws Exception {
        Path directory = Files.createDirectory(temporary.resolve("data"));
        List<FakeAgent> agents = EngineWorld.twoAgents();
        RocksDbDecisionLog log = open(directory, 1_024);
        LiveWorld world = new LiveWorld(log, agents, StepListener.NONE, lookups);
        EngineLoop turns = start(world);
        writer.get().next(FaultyWriter.Fault.FAILS_WRITTEN);
        world.run(1, 1);
        await().atMost(LIMIT).until(world.engine::isStopped);
        assertTrue(turns.join(LIMIT.toMillis()));

        assertEquals(1, world.failures.get());
        assertEquals(List.of(Outcome.NOT_LEADER), List.copyOf(world.answers.values()));
        assertTrue(agents.stream().allMatch(FakeAgent::isInDoubt));
        GlobalTxId tx = world.answers.keySet().iterator().next();
        await().atMost(LIMIT).until(log::tryClose);

        RocksDbDecisionLog again = open(directory, 1_024);
        LiveWorld next = new LiveWorld(again, agents, StepListener.NONE, lookups);
        EngineLoop nextTurns = start(next);
        next.run(0, 0);
        await().atMost(LIMIT)
                .until(() -> next.engine
                        .look(machine -> agents.stream().noneMatch(FakeAgent::isInDoubt))
                        .get());
        next.ask(tx);
        await().atMost(LIMIT).until(() -> next.answers.get(tx) == Outcome.COMMITTED);
        stop(next.engine, nextTurns, again);
    }

    @Test
    void saysNothingWhileAFlushHangsAndGoesOnWhenItReturns() throws Exception {
        Path directory = Files.createDirectory(temporary.resolve("data"));
        List<FakeAgent> agents = EngineWorld.twoAgents();
        RocksDbDecisionLog log = open(directory, 1_024);
        LiveWorld world = new LiveWorld(log, agents, StepListener.NONE, lookups);
        EngineLoop turns = start(world);
        writer.get().next(FaultyWriter.Fault.HANGS);
        world.run(1, 1);
        await().atMost(LIMIT).until(() -> {
            Reason reason = world.engine.notReady();
            return reason != null && reason.code() == ErrorCode.LOG_STALLED;
        });
        assertTrue(world.answers.isEmpty());
        assertTrue(agents.stream().allMatch(FakeAgent::isInDoubt));

        writer.get().release();
        await().atMost(LIMIT).until(() -> world.answers.containsValue(Outcome.COMMITTED));
        await().atMost(LIMIT).until(() -> world.engine.notReady() == null);
        stop(world.engine, turns, log);
    }

    private RocksDbDecisionLog open(Path directory, int recordsPerBatchMax) {
        forcedWrites.set(0);
        recordsWritten.set(0);
        return RocksDbDecisionLog.open(
                new LogSettings(directory, Logs.CLUSTER, recordsPerBatchMax, 20, 500, 0),
                Logs.environment((records, forced, nanos) -> {
                    recordsWritten.addAndGet(records);
                    forcedWrites.addAndGet(forced ? 1 : 0);
                }),
                store -> {
                    writer.set(new FaultyWriter(store));
                    return writer.get();
                },
                () -> Long.MAX_VALUE);
    }

    private EngineLoop start(LiveWorld world) {
        ScheduledExecutorService loop = Executors.newSingleThreadScheduledExecutor();
        loops.add(loop);
        EngineLoop turns = new EngineLoop(world.engine, loop);
        world.engine.start();
        turns.start();
        await().atMost(LIMIT).until(() -> world.engine.notReady() == null);
        return turns;
    }

    private static void stop(CoordinatorEngine engine, EngineLoop turns, RocksDbDecisionLog log) throws Exception {
        engine.drain(Duration.ZERO).get(LIMIT.toSeconds(), TimeUnit.SECONDS);
        assertTrue(turns.join(LIMIT.toMillis()));
        await().atMost(LIMIT).until(log::tryClose);
    }

    private static void awaitQuietly(CountDownLatch latch) {
        try {
            latch.await();
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
    }
}
