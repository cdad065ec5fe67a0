package io.troth.coordinator.log;

/** What a meter wants to know of the log. Called on the log's thread: it must return at once. */
public interface LogObserver {

    /** Does nothing. */
    LogObserver NONE = (records, forced, nanos) -> {};

    /**
     * A batch was written.
     *
     * @param records how many records it held
     * @param forced whether it was flushed to disk before it was reported
     * @param nanos how long writing and flushing took
     */
    void written(int records, boolean forced, long nanos);
}
