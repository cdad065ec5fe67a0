package io.troth.coordinator.log;

import java.util.List;
import java.util.Map;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;

/**
 * What an inspection of a data directory found.
 *
 * @param incarnation who the log is, null when that cannot be read
 * @param lastBatch the last batch and its epoch, null when the database cannot be opened
 * @param applied the last entry of Raft's log that a member has applied; null when the log is no member's, or not readable
 * @param highestEpoch the highest epoch number that was read
 * @param records how many records of each kind were read
 * @param notes what is unusual and not wrong, such as a torn tail
 * @param damages what is wrong; a coordinator does not start on it
 */
public record LogReport(
        @Nullable Incarnation incarnation,
        @Nullable Watermark lastBatch,
        @Nullable Position applied,
        long highestEpoch,
        Map<RecordKind, Integer> records,
        List<String> notes,
        List<String> damages) {

    public LogReport {
        records = Map.copyOf(records);
        notes = List.copyOf(notes);
        damages = List.copyOf(damages);
    }

    /** The same, with more that was found. */
    public LogReport with(List<String> moreNotes, List<String> moreDamages) {
        return new LogReport(
                incarnation,
                lastBatch,
                applied,
                highestEpoch,
                records,
                joined(notes, moreNotes),
                joined(damages, moreDamages));
    }

    private static List<String> joined(List<String> some, List<String> more) {
        return Stream.concat(some.stream(), more.stream()).toList();
    }

    /** Whether a coordinator would start on it. */
    public boolean isGood() {
        return damages.isEmpty();
    }
}
