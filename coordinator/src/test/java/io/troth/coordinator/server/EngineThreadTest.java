package io.troth.coordinator.server;

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
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicReference;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/** The thread sleeps when there is nothing to do, wakes for everything that is handed over, and ends with the engine. */
class EngineThreadTest {

    private static final Duration LIMIT = Duration.ofSeconds(60);

    private final ExecutorService lookups = Executors.newSingleThreadExecutor();
    private final LiveWorld world = new LiveWorld(
            new SimulatedDecisionLog(EngineWorld.CLUSTER).writeAtOnce(),
            EngineWorld.twoAgents(),
            StepListener.NONE,
            lookups);
    private final AtomicReference<Thread> made = new AtomicReference<>();
    private final EngineThread thread = new EngineThread(world.engine, task -> {
        made.set(new Thread(task, "engine-test"));
        made.get().setDaemon(true);
        return made.get();
    });

    @BeforeEach
    void start() {
        world.engine.start();
        thread.start();
    }

    @AfterEach
    void stop() throws Exception {
        world.engine.drain(Duration.ZERO).get(LIMIT.toSeconds(), TimeUnit.SECONDS);
        assertTrue(thread.join(LIMIT.toMillis()));
        lookups.shutdownNow();
    }

    @Test
    void sleepsWhenIdleAndWakesForWork() throws Exception {
        await().atMost(LIMIT).until(() -> world.engine.notReady() == null);
        await().atMost(LIMIT).until(() -> made.get().getState() == Thread.State.WAITING);
        for (int i = 0; i < 1_000; i++) {
            assertTrue(world.engine.look(machine -> machine.view().ready()).get(LIMIT.toSeconds(), TimeUnit.SECONDS));
        }
        await().atMost(LIMIT).until(() -> made.get().getState() == Thread.State.WAITING);
        made.get().interrupt();
        await().atMost(LIMIT).until(() -> made.get().getState() == Thread.State.WAITING);
        world.run(500, 7);
        await().atMost(LIMIT).until(() -> world.answers.size() == 500);
        assertTrue(world.answers.values().stream().allMatch(outcome -> outcome == Outcome.COMMITTED));
    }

    @Test
    void wakesForATimer() {
        world.shortDeadlines();
        world.run(1, 1);
        await().atMost(LIMIT).until(() -> world.answers.containsValue(Outcome.ROLLED_BACK));
    }
}
