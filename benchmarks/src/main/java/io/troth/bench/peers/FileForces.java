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

    // Guarded by this.
    private Recording recording = startRecording();
    private long counted;

    /** Starts counting. */
    FileForces(Path directory) {
        this.directory = directory.toAbsolutePath();
    }

    private static Recording startRecording() {
        Recording recording = new Recording();
        recording.enable(EVENT).withoutThreshold().withoutStackTrace();
        recording.start();
        return recording;
    }

    /**
     * How many there were since the start. Reading them takes a while, and what is forced meanwhile belongs to the next
     * call; in the moment in which one recording begins and the other stops, some may count twice.
     */
    synchronized long count() {
        Recording last = recording;
        recording = startRecording();
        last.stop();
        try {
            Path file = Files.createTempFile("forces", ".jfr");
            try {
                last.dump(file);
                counted += count(file);
            } finally {
                Files.delete(file);
            }
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        } finally {
            last.close();
        }
        return counted;
    }

    private long count(Path file) throws IOException {
        long count = 0;
        try (RecordingFile events = new RecordingFile(file)) {
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
    public synchronized void close() {
        recording.close();
    }
}
