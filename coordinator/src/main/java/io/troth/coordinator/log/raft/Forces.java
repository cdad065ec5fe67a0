package io.troth.coordinator.log.raft;

import org.apache.ratis.metrics.MetricRegistries;
import org.apache.ratis.metrics.RatisMetricRegistry;
import org.apache.ratis.metrics.impl.RatisMetricRegistryImpl;
import org.apache.ratis.thirdparty.com.codahale.metrics.Metric;
import org.apache.ratis.thirdparty.com.codahale.metrics.Snapshot;
import org.apache.ratis.thirdparty.com.codahale.metrics.Timer;

/**
 * What Ratis has measured of forcing its log to the disk.
 *
 * @param count how often
 * @param medianNanos of late; 0 before the first time
 * @param p99Nanos of late; 0 before the first time
 */
record Forces(long count, long medianNanos, long p99Nanos) {

    private static final Forces NONE = new Forces(0, 0, 0);

    /** In Ratis' words; the tests see whether it still is. */
    private static final String TIMER = "flushTime";

    /** Those of a member of this process. */
    static Forces of(MemberId member) {
        String prefix = member.raftId() + "@";
        for (RatisMetricRegistry registry : MetricRegistries.global().getMetricRegistries()) {
            boolean isIts = registry.getMetricRegistryInfo().getPrefix().startsWith(prefix);
            Metric timer = isIts && registry instanceof RatisMetricRegistryImpl known ? known.get(TIMER) : null;
            if (timer instanceof Timer found) {
                Snapshot late = found.getSnapshot();
                return new Forces(found.getCount(), (long) late.getMedian(), (long) late.get99thPercentile());
            }
        }
        return NONE;
    }
}
