package io.troth.core.coordinator;

import io.troth.core.coordinator.LogRecord.YesBranch;
import org.jspecify.annotations.Nullable;

/** One YES branch of an applied COMMIT on its way through phase 2. */
final class CommittedBranch {

    final YesBranch record;
    /** The voter's database; null when the COMMIT was recovered and nobody remembers. */
    final @Nullable String identity;

    boolean done;
    /** Where the commit was sent last; null when it never was. */
    @Nullable
    StreamId sentTo;

    int attempts;

    CommittedBranch(YesBranch record, @Nullable String identity) {
        this.record = record;
        this.identity = identity;
    }
}
