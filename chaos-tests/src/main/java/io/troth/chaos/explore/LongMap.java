package io.troth.chaos.explore;

import java.util.Arrays;

/** A map from longs to ints that are not negative: open addressing, never forgets. */
final class LongMap {

    private static final long FREE = Long.MIN_VALUE;
    private static final int FIRST_CAPACITY = 1 << 10;

    private long[] keys = new long[FIRST_CAPACITY];
    private int[] values = new int[FIRST_CAPACITY];
    private int size;

    LongMap() {
        Arrays.fill(keys, FREE);
    }

    static long pair(int high, int low) {
        return ((long) high << 32) | (low & 0xffff_ffffL);
    }

    /** Scatters the bits of a long: what differs anywhere differs everywhere. */
    static long mix(long value) {
        long mixed = (value ^ (value >>> 32)) * 0x9e37_79b9_7f4a_7c15L;
        mixed = (mixed ^ (mixed >>> 29)) * 0xbf58_476d_1ce4_e5b9L;
        return mixed ^ (mixed >>> 32);
    }

    /** The value of this key, -1 when there is none. */
    int get(long key) {
        int mask = keys.length - 1;
        int at = (int) mix(key) & mask;
        while (keys[at] != FREE) {
            if (keys[at] == key) {
                return values[at];
            }
            at = (at + 1) & mask;
        }
        return -1;
    }

    void put(long key, int value) {
        if (2 * size >= keys.length) {
            grow();
        }
        int mask = keys.length - 1;
        int at = (int) mix(key) & mask;
        while (keys[at] != FREE && keys[at] != key) {
            at = (at + 1) & mask;
        }
        size += keys[at] == FREE ? 1 : 0;
        keys[at] = key;
        values[at] = value;
    }

    int size() {
        return size;
    }

    /** The bytes that it takes beside what is in use, if so many keys more make it grow. */
    long growthBytes(int more) {
        return 2L * (size + more) >= keys.length ? 24L * keys.length : 0;
    }

    private void grow() {
        long[] oldKeys = keys;
        int[] oldValues = values;
        keys = new long[2 * oldKeys.length];
        values = new int[keys.length];
        Arrays.fill(keys, FREE);
        size = 0;
        for (int i = 0; i < oldKeys.length; i++) {
            if (oldKeys[i] != FREE) {
                put(oldKeys[i], oldValues[i]);
            }
        }
    }
}
