package io.troth.coordinator.admin;

import java.util.List;

/**
 * Part of a list.
 *
 * @param truncated true when there was more
 */
public record Listing<T>(List<T> items, boolean truncated) {

    /** What a caller gets that does not say how much it wants. */
    public static final int LIMIT = 100;

    /** The most that is given at once. */
    public static final int LIMIT_MAX = 1_000;

    public Listing {
        items = List.copyOf(items);
    }

    /** How much to list for one who asks for so much; 0 asks for the default. */
    public static int limit(int asked) {
        return asked == 0 ? LIMIT : Math.min(Math.max(asked, 1), LIMIT_MAX);
    }

    /** Of a list that was read with one more than the limit. */
    static <T> Listing<T> of(List<T> oneMore, int limit) {
        boolean truncated = oneMore.size() > limit;
        return new Listing<>(truncated ? oneMore.subList(0, limit) : oneMore, truncated);
    }
}
