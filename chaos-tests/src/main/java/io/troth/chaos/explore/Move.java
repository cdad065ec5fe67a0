package io.troth.chaos.explore;

import io.troth.core.coordinator.LogRecord;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * What one input makes of one part of the world, and what the part does to the others. Computed once for each pair of
 * state and input, then looked up.
 *
 * @param next the number of the part's new state
 * @param sends pairs: the receiver's place among the inboxes, the number of the message
 * @param answers what clients were told, as {@link Answers} packs it
 * @param records handed to the log, in this order
 * @param purge what the log may forget, null when nothing
 * @param database what happens in the agent's database at once, as numbers of {@link Databases} inputs
 * @param wrong what is broken, null when nothing
 */
@SuppressWarnings("ArrayRecordComponent") // Read millions of times, never compared, never changed.
record Move(
        int next,
        int[] sends,
        int answers,
        List<LogRecord> records,
        LogRecord.@Nullable Horizon purge,
        int[] database,
        @Nullable String wrong) {

    static final int[] NOTHING = {};

    /** True when it changes nothing anywhere, if this was the state. */
    boolean isNothing(int state) {
        return next == state
                && sends.length == 0
                && answers == 0
                && database.length == 0
                && records.isEmpty()
                && purge == null
                && wrong == null;
    }

    static Move wrong(int state, String what) {
        return new Move(state, NOTHING, 0, List.of(), null, NOTHING, what);
    }

    static Move to(int next, int[] sends) {
        return new Move(next, sends, 0, List.of(), null, NOTHING, null);
    }
}
