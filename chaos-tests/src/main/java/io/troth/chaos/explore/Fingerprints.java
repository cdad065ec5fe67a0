package io.troth.chaos.explore;

/** 64 bits that stand for a world. */
final class Fingerprints {

    private Fingerprints() {}

    static long of(int[] world) {
        long hash = 0x243f_6a88_85a3_08d3L;
        for (int number : world) {
            hash = (hash ^ LongMap.mix(number + 0x9e37_79b9_7f4a_7c15L)) * 0xd6e8_feb8_6659_fd93L;
            hash ^= hash >>> 32;
        }
        return LongMap.mix(hash);
    }
}
