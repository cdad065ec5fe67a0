package io.troth.chaos.explore;

import java.util.ArrayDeque;
import java.util.Deque;

/** Worlds that wait to be explored, first in, first out; in blocks, so that what has been taken is free again. */
final class Frontier {

    private static final int WORLDS_PER_BLOCK = 4_096;

    private final int width;
    private final Deque<int[]> blocks = new ArrayDeque<>();
    private int written = WORLDS_PER_BLOCK;
    private int read = WORLDS_PER_BLOCK;
    private int[] reading = {};
    private int size;

    /** {@code width}: how many numbers a world has; its own number in the table comes on top. */
    Frontier(int width) {
        this.width = width + 1;
    }

    boolean isEmpty() {
        return size == 0;
    }

    void add(int number, int[] world) {
        if (written == WORLDS_PER_BLOCK) {
            blocks.add(new int[WORLDS_PER_BLOCK * width]);
            written = 0;
        }
        int[] block = blocks.getLast();
        int at = written++ * width;
        block[at] = number;
        System.arraycopy(world, 0, block, at + 1, width - 1);
        size++;
    }

    /** Copies the oldest world, and returns its number in the table. */
    int take(int[] world) {
        if (read == WORLDS_PER_BLOCK) {
            reading = blocks.getFirst();
            read = 0;
        }
        int at = read++ * width;
        size--;
        System.arraycopy(reading, at + 1, world, 0, width - 1);
        int number = reading[at];
        if (read == WORLDS_PER_BLOCK) {
            blocks.removeFirst();
        }
        return number;
    }
}
