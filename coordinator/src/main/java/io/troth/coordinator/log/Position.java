package io.troth.coordinator.log;

/**
 * A place in a replicated log.
 *
 * @param term the term of the leader that appended the entry
 * @param index the entry's number, from 0; the same on every member
 */
public record Position(long term, long index) {

    /** Before the first entry. */
    public static final Position START = new Position(0, -1);

    /**
     * Where a store stands that a cluster is founded on: before the first entry as well, and behind every empty store, so
     * that whoever has none of it needs a copy.
     */
    public static final Position FOUNDED = new Position(1, 0);
}
