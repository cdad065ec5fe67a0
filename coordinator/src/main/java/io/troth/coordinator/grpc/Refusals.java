package io.troth.coordinator.grpc;

import io.troth.core.ErrorCode;
import io.troth.core.Reason;
import java.util.EnumMap;
import java.util.Map;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicLong;
import java.util.function.LongSupplier;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Counts what is refused at the edge, and says at most one line a second for each code: a peer that sends nonsense must
 * not fill the log. Thread-safe.
 */
final class Refusals {

    private static final Logger LOG = LoggerFactory.getLogger(Refusals.class);
    private static final long QUIET_NANOS = TimeUnit.SECONDS.toNanos(1);

    private final EdgeListener listener;
    private final LongSupplier nanoTime;
    /** For each code the time before which it says nothing more; the map itself never changes. */
    private final Map<ErrorCode, AtomicLong> quietUntil = new EnumMap<>(ErrorCode.class);

    private final AtomicLong lines = new AtomicLong();

    Refusals(EdgeListener listener, LongSupplier nanoTime) {
        this.listener = listener;
        this.nanoTime = nanoTime;
        for (ErrorCode code : ErrorCode.values()) {
            quietUntil.put(code, new AtomicLong(nanoTime.getAsLong()));
        }
    }

    /** Counts and perhaps logs. {@code peer} says who it was, for the log line. */
    void refused(Reason reason, String peer) {
        listener.refused(reason);
        AtomicLong quiet = quietUntil.get(reason.code());
        long now = nanoTime.getAsLong();
        long until = quiet == null ? now : quiet.get();
        if (quiet != null && now - until >= 0 && quiet.compareAndSet(until, now + QUIET_NANOS)) {
            lines.incrementAndGet();
            LOG.warn("refused {}, said to {}", reason, peer);
        }
    }

    /** How many lines were written. */
    long lines() {
        return lines.get();
    }
}
