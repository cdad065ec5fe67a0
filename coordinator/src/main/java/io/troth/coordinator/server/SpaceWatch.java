package io.troth.coordinator.server;

import java.util.function.LongSupplier;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Says once that the disk of a member that does not lead is nearly full, and once that it is no more: nothing is refused for
 * it before it leads, or fails. One thread at a time.
 */
final class SpaceWatch {

    private static final Logger LOG = LoggerFactory.getLogger(SpaceWatch.class);

    private final LongSupplier freeBytes;
    private final long floorBytes;
    private boolean isLow;

    SpaceWatch(LongSupplier freeBytes, long floorBytes) {
        this.freeBytes = freeBytes;
        this.floorBytes = floorBytes;
    }

    /** Looks at the space now. */
    void look() {
        long free = freeBytes.getAsLong();
        boolean low = free < floorBytes;
        if (low != isLow) {
            isLow = low;
            if (low) {
                LOG.warn("{} bytes are left on this member's disk, less than log.freeFloor: free space", free);
            } else {
                LOG.info("{} bytes are free on this member's disk again", free);
            }
        }
    }
}
