package io.troth.coordinator.log.rocksdb;

import io.troth.coordinator.log.LogEnvironment;
import io.troth.coordinator.log.LogSettings;
import io.troth.coordinator.log.Watermark;
import io.troth.core.ClusterId;
import io.troth.core.EpochId;
import io.troth.core.coordinator.LogRecord;
import java.io.IOException;
import java.util.List;
import org.rocksdb.RocksDBException;

/**
 * Makes a log that lost its end, because it came from a backup or was cut, one that may be started (protocol 10.5): a
 * DISTRUST says that up to some epoch the absence of a record is no word about a transaction.
 *
 * <p>The lost end may have held epochs that agents have heard of. One DISTRUST above them all is enough, and numbers
 * cost nothing: {@value #EPOCHS_ABOVE} above the highest known one by default, which is as many starts as no backup is
 * old.
 */
public final class LogRestore {

    static final long EPOCHS_ABOVE = 1_000_000;

    /**
     * Nobody may ask for more. What is distrusted cannot be taken back, and above the last number there is no epoch that
     * could be led. No cluster has had as many; and it is still exact in every program that reads JSON.
     */
    public static final long THROUGH_EPOCH_MAX = 1_000_000_000_000_000L;

    private LogRestore() {}

    /**
     * What was done.
     *
     * @param cluster whose log it is
     * @param highestEpoch the highest epoch of the log before
     * @param distrusted up to this epoch number absence means nothing
     */
    public record Restored(ClusterId cluster, long highestEpoch, long distrusted) {}

    /**
     * Writes the DISTRUST; it is durable on return. An end that is missing below the watermark is no reason to refuse
     * here; everything else is. An empty data directory becomes a new log that distrusts every earlier one.
     *
     * @param throughEpoch distrust at least up to this epoch; 0 for the default
     * @throws io.troth.coordinator.log.LogRefusedException when the log is not to be used
     * @throws IllegalArgumentException as {@link #checkThrough}
     * @throws IOException when it cannot be written; then it is to be done once more
     */
    public static Restored restore(LogSettings settings, LogEnvironment environment, long throughEpoch)
            throws IOException {
        checkThrough(throughEpoch);
        try (OpenLog log = OpenLog.openCut(settings, environment).asSingle()) {
            LogReader reader = new LogReader(log);
            reader.replay(entry -> {});
            long highest = reader.highestEpoch();
            long distrusted = distrusted(highest, throughEpoch);
            EpochId own =
                    new EpochId(Math.addExact(highest, 1), environment.random().getAsLong());
            try (RecordWriter writer = new RecordWriter(
                    log.store(), log.store(), own.number(), log.lastBatch().batch(), reader.lowWater())) {
                // One batch: behind an EPOCH alone the log would be one that starts.
                writer.write(List.of(new LogRecord.Epoch(own), new LogRecord.Distrust(distrusted)), true);
                new Watermark(writer.batchNumber(), own.number()).write(settings.directory());
            }
            return new Restored(log.incarnation().cluster(), highest, distrusted);
        } catch (RocksDBException e) {
            throw new IOException("the log in " + settings.directory() + " cannot be written: " + e.getMessage(), e);
        }
    }

    /**
     * Comes before anything is opened, or changed.
     *
     * @throws IllegalArgumentException when it is below 0 or above {@link #THROUGH_EPOCH_MAX}
     */
    public static void checkThrough(long throughEpoch) {
        if (throughEpoch < 0 || throughEpoch > THROUGH_EPOCH_MAX) {
            throw new IllegalArgumentException("no epoch can be distrusted up to " + throughEpoch);
        }
    }

    /** Up to which epoch a log is distrusted whose highest one is this. */
    static long distrusted(long highest, long throughEpoch) {
        return Math.max(highest, throughEpoch > 0 ? throughEpoch : Math.addExact(highest, EPOCHS_ABOVE));
    }
}
