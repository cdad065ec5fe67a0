package io.troth.coordinator.engine;

import io.troth.core.coordinator.LogEntry;
import java.util.List;

/**
 * Hears what became of the appended records. {@link #applied} and {@link #failed} come on the log's thread, the other
 * two on any one thread of the log. An implementation hands over and returns: the log waits for it.
 */
public interface LogListener {

    /**
     * These entries are in the log, in append order: forced ones durably, lazy ones perhaps not yet. A COMMIT that the
     * record fence dropped (protocol 3) is reported too, with its entry epoch, but is not in the log.
     *
     * @param entries in the order of their appends, without gaps
     * @param durableBatch the highest batch number that is known to be durable
     */
    void applied(List<LogEntry> entries, long durableBatch);

    /**
     * A write failed, or the leadership is lost ({@link LeadershipLostException}). Which of the records not yet applied
     * are in the log is unknown; nothing is written or reported any more, and the leader must stop (protocol L4, L5): the
     * whole process, unless it has only lost the leadership. Comes at most once.
     */
    void failed(Throwable cause);

    /** True: a write hangs longer than the stall limit. False: it has returned (and was applied or failed). */
    void stalled(boolean stalled);

    /**
     * The free space of the log's disk has crossed the floor.
     *
     * @param aboveFloor false when there is too little for new transactions; a log starts out above
     * @param freeBytes what is left
     */
    void free(boolean aboveFloor, long freeBytes);
}
