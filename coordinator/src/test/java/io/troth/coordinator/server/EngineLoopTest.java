package io.troth.coordinator.server;

import static java.lang.Thread.State.WAITING;
import static org.awaitility.Awaitility.await;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.troth.coordinator.engine.EngineWorld;
import io.troth.coordinator.engine.LiveWorld;
import io.troth.coordinator.engine.SimulatedDecisionLog;
import io.troth.coordinator.engine.StepListener;
import io.troth.core.Outcome;
import java.time.Duration;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicReference;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/** Turns run when there is something to do, for everything that is handed over, and no more when the engine has stopped. */
class EngineLoopTest {

    private static final Duration LIMIT = Duration.ofSeconds(60);

    private final ExecutorService lookups = Executors.newSingleThreadExecutor();
    private final LiveWorld world = new LiveWorld(
            new SimulatedDecisionLog().writeAtOnce(), EngineWorld.twoAgents(), StepListener.NONE, lookups);
    private final AtomicReference<Thread> made = new AtomicReference<>();
    private final ScheduledExecutorService loop = Executors.newSingleThreadScheduledExecutor(task -> {
        made.set(new Thread(task, "engine-test"));
        made.get().setDaemon(true);
        return made.get();
    });
    private final EngineLoop turns = new EngineLoop(world.engine, loop);

    @BeforeEach
    void start() {
        world.engine.start();
        turns.start();
    }

    @AfterEach
    void stop() throws Exception {
        world.engine.drain(Duration.ZERO).get(LIMIT.toSeconds(), TimeUnit.SECONDS);
        assertTrue(turns.join(LIMIT.toMillis()));
        loop.shutdownNow();
        lookups.shutdownNow();
    }

    @Test
    void sleepsWhenIdleAndWakesForWork() throws Exception {
        await().atMost(LIMIT).until(() -> world.engine.notReady() == null);
        awaitSleep();
        for (int i = 0; i < 1_000; i++) {
            assertTrue(world.engine.look(machine -> machine.view().ready()).get(LIMIT.toSeconds(), TimeUnit.SECONDS));
        }
        awaitSleep();
        made.get().interrupt();
        awaitSleep();
        world.run(500, 7);
        await().atMost(LIMIT).until(() -> world.answers.size() == 500);
        assertTrue(world.answers.values().stream().allMatch(outcome -> outcome == Outcome.COMMITTED));
    }

    private void awaitSleep() {
        await().atMost(LIMIT).until(() -> made.get().getState() == WAITING);
    }

    @Test
    void wakesForOneTimerAfterTheOther() {
        world.shortDeadlines();
        world.run(3, 3);
        await().atMost(LIMIT).until(() -> world.answers.size() == 3);
        assertTrue(world.answers.values().stream().allMatch(outcome -> outcome == Outcome.ROLLED_BACK));
    }
}
