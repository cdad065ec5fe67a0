package io.troth.client.context;

import io.grpc.Context;
import io.troth.core.ErrorCode;
import io.troth.core.Reason;
import io.troth.core.TrothException;
import java.util.concurrent.Callable;
import java.util.concurrent.Executor;
import java.util.concurrent.atomic.AtomicBoolean;

/**
 * Takes a scope across threads. A wrapped task runs under the scope; the scope's end waits for it (commit) or makes T
 * rollback-only (a reply that does not wait). A task that starts after the end, or is still running at it, fails with
 * SCOPE_CLOSED: its work is not part of T. Thread-safe.
 */
public final class ScopedTasks {

    private ScopedTasks() {}

    /** The task, running under the scope. */
    public static Runnable wrap(CallScope scope, Runnable task) {
        return () -> {
            scope.enter();
            try {
                run(scope, task);
                checkOpen(scope);
            } finally {
                scope.exit();
            }
        };
    }

    /** The task, running under the scope. */
    public static <T> Callable<T> wrap(CallScope scope, Callable<T> task) {
        return () -> {
            scope.enter();
            Context bound = scope.bind(Context.current());
            Context previous = bound.attach();
            try {
                T result = task.call();
                checkOpen(scope);
                return result;
            } finally {
                bound.detach(previous);
                scope.exit();
            }
        };
    }

    /** The executor, running every task under the scope; a task counts as running from the moment it is handed over. */
    public static Executor wrap(CallScope scope, Executor executor) {
        return task -> {
            scope.enter();
            AtomicBoolean ended = new AtomicBoolean();
            try {
                executor.execute(() -> {
                    try {
                        run(scope, task);
                    } finally {
                        exitOnce(scope, ended);
                    }
                });
            } catch (RuntimeException | Error e) {
                // Perhaps the task's own, from an executor that runs it here.
                exitOnce(scope, ended);
                throw e;
            }
        };
    }

    private static void exitOnce(CallScope scope, AtomicBoolean ended) {
        if (ended.compareAndSet(false, true)) {
            scope.exit();
        }
    }

    private static void run(CallScope scope, Runnable task) {
        Context bound = scope.bind(Context.current());
        Context previous = bound.attach();
        try {
            task.run();
        } finally {
            bound.detach(previous);
        }
    }

    /** While the task counts as running: its end may be what a commit waits for, which then closes the scope. */
    private static void checkOpen(CallScope scope) {
        if (scope.isClosed()) {
            throw new TrothException(new Reason(
                    ErrorCode.SCOPE_CLOSED, "the task ran longer than its call or transaction " + scope.tx()));
        }
    }
}
