package io.troth.core;

/** Fixed-width lower-case hexadecimal, the text form of every random identifier in Troth. */
final class Hex {

    static final int DIGITS_PER_LONG = 16;

    private Hex() {}

    /** Sixteen digits, most significant first. */
    static String of(long value) {
        StringBuilder text = new StringBuilder(DIGITS_PER_LONG);
        for (int shift = 60; shift >= 0; shift -= 4) {
            text.append(Character.forDigit((int) (value >>> shift) & 0xf, 16));
        }
        return text.toString();
    }

    /**
     * Reads exactly sixteen lower-case digits.
     *
     * @throws IllegalArgumentException when the text has another length or another character
     */
    static long parse(String text) {
        if (text.length() != DIGITS_PER_LONG) {
            throw new IllegalArgumentException(
                    "expected 16 hexadecimal digits, found " + text.length() + " characters");
        }
        long value = 0;
        for (int i = 0; i < text.length(); i++) {
            char digit = text.charAt(i);
            boolean valid = (digit >= '0' && digit <= '9') || (digit >= 'a' && digit <= 'f');
            if (!valid) {
                throw new IllegalArgumentException("not a lower-case hexadecimal digit at position " + i);
            }
            value = (value << 4) | Character.digit(digit, 16);
        }
        return value;
    }
}
