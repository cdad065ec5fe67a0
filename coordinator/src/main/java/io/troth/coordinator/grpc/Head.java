package io.troth.coordinator.grpc;

import io.troth.core.EpochId;
import org.jspecify.annotations.Nullable;

/**
 * What stands above every batch.
 *
 * @param epoch null until this coordinator is ready
 * @param durableBatch the highest batch number of the log that is known to be durable
 */
record Head(@Nullable EpochId epoch, long durableBatch) {

    static final Head NOT_READY = new Head(null, 0);

    boolean isReady() {
        return epoch != null;
    }
}
