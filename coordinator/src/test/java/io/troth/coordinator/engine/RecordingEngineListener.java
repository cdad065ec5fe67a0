package io.troth.coordinator.engine;

import io.troth.core.ProtocolViolation;
import io.troth.core.coordinator.LogEntry;
import io.troth.core.coordinator.Notice;
import java.util.ArrayList;
import java.util.List;

/** Keeps what it hears. */
class RecordingEngineListener implements EngineListener {

    final List<Notice> notices = new ArrayList<>();
    final List<LogEntry> applied = new ArrayList<>();
    final List<Integer> outlived = new ArrayList<>();
    final List<Throwable> logFailures = new ArrayList<>();
    final List<ProtocolViolation> violations = new ArrayList<>();
    final List<Throwable> crashes = new ArrayList<>();

    @Override
    public void heard(Notice notice) {
        notices.add(notice);
    }

    @Override
    public void applied(LogEntry entry) {
        applied.add(entry);
    }

    @Override
    public void drainOutlived(int transactions) {
        outlived.add(transactions);
    }

    @Override
    public void logFailed(Throwable cause) {
        logFailures.add(cause);
    }

    @Override
    public void violated(ProtocolViolation violation) {
        violations.add(violation);
    }

    @Override
    public void crashed(Throwable cause) {
        crashes.add(cause);
    }
}
