package io.troth.coordinator.log;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * A batch that was durable once, in the file {@code WATERMARK} beside the database: a log that ends before it has lost
 * its tail. Written from time to time, so it notices a loss only up to there; agents, who hear the durable batch number
 * all the time, notice the rest.
 *
 * @param batch the batch number
 * @param epochNumber the epoch of the leader that wrote the batch
 */
public record Watermark(long batch, long epochNumber) {

    private static final String FILE = "WATERMARK";

    /** Writes the file; it is on disk on return. */
    public void write(Path directory) throws IOException {
        Map<String, String> values = new LinkedHashMap<>();
        values.put("batch", Long.toString(batch));
        values.put("epoch", Long.toString(epochNumber));
        DurableFiles.replace(directory, FILE, values);
    }

    /**
     * The watermark of a data directory, or null when none was written yet.
     *
     * @throws LogRefusedException when the file cannot be understood
     */
    public static @Nullable Watermark read(Path directory) throws IOException {
        Path file = directory.resolve(FILE);
        if (!Files.exists(file)) {
            return null;
        }
        try {
            Map<String, String> values = DurableFiles.read(file);
            return new Watermark(
                    Long.parseLong(DurableFiles.value(values, "batch")),
                    Long.parseLong(DurableFiles.value(values, "epoch")));
        } catch (NumberFormatException | DamagedRecordException e) {
            throw new LogRefusedException(
                    LogRefusal.DAMAGED, directory, "the file WATERMARK cannot be read: " + e.getMessage(), e);
        }
    }

    /**
     * Refuses a log that ends before this.
     *
     * @param lastBatch the last batch that is in the log
     * @throws LogRefusedException {@link LogRefusal#TAIL_LOST}
     */
    public void check(Path directory, long lastBatch) {
        if (lastBatch < batch) {
            throw new LogRefusedException(
                    LogRefusal.TAIL_LOST,
                    directory,
                    "the log ends with batch " + lastBatch + ", but batch " + batch + " (epoch " + epochNumber
                            + ") was durable");
        }
    }
}
