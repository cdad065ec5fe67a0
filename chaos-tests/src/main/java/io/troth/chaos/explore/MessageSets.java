package io.troth.chaos.explore;

import java.util.Arrays;

/**
 * Sets of messages, by number. A network that loses, delays, doubles and reorders is nothing but the set of what was
 * ever sent: each message in it can be delivered now, later, again, or never. So the sets only grow.
 */
final class MessageSets {

    /** The number of the set without messages. */
    static final int EMPTY = 0;

    @SuppressWarnings("ArrayRecordComponent") // With equals and hashCode of its own.
    private record Content(int[] messages) {
        @Override
        public boolean equals(Object other) {
            return other instanceof Content that && Arrays.equals(messages, that.messages);
        }

        @Override
        public int hashCode() {
            return Arrays.hashCode(messages);
        }
    }

    private final Things<Content> sets = new Things<>();
    private final LongMap added = new LongMap();

    MessageSets() {
        sets.number(new Content(new int[0]));
    }

    /** In ascending order. Not to be changed. */
    int[] of(int set) {
        return sets.get(set).messages;
    }

    int add(int set, int message) {
        long key = LongMap.pair(set, message);
        int known = added.get(key);
        if (known >= 0) {
            return known;
        }
        int[] before = of(set);
        int at = Arrays.binarySearch(before, message);
        int result = set;
        if (at < 0) {
            int[] after = new int[before.length + 1];
            int place = -at - 1;
            System.arraycopy(before, 0, after, 0, place);
            after[place] = message;
            System.arraycopy(before, place, after, place + 1, before.length - place);
            result = sets.number(new Content(after));
        }
        added.put(key, result);
        return result;
    }
}
