package io.troth.coordinator.engine;

import io.troth.core.GlobalTxId;
import io.troth.core.coordinator.LogRecord;
import java.util.concurrent.RejectedExecutionException;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;

/** Looks for COMMITs in the log beside the engine thread, because the log may have to read from disk. Thread-safe. */
final class LogLookups {

    /** Takes what was found, null when there is no such COMMIT. */
    @FunctionalInterface
    interface Found {
        void found(GlobalTxId tx, LogRecord.@Nullable Commit commit);
    }

    private final EnginePorts ports;
    private final Found found;
    private final Consumer<Throwable> failed;

    /** {@code failed}: absence would be an answer, but that the log cannot be read is none. Both come on any thread. */
    LogLookups(EnginePorts ports, Found found, Consumer<Throwable> failed) {
        this.ports = ports;
        this.found = found;
        this.failed = failed;
    }

    void lookUp(GlobalTxId tx) {
        try {
            ports.lookups().execute(() -> find(tx));
        } catch (RejectedExecutionException e) {
            failed.accept(e);
        }
    }

    private void find(GlobalTxId tx) {
        LogRecord.Commit commit;
        try {
            commit = ports.log().find(tx);
        } catch (Throwable e) {
            // An Error too: else those who asked would wait for ever, and the engine would not know.
            failed.accept(e);
            return;
        }
        found.found(tx, commit);
    }
}
