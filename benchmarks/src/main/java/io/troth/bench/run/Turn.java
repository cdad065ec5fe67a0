package io.troth.bench.run;

import java.util.List;
import org.HdrHistogram.Histogram;

/**
 * What one contender did in one turn.
 *
 * @param round from 1
 * @param startNanos when it began, since the beginning of the run
 * @param nanos how long it was measured
 * @param committed transactions that ended well while it was measured
 * @param failed transactions that did not commit
 * @param latency of those that ended well, in ns
 * @param timeline how many ended in each {@link #TIMELINE_MILLIS}
 * @param cpu CPU time of all processes meanwhile
 * @param forced how often the contender forced its log meanwhile
 */
public record Turn(
        String contender,
        int inFlight,
        int round,
        long startNanos,
        long nanos,
        long committed,
        long failed,
        Histogram latency,
        List<Long> timeline,
        CpuUse cpu,
        long forced) {

    /** The width of a bar of the timeline. */
    public static final int TIMELINE_MILLIS = 100;

    private static final double NANOS_PER_SECOND = 1e9;
    private static final double NANOS_PER_MICRO = 1e3;

    public Turn {
        timeline = List.copyOf(timeline);
    }

    /** Transactions per second. */
    public double throughput() {
        return committed * NANOS_PER_SECOND / nanos;
    }

    /** In ms. */
    public double latencyMillis(double percentile) {
        return latency.getValueAtPercentile(percentile) / 1e6;
    }

    /** CPU-µs of all processes per transaction. */
    public double cpuMicros() {
        return cpu.total() / NANOS_PER_MICRO / Math.max(1, committed);
    }
}
