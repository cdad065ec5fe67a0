package io.troth.core.participant;

import io.troth.core.Reason;
import org.jspecify.annotations.Nullable;

/**
 * How one attempt to finish a prepared branch ended at the database (protocol 9.3, 10.2).
 *
 * @param kind what happened
 * @param detail for people; empty when there is nothing to say
 * @param reason with {@link Kind#NOT_YET} only
 */
public record PhaseTwoCompletion(
        Kind kind, String detail, @Nullable Reason reason) {

    /** What happened. */
    public enum Kind {
        /** The database did it, or its proof says that it had been done. */
        DONE,
        /** Not known, not in a list of prepared xids read afterwards, and nothing tells how it was finished. */
        RESOLVED_ELSEWHERE,
        /** Somebody had finished it the other way. */
        HEURISTIC,
        /** Anything else: tried again. */
        NOT_YET
    }

    public static PhaseTwoCompletion done() {
        return new PhaseTwoCompletion(Kind.DONE, "", null);
    }

    public static PhaseTwoCompletion resolvedElsewhere(String detail) {
        return new PhaseTwoCompletion(Kind.RESOLVED_ELSEWHERE, detail, null);
    }

    public static PhaseTwoCompletion heuristic(String detail) {
        return new PhaseTwoCompletion(Kind.HEURISTIC, detail, null);
    }

    public static PhaseTwoCompletion notYet(Reason reason) {
        return new PhaseTwoCompletion(Kind.NOT_YET, "", reason);
    }
}
