package io.troth.coordinator.engine;

import io.troth.core.GlobalTxId;
import io.troth.core.coordinator.LogEntry;
import io.troth.core.coordinator.LogRecord;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;

/**
 * The decision log as the protocol needs it (protocol 3, L1-L5), for one leadership. Life: {@link #recover} once, {@link
 * #start} once, then appends until {@link #close}. On a log with several members each leadership of a member has an
 * object of its own. {@code DecisionLogContract} in the tests holds for every implementation.
 */
public interface DecisionLog extends AutoCloseable {

    /**
     * Replays what the log holds, once, before the first append: every EPOCH in order, then DISTRUST, HORIZON and
     * HEURISTIC, then each COMMIT without END, each with the epoch of the leader that appended it. COMMITs with END
     * are left to {@link #find}.
     *
     * @throws LeadershipLostException when this leadership is over already
     * @throws RuntimeException when the log is damaged; the process must not go on with it
     */
    Recovered recover(Consumer<LogEntry> applier);

    /**
     * Starts writing. The first append must be the EPOCH record with this number. A leadership that is over already is
     * reported as failed.
     *
     * @param epochNumber the epoch that every appended record carries: {@link Recovered#nextEpoch}
     * @param listener called in append order
     */
    void start(long epochNumber, LogListener listener);

    /**
     * Hands a record over. Thread-safe, never blocks. After a failure or the close it has no effect.
     *
     * @param forced true: durable before it is applied, which EPOCH, COMMIT, DISTRUST and HEURISTIC must be; false:
     *     written with the next forced record, or alone after an idle time, and lost with the machine until then
     * @throws IllegalArgumentException when the record may not be lazy, is larger than a record may be, or is not the
     *     EPOCH that must come first
     */
    void append(LogRecord record, boolean forced);

    /**
     * The applied COMMIT of T, ended or not, or null when there is none or it was purged. Any thread; may read from
     * disk.
     *
     * @throws IllegalStateException when the log has failed or is closed
     */
    LogRecord.@Nullable Commit find(GlobalTxId tx);

    /**
     * Lets the log delete COMMITs with END and HEURISTICs up to and including the horizon, some time later. Thread-safe,
     * never blocks. A COMMIT without END is never deleted (protocol 9.4).
     *
     * @throws IllegalArgumentException when no such HORIZON, or a later one, was applied
     */
    void purge(LogRecord.Horizon horizon);

    /** Writes what was handed over, as far as that still goes, then releases everything. Idempotent. */
    @Override
    void close();
}
