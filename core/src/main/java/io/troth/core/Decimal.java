package io.troth.core;

/** Canonical non-negative decimal numbers: digits only, no sign, no leading zero, at most {@link Long#MAX_VALUE}. */
final class Decimal {

    private static final int DIGITS_MAX = 19;

    private Decimal() {}

    /**
     * Reads a canonical decimal number.
     *
     * @param what the name of the field, for the message
     * @throws IllegalArgumentException when the text is not canonical or too large
     */
    static long parse(String what, String text) {
        boolean canonical = !text.isEmpty()
                && text.length() <= DIGITS_MAX
                && text.chars().allMatch(digit -> digit >= '0' && digit <= '9')
                && (text.length() == 1 || text.charAt(0) != '0');
        if (canonical) {
            long value = 0;
            for (int i = 0; i < text.length(); i++) {
                // Wraps to a negative number exactly when 19 digits exceed Long.MAX_VALUE.
                value = value * 10 + (text.charAt(i) - '0');
            }
            if (value >= 0) {
                return value;
            }
        }
        throw new IllegalArgumentException(what + " is not a decimal number from 0 to " + Long.MAX_VALUE);
    }
}
