package io.troth.bench.peers;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import jdk.jfr.Recording;
import jdk.jfr.consumer.RecordedEvent;
import jdk.jfr.consumer.RecordingFile;

/**
 * Counts how often files of a directory are forced, as the JVM sees it: every {@code FileChannel.force} is a flight
 * recorder event. It does not see {@code FileDescriptor.sync}. Thread-safe.
 */
final class FileForces implements AutoCloseable {

    private static final String EVENT = "jdk.FileForce";

    private final Path directory;
    private final Recording recording = new Recording();

    /** Starts counting. */
    FileForces(Path directory) {
        this.directory = directory.toAbsolutePath();
        recording.enable(EVENT).withoutThreshold().withoutStackTrace();
        recording.start();
    }

    /** How many there were since the start. Reads what was recorded, which takes some milliseconds. */
    long count() {
        try {
            Path copy = Files.createTempFile("forces", ".jfr");
            try {
                recording.dump(copy);
                return count(copy);
            } finally {
                Files.delete(copy);
            }
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    private long count(Path copy) throws IOException {
        long count = 0;
        try (RecordingFile events = new RecordingFile(copy)) {
            while (events.hasMoreEvents()) {
                RecordedEvent event = events.readEvent();
                if (event.getEventType().getName().equals(EVENT) && isInside(event.getString("path"))) {
                    count++;
                }
            }
        }
        return count;
    }

    private boolean isInside(String path) {
        return path != null && Path.of(path).toAbsolutePath().startsWith(directory);
    }

    @Override
    public void close() {
        recording.close();
    }
}
