package io.troth.coordinator.admin;

import io.troth.core.ClusterId;
import io.troth.core.coordinator.LeaderView;

/**
 * How a coordinator is.
 *
 * @param durableBatch the highest batch of the log that is known to be durable
 */
public record CoordinatorStatus(ClusterId cluster, LeaderView leader, long durableBatch) {}
