package io.troth.core.participant;

import io.troth.core.Proof;
import io.troth.core.Reason;
import org.jspecify.annotations.Nullable;

/**
 * How the prepare of a branch ended at its database (protocol 7.1).
 *
 * @param kind what happened
 * @param proof with {@link Kind#PREPARED} only: by which the database can later tell the branch's fate; null when it
 *     cannot
 * @param reason with {@link Kind#REFUSED} and {@link Kind#LOST} only
 */
public record PrepareResult(
        Kind kind, @Nullable Proof proof, @Nullable Reason reason) {

    /** What happened. */
    public enum Kind {
        /** The database made the prepare durable, and it is known that it really did (protocol 10.1). */
        PREPARED,
        /** Nothing was written, and the database has committed the branch. */
        READ_ONLY,
        /** Nothing of the branch is left: refused, failed, or its commit as a read-only branch failed. */
        REFUSED,
        /** The answer was lost: the branch may be prepared, or may become so later. */
        LOST
    }

    public static PrepareResult prepared(@Nullable Proof proof) {
        return new PrepareResult(Kind.PREPARED, proof, null);
    }

    public static PrepareResult readOnly() {
        return new PrepareResult(Kind.READ_ONLY, null, null);
    }

    public static PrepareResult refused(Reason reason) {
        return new PrepareResult(Kind.REFUSED, null, reason);
    }

    public static PrepareResult lost(Reason reason) {
        return new PrepareResult(Kind.LOST, null, reason);
    }
}
