package io.troth.coordinator.log;

import io.troth.core.ClusterId;
import java.nio.file.Path;
import org.jspecify.annotations.Nullable;

/**
 * What an operator can set.
 *
 * @param directory the data directory; made when it does not exist
 * @param cluster the cluster the log must belong to, or null to take the log's (a new log then draws one)
 * @param recordsPerBatchMax the most records that share one write and flush
 * @param lazyIdleMillis a lazy record that finds no forced one to go with is written alone after this time
 * @param stallLimitMillis a write that takes longer is reported as stalled
 * @param freeFloorBytes the free space under which new transactions are to be refused, so that running ones can end
 */
public record LogSettings(
        Path directory,
        @Nullable ClusterId cluster,
        int recordsPerBatchMax,
        long lazyIdleMillis,
        long stallLimitMillis,
        long freeFloorBytes) {

    /** The records that share one write by default. */
    public static final int RECORDS_PER_BATCH_MAX = 1_024;

    public LogSettings {
        if (recordsPerBatchMax < 1 || lazyIdleMillis < 1 || stallLimitMillis < 1 || freeFloorBytes < 0) {
            throw new IllegalArgumentException("limits of the log must be positive");
        }
    }

    /** The defaults of the product: 1,024 records, 1 s idle, 10 s stall limit, a floor of 256 MiB. */
    public static LogSettings defaults(Path directory) {
        return new LogSettings(directory, null, RECORDS_PER_BATCH_MAX, 1_000, 10_000, 256L << 20);
    }
}
