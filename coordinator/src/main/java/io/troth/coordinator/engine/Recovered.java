package io.troth.coordinator.engine;

/**
 * What a decision log found when it was opened.
 *
 * @param highestEpoch the highest epoch number the log knows of, 0 for a new log
 * @param nextEpoch the epoch number that this leader takes, higher than all of those
 * @param durableBatch the number of the last batch that is in the log; an agent that has heard of a higher one proves
 *     that the log has lost an acknowledged tail
 */
public record Recovered(long highestEpoch, long nextEpoch, long durableBatch) {

    /** Of a log whose leaders count their epochs one by one. */
    public Recovered(long highestEpoch, long durableBatch) {
        this(highestEpoch, highestEpoch + 1, durableBatch);
    }
}
