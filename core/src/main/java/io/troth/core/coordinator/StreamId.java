package io.troth.core.coordinator;

/**
 * One connection of a client or an agent to this coordinator process. Never reused within the process: what was said
 * on a broken stream can not be mistaken for something said on its successor.
 */
public record StreamId(long value) implements Comparable<StreamId> {
    @Override
    public int compareTo(StreamId other) {
        return Long.compare(value, other.value);
    }
}
