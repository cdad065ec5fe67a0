package io.troth.coordinator.log.raft;

import io.troth.coordinator.log.DamagedRecordException;
import io.troth.coordinator.log.Incarnation;
import io.troth.coordinator.log.LogRefusal;
import io.troth.coordinator.log.LogRefusedException;
import io.troth.coordinator.log.LogReport;
import io.troth.coordinator.log.Position;
import java.io.IOException;
import java.nio.file.Path;
import java.util.List;

/** Reads what a data directory has beside its store when it is that of a member, and changes nothing. Any thread. */
public final class MemberInspection {

    private MemberInspection() {}

    /**
     * Adds to the report of a store who the member is, how far Raft's log goes, and what is damaged of it or missing.
     *
     * @return the same report when the directory is no member's
     */
    public static LogReport inspect(Path directory, LogReport report) {
        Incarnation incarnation = report.incarnation();
        try {
            MemberFile file = MemberFile.read(directory);
            if (file == null && report.applied() != null) {
                // As a restore leaves it that was cut off; a single node does not start on it either.
                return report.with(
                        List.of(), List.of(LogRefusal.MEMBER_LOST + ": log/ is a member's, but no file says whose"));
            }
            if (incarnation == null || file == null) {
                return report;
            }
            RaftFiles files = RaftFiles.of(directory, incarnation.cluster());
            if (!files.exist()) {
                return report.with(List.of(), List.of("raft/ is missing, or not whole"));
            }
            StoppedMember.Survey survey = new StoppedMember.Survey(RaftSettings.ENTRIES_IN_FLIGHT_MAX);
            files.read(survey);
            Position applied = report.applied();
            String missing = applied == null
                    ? null
                    : files.missing(applied, survey.last().index());
            return report.with(
                    List.of("member " + file.id().node() + ": " + text(survey)),
                    missing == null ? List.of() : List.of(LogRefusal.RAFT_LOG_DAMAGED + ": " + missing));
        } catch (LogRefusedException e) {
            return report.with(List.of(), List.of(String.valueOf(e.getMessage())));
        } catch (IOException | DamagedRecordException e) {
            return report.with(
                    List.of(),
                    List.of(String.valueOf(RaftFiles.unreadable(directory, e).getMessage())));
        }
    }

    private static String text(StoppedMember.Survey survey) {
        Position last = survey.last();
        if (last.index() < 0) {
            return "Raft's log is empty";
        }
        String ends = "Raft's log ends with term " + last.term() + ", index " + last.index();
        return survey.decided() < 0 ? ends : ends + ", and is known to be decided up to index " + survey.decided();
    }
}
