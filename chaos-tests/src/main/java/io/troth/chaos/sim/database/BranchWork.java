package io.troth.chaos.sim.database;

import io.troth.agent.xa.BranchTransaction;
import java.sql.Connection;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;

/** One unprepared branch at its agent: its connection until somebody takes it away to end the branch. */
final class BranchWork {

    @Nullable
    Connection connection;

    @Nullable
    BranchTransaction transaction;

    boolean mayHaveWritten;

    /** The engine has ended it: no statement begins any more. */
    boolean ended;

    private boolean running;
    private final List<Runnable> whenIdle = new ArrayList<>();

    boolean isRunning() {
        return running;
    }

    void begins() {
        running = true;
    }

    void ends() {
        running = false;
        List<Runnable> waiting = List.copyOf(whenIdle);
        whenIdle.clear();
        waiting.forEach(Runnable::run);
    }

    /** Runs the task when no statement runs, perhaps at once. */
    void whenIdle(Runnable task) {
        if (running) {
            whenIdle.add(task);
        } else {
            task.run();
        }
    }
}
