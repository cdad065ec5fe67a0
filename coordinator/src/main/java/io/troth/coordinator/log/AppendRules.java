package io.troth.coordinator.log;

import io.troth.coordinator.engine.Recovered;
import io.troth.core.coordinator.LogRecord;

/**
 * What every decision log checks before it takes a record (protocol 3, L3). Thread-safe.
 *
 * <p>A record that breaks a rule is a bug of the caller; it is refused before anything is written.
 */
public final class AppendRules {

    private final long epochNumber;
    private boolean epochAppended;

    /**
     * Checks the start of a leadership.
     *
     * @throws IllegalArgumentException when the epoch is not higher than the recovered one
     */
    public AppendRules(long epochNumber, Recovered recovered) {
        if (epochNumber <= recovered.highestEpoch()) {
            throw new IllegalArgumentException("epoch " + epochNumber + " is not higher than the recovered epoch "
                    + recovered.highestEpoch() + " (protocol L3)");
        }
        this.epochNumber = epochNumber;
    }

    /**
     * Checks one record.
     *
     * @throws IllegalArgumentException when it must be forced and is not, when it is too large, or when the first
     *     record is not the EPOCH of this leadership or a later one is an EPOCH
     */
    public synchronized void check(LogRecord record, boolean forced) {
        RecordKind kind = RecordKind.of(record);
        if (!forced && !kind.mayBeLazy()) {
            throw new IllegalArgumentException(kind + " must be forced, never lazy");
        }
        boolean isOwnEpoch =
                record instanceof LogRecord.Epoch epoch && epoch.epoch().number() == epochNumber;
        if (epochAppended ? kind == RecordKind.EPOCH : !isOwnEpoch) {
            throw new IllegalArgumentException(
                    "EPOCH " + epochNumber + " comes first and only once (protocol L3), found " + record);
        }
        PayloadCodec.checkSize(record);
        epochAppended = true;
    }
}
