package io.troth.chaos.explore;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;

/**
 * Which worlds have been seen, by 64-bit fingerprint, and from which world by which step each was first reached. Takes
 * 16 bytes a world in blocks and 8 to 16 in the index.
 *
 * <p>Two worlds with the same fingerprint are taken for one, so one of them would not be explored: among n worlds that
 * happens with probability n&sup2;/2<sup>65</sup>, 3 in 10<sup>8</sup> for a million worlds, 3 in 10<sup>4</sup> for a
 * hundred million.
 */
final class StateTable {

    /** As many worlds as the largest index holds. */
    static final int WORLDS_MAX = (1 << 29) - 1;

    private static final int BLOCK_BITS = 16;
    private static final int BLOCK = 1 << BLOCK_BITS;
    private static final int FREE = -1;

    private final List<long[]> fingerprints = new ArrayList<>();
    private final List<int[]> parents = new ArrayList<>();
    private final List<int[]> steps = new ArrayList<>();
    private int[] index = new int[BLOCK];
    private int size;

    StateTable() {
        Arrays.fill(index, FREE);
    }

    int size() {
        return size;
    }

    /** The number of a world that is new, -1 when it has been seen. */
    int add(long fingerprint, int parent, int step) {
        int mask = index.length - 1;
        int at = (int) fingerprint & mask;
        while (index[at] != FREE) {
            int number = index[at];
            if (fingerprints.get(number >>> BLOCK_BITS)[number & (BLOCK - 1)] == fingerprint) {
                return -1;
            }
            at = (at + 1) & mask;
        }
        if (size == fingerprints.size() << BLOCK_BITS) {
            fingerprints.add(new long[BLOCK]);
            parents.add(new int[BLOCK]);
            steps.add(new int[BLOCK]);
        }
        int block = size >>> BLOCK_BITS;
        int place = size & (BLOCK - 1);
        fingerprints.get(block)[place] = fingerprint;
        parents.get(block)[place] = parent;
        steps.get(block)[place] = step;
        index[at] = size++;
        if (2L * size > index.length) {
            grow();
        }
        return size - 1;
    }

    /** The bytes that the index takes beside what is in use, if so many worlds more make it grow. */
    long growthBytes(int more) {
        return 2L * (size + more) > index.length ? 8L * index.length : 0;
    }

    private void grow() {
        int[] larger = new int[2 * index.length];
        Arrays.fill(larger, FREE);
        int mask = larger.length - 1;
        for (int number = 0; number < size; number++) {
            int at = (int) fingerprints.get(number >>> BLOCK_BITS)[number & (BLOCK - 1)] & mask;
            while (larger[at] != FREE) {
                at = (at + 1) & mask;
            }
            larger[at] = number;
        }
        index = larger;
    }

    /** The steps that lead from the first world to this one, in order. */
    int[] path(int number) {
        int length = 0;
        for (int at = number; at != 0; at = parent(at)) {
            length++;
        }
        int[] path = new int[length];
        for (int at = number; at != 0; at = parent(at)) {
            path[--length] = steps.get(at >>> BLOCK_BITS)[at & (BLOCK - 1)];
        }
        return path;
    }

    private int parent(int number) {
        return parents.get(number >>> BLOCK_BITS)[number & (BLOCK - 1)];
    }
}
