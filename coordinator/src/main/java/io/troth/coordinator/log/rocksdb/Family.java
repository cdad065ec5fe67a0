package io.troth.coordinator.log.rocksdb;

import java.nio.charset.StandardCharsets;

/** The column families. All are flushed together, so that one log file serves them all. */
enum Family {
    /** The log's own bookkeeping: see {@link io.troth.coordinator.log.Meta}. */
    META("default"),
    EPOCH("epoch"),
    /** COMMIT without END: what recovery reads. */
    OPEN("open"),
    /** COMMIT with END: kept for questions until the purge. */
    ENDED("ended"),
    /** HORIZON, DISTRUST, HEURISTIC. */
    CONTROL("control");

    private final String familyName;

    Family(String familyName) {
        this.familyName = familyName;
    }

    byte[] nameBytes() {
        return familyName.getBytes(StandardCharsets.US_ASCII);
    }

    @Override
    public String toString() {
        return familyName;
    }
}
