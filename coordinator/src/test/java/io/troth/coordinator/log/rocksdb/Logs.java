package io.troth.coordinator.log.rocksdb;

import io.troth.coordinator.log.LogEnvironment;
import io.troth.coordinator.log.LogObserver;
import io.troth.coordinator.log.LogSettings;
import io.troth.core.ClusterId;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.security.SecureRandom;
import java.time.Clock;
import java.util.List;
import java.util.stream.Stream;

/** Settings, environment and files for tests of the log. */
final class Logs {

    static final ClusterId CLUSTER = new ClusterId(0x1234_5678_9abc_def0L);

    private static final SecureRandom RANDOM = new SecureRandom();

    private Logs() {}

    static LogEnvironment environment() {
        return environment(LogObserver.NONE);
    }

    static LogEnvironment environment(LogObserver observer) {
        return new LogEnvironment(
                System::nanoTime,
                Clock.systemUTC(),
                RANDOM::nextLong,
                task -> {
                    Thread thread = new Thread(task, "log-test");
                    thread.setDaemon(true);
                    return thread;
                },
                observer);
    }

    static LogSettings settings(Path directory) {
        return settings(directory, 1_024);
    }

    static LogSettings settings(Path directory, int recordsPerBatchMax) {
        return new LogSettings(directory, CLUSTER, recordsPerBatchMax, 20, 30_000, 0);
    }

    static RocksDbDecisionLog open(Path directory) {
        return RocksDbDecisionLog.open(settings(directory), environment());
    }

    /** Copies a data directory as a crash of the machine at this moment would leave it, lock and messages aside. */
    static void copy(Path from, Path to) throws IOException {
        List<Path> files;
        try (Stream<Path> walk = Files.walk(from)) {
            files = walk.toList();
        }
        for (Path file : files) {
            Path target = to.resolve(from.relativize(file).toString());
            if (Files.isDirectory(file)) {
                Files.createDirectories(target);
            } else if (!file.getFileName().toString().startsWith("LO")) {
                Files.copy(file, target, StandardCopyOption.REPLACE_EXISTING);
            }
        }
    }

    /** The log files of the database, oldest first. */
    static List<Path> walFiles(Path directory) throws IOException {
        try (Stream<Path> files = Files.list(directory.resolve("log"))) {
            return files.filter(file -> file.toString().endsWith(".log"))
                    .sorted()
                    .toList();
        }
    }
}
