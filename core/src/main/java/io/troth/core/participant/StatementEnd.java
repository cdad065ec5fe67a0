package io.troth.core.participant;

import io.troth.core.Reason;
import org.jspecify.annotations.Nullable;

/**
 * How a statement or a fetch of a branch ended.
 *
 * @param kind what happened
 * @param reason with {@link Kind#FAILED} and {@link Kind#CONNECTION_LOST} only
 */
public record StatementEnd(Kind kind, @Nullable Reason reason) {

    /** What happened. */
    public enum Kind {
        COMPLETED,
        /** The branch votes NO unless a rollback to a savepoint undoes the failure. */
        FAILED,
        /** A rollback to a savepoint: an earlier failure counts no more. */
        UNDONE,
        /** The branch is dead (protocol 5.3). */
        CONNECTION_LOST
    }

    public static StatementEnd completed() {
        return new StatementEnd(Kind.COMPLETED, null);
    }

    public static StatementEnd failed(Reason reason) {
        return new StatementEnd(Kind.FAILED, reason);
    }

    public static StatementEnd undone() {
        return new StatementEnd(Kind.UNDONE, null);
    }

    public static StatementEnd connectionLost(Reason reason) {
        return new StatementEnd(Kind.CONNECTION_LOST, reason);
    }
}
