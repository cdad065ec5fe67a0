package io.troth.coordinator.engine;

import io.troth.core.ClusterId;

/**
 * What a decision log found when it was opened.
 *
 * @param cluster the cluster whose decisions the log holds
 * @param highestEpoch the highest epoch number the log knows of, 0 for a new log; the next leader takes a higher one
 * @param durableBatch the number of the last batch that is in the log; an agent that has heard of a higher one proves
 *     that the log has lost an acknowledged tail
 */
public record Recovered(ClusterId cluster, long highestEpoch, long durableBatch) {}
