package io.troth.core;

/**
 * Why something was refused or rolled back.
 *
 * @param code the stable code out of the catalogue
 * @param detail a sentence for people that names what happened to which transaction, branch or resource; may be empty
 */
public record Reason(ErrorCode code, String detail) {

    /** The longest detail that is kept, in characters; longer text is cut. */
    public static final int DETAIL_LENGTH_MAX = 1_000;

    public Reason {
        if (detail.length() > DETAIL_LENGTH_MAX) {
            detail = detail.substring(0, DETAIL_LENGTH_MAX);
        }
    }

    public static Reason of(ErrorCode code) {
        return new Reason(code, "");
    }

    /**
     * What a peer named. A code that this build does not know becomes INTERNAL with its name in the detail: never a
     * retryable one.
     */
    public static Reason named(String code, String detail) {
        ErrorCode known = ErrorCode.named(code);
        return known == null ? new Reason(ErrorCode.INTERNAL, code + ": " + detail) : new Reason(known, detail);
    }

    @Override
    public String toString() {
        return detail.isEmpty() ? code.name() : code.name() + ": " + detail;
    }
}
