package io.troth.core.coordinator;

import io.troth.core.Invariant;
import io.troth.core.ProtocolViolation;
import org.jspecify.annotations.Nullable;

/** The production assertions: checked at the write and again at the read. */
final class Invariants {

    private Invariants() {}

    /**
     * Stops the shard when the invariant does not hold.
     *
     * @param subject the transaction or epoch concerned, null when there is none; only used for the message
     * @throws ProtocolViolation when {@code holds} is false
     */
    static void check(Invariant invariant, boolean holds, @Nullable Object subject, String detail) {
        if (!holds) {
            throw new ProtocolViolation(invariant, subject == null ? detail : subject + ": " + detail);
        }
    }
}
