package io.troth.coordinator.log;

import io.troth.coordinator.engine.LogListener;
import io.troth.core.coordinator.LogEntry;
import io.troth.core.coordinator.LogRecord;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;

/** Remembers everything a log reports. Thread-safe. */
public class RecordingListener implements LogListener {

    private final List<LogEntry> entries = new ArrayList<>();
    private final List<Integer> batchSizes = new ArrayList<>();
    private final List<Boolean> stalls = new ArrayList<>();
    private final List<Boolean> spaces = new ArrayList<>();
    private final List<Throwable> failures = new ArrayList<>();
    private long durableBatch;

    @Override
    public synchronized void applied(List<LogEntry> applied, long durable) {
        entries.addAll(applied);
        batchSizes.add(applied.size());
        durableBatch = durable;
    }

    @Override
    public synchronized void failed(Throwable cause) {
        failures.add(cause);
    }

    @Override
    public synchronized void stalled(boolean stalled) {
        stalls.add(stalled);
    }

    @Override
    public synchronized void free(boolean aboveFloor, long freeBytes) {
        spaces.add(aboveFloor);
    }

    public synchronized List<LogEntry> entries() {
        return List.copyOf(entries);
    }

    public synchronized List<LogRecord> records() {
        return entries.stream().map(LogEntry::record).toList();
    }

    public synchronized List<Integer> batchSizes() {
        return List.copyOf(batchSizes);
    }

    public synchronized List<Boolean> stalls() {
        return List.copyOf(stalls);
    }

    public synchronized List<Boolean> spaces() {
        return List.copyOf(spaces);
    }

    public synchronized List<Throwable> failures() {
        return List.copyOf(failures);
    }

    public synchronized @Nullable Throwable failure() {
        return failures.isEmpty() ? null : failures.get(0);
    }

    public synchronized long durableBatch() {
        return durableBatch;
    }
}
