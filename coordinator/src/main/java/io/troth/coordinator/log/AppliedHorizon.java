package io.troth.coordinator.log;

import io.troth.core.coordinator.LogRecord;
import java.util.Comparator;
import org.jspecify.annotations.Nullable;

/** The highest HORIZON that a leader knows to be applied: the limit of its purges (protocol 9.4). Thread-safe. */
public final class AppliedHorizon {

    /** By epoch, then by session. */
    public static final Comparator<LogRecord.Horizon> ORDER =
            Comparator.comparing(LogRecord.Horizon::epoch).thenComparingLong(LogRecord.Horizon::session);

    private LogRecord.@Nullable Horizon highest;

    /** One was applied, now or before; null changes nothing. */
    public synchronized void applied(LogRecord.@Nullable Horizon horizon) {
        if (horizon != null && (highest == null || ORDER.compare(horizon, highest) > 0)) {
            highest = horizon;
        }
    }

    /**
     * Refuses a purge beyond it.
     *
     * @throws IllegalArgumentException when no such HORIZON, or a later one, was applied
     */
    public synchronized void checkPurge(LogRecord.Horizon horizon) {
        if (highest == null || ORDER.compare(horizon, highest) > 0) {
            throw new IllegalArgumentException(
                    "purge up to " + horizon + " although the applied HORIZON is " + highest + " (protocol 9.4)");
        }
    }
}
