package io.troth.core;

/** What a resource may be called: it travels in headers, metrics and file names, so it is kept plain. */
public final class ResourceName {

    /** The longest name, in characters. */
    public static final int LENGTH_MAX = 255;

    /** By character: a name is checked several times in each transaction. */
    private static final boolean[] ALLOWED = new boolean[128];

    static {
        "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789._-"
                .chars()
                .forEach(c -> ALLOWED[c] = true);
    }

    private ResourceName() {}

    /**
     * Returns the name when it is 1 to 255 of {@code A-Z a-z 0-9 . _ -}.
     *
     * @throws IllegalArgumentException when it is not; the message says what is allowed
     */
    public static String check(String name) {
        if (!isValid(name)) {
            throw new IllegalArgumentException(
                    "a resource name has 1 to " + LENGTH_MAX + " characters out of A-Z a-z 0-9 . _ -");
        }
        return name;
    }

    /** True when {@link #check} would return. */
    public static boolean isValid(String name) {
        if (name.isEmpty() || name.length() > LENGTH_MAX) {
            return false;
        }
        for (int i = 0; i < name.length(); i++) {
            char c = name.charAt(i);
            if (c >= ALLOWED.length || !ALLOWED[c]) {
                return false;
            }
        }
        return true;
    }
}
