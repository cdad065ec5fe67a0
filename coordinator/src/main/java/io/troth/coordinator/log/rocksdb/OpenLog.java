package io.troth.coordinator.log.rocksdb;

import io.troth.coordinator.log.DamagedRecordException;
import io.troth.coordinator.log.DirectoryLock;
import io.troth.coordinator.log.DurableFiles;
import io.troth.coordinator.log.Incarnation;
import io.troth.coordinator.log.LogEnvironment;
import io.troth.coordinator.log.LogRefusal;
import io.troth.coordinator.log.LogRefusedException;
import io.troth.coordinator.log.LogSettings;
import io.troth.coordinator.log.Meta;
import io.troth.coordinator.log.RecordCodec;
import io.troth.coordinator.log.RecordKeys;
import io.troth.coordinator.log.ReplicatedState;
import io.troth.coordinator.log.Watermark;
import io.troth.core.ClusterId;
import io.troth.core.GlobalTxId;
import io.troth.core.coordinator.LogRecord;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;
import org.rocksdb.RocksDBException;
import org.rocksdb.Status;
import org.rocksdb.WriteBatch;

/**
 * A data directory that is locked and whose identity was checked, with its open database.
 *
 * <p>A new directory is made in steps that a crash may separate: the INCARNATION file marked as not whole, the database
 * with the incarnation inside, the file marked as whole. Only then can anything be decided. A directory that is found
 * not whole is made anew; one that is whole is never made anew, whatever is missing.
 *
 * @param directory the data directory
 * @param incarnation who it is
 * @param lastBatch the last batch in the database; batch 0 in a new one
 * @param store the database
 * @param lock held until {@link #close}
 */
record OpenLog(Path directory, Incarnation incarnation, Watermark lastBatch, RocksStore store, DirectoryLock lock)
        implements AutoCloseable {

    private static final String DATABASE = "log";
    private static final String FRESH = "log.new";
    private static final String OLD = "log.old";
    private static final String NO_SPACE = "No space left on device";

    /** The applied COMMIT of T, ended or not, or null when there is none or it was purged. Any thread; reads from disk. */
    LogRecord.@Nullable Commit find(GlobalTxId tx) {
        byte[] key = RecordKeys.tx(tx);
        try {
            // In this order: an END moves a COMMIT from the first to the second, never back.
            byte[] value = store.get(Family.OPEN, key);
            if (value == null) {
                value = store.get(Family.ENDED, key);
            }
            return value == null
                    ? null
                    : (LogRecord.Commit) RecordCodec.decode(key, value).record();
        } catch (RocksDBException e) {
            throw damaged(directory, e);
        }
    }

    /** Where the database lies in a data directory. */
    static Path database(Path directory) {
        return directory.resolve(DATABASE);
    }

    /**
     * Opens a data directory for writing, or makes a new one.
     *
     * @throws LogRefusedException when it is not to be used
     */
    static OpenLog open(LogSettings settings, LogEnvironment environment) {
        return open(settings, environment, true);
    }

    /** The same for a log that may end below its watermark: to be restored, not to be led. */
    static OpenLog openCut(LogSettings settings, LogEnvironment environment) {
        return open(settings, environment, false);
    }

    private static OpenLog open(LogSettings settings, LogEnvironment environment, boolean whole) {
        Path directory = settings.directory();
        try {
            NativeLibrary.load();
            Files.createDirectories(directory);
            DirectoryLock lock = DirectoryLock.exclusive(directory);
            boolean opened = false;
            try {
                restoreInterrupted(directory);
                OpenLog log = openLocked(settings, environment, lock, whole);
                opened = true;
                return log;
            } finally {
                if (!opened) {
                    lock.close();
                }
            }
        } catch (IOException e) {
            throw new LogRefusedException(LogRefusal.UNUSABLE, directory, e.toString(), e);
        }
    }

    private static OpenLog openLocked(
            LogSettings settings, LogEnvironment environment, DirectoryLock lock, boolean whole) throws IOException {
        Path directory = settings.directory();
        Incarnation incarnation = Incarnation.read(directory);
        if (incarnation == null) {
            if (!isEmpty(database(directory))) {
                throw new LogRefusedException(
                        LogRefusal.INCARNATION_MISSING, directory, "there is a database but no file INCARNATION");
            }
            Incarnation.checkIsNobodys(directory);
        }
        if (incarnation == null || !incarnation.whole()) {
            incarnation = create(settings, environment);
        }
        incarnation.checkIsOf(settings.cluster(), directory);
        RocksStore store = openStore(directory);
        boolean checked = false;
        try {
            Watermark last = identify(directory, incarnation, store);
            if (whole) {
                checkEnd(directory, last);
            }
            checked = true;
            return new OpenLog(directory, incarnation, last, store, lock);
        } finally {
            if (!checked) {
                store.close();
            }
        }
    }

    /**
     * This, for a single node; closed when it is a member's of a replicated log.
     *
     * @throws LogRefusedException {@link LogRefusal#REPLICATED}
     */
    OpenLog asSingle() {
        if (replicated() != null) {
            close();
            throw new LogRefusedException(
                    LogRefusal.REPLICATED, directory, "it was written by a cluster, and is to be led by a single node");
        }
        return this;
    }

    /** How far it has come as a member of a replicated log; null when it is none. */
    @Nullable
    ReplicatedState replicated() {
        try {
            byte[] value = store.get(Family.META, Meta.REPLICATED);
            return value == null ? null : Meta.replicated(value);
        } catch (RocksDBException e) {
            throw damaged(directory, e);
        } catch (DamagedRecordException e) {
            throw new LogRefusedException(LogRefusal.DAMAGED, directory, e.getMessage() + " in the database", e);
        }
    }

    /**
     * Opens a data directory that nobody writes, changing nothing in it.
     *
     * @param messages a directory for what RocksDB wants to tell
     * @throws LogRefusedException when it cannot be read
     */
    static OpenLog openReadOnly(Path directory, Path messages) {
        try {
            NativeLibrary.load();
            DirectoryLock lock = DirectoryLock.shared(directory);
            boolean opened = false;
            try {
                Incarnation incarnation = Incarnation.read(directory);
                if (incarnation == null) {
                    throw new LogRefusedException(
                            LogRefusal.INCARNATION_MISSING, directory, "there is no file INCARNATION");
                }
                checkFiles(directory);
                RocksStore store = RocksStore.openReadOnly(database(directory), messages);
                try {
                    Watermark last = identify(directory, incarnation, store);
                    checkEnd(directory, last);
                    OpenLog log = new OpenLog(directory, incarnation, last, store, lock);
                    opened = true;
                    return log;
                } finally {
                    if (!opened) {
                        store.close();
                    }
                }
            } finally {
                if (!opened) {
                    lock.close();
                }
            }
        } catch (RocksDBException e) {
            throw damaged(directory, e);
        } catch (IOException e) {
            throw new LogRefusedException(LogRefusal.UNUSABLE, directory, e.toString(), e);
        }
    }

    /** Refuses with what RocksDB found. */
    static LogRefusedException damaged(Path directory, RocksDBException cause) {
        Status status = cause.getStatus();
        // A full disk says nothing against what is on it. Of some files RocksDB says so in words alone.
        boolean isFull = (status != null && status.getSubCode() == Status.SubCode.NoSpace)
                || String.valueOf(cause.getMessage()).contains(NO_SPACE);
        return new LogRefusedException(
                isFull ? LogRefusal.UNUSABLE : LogRefusal.DAMAGED,
                directory,
                "the database says: " + cause.getMessage(),
                cause);
    }

    private static Incarnation create(LogSettings settings, LogEnvironment environment) throws IOException {
        Path directory = settings.directory();
        ClusterId configured = settings.cluster();
        ClusterId cluster = configured != null
                ? configured
                : new ClusterId(environment.random().getAsLong());
        Incarnation fresh = new Incarnation(
                cluster, environment.random().getAsLong(), environment.clock().instant(), false);
        fresh.write(directory);
        deleteRecursively(database(directory));
        try (RocksStore store = RocksStore.create(database(directory));
                WriteBatch batch = new WriteBatch()) {
            batch.put(Meta.INCARNATION, Meta.incarnation(fresh));
            batch.put(Meta.LAST_BATCH, Meta.lastBatch(new Watermark(0, 0)));
            store.write(batch, true);
        } catch (RocksDBException e) {
            throw new LogRefusedException(LogRefusal.UNUSABLE, directory, "no database can be made: " + e, e);
        }
        Incarnation whole = fresh.asWhole();
        whole.write(directory);
        return whole;
    }

    private static RocksStore openStore(Path directory) throws IOException {
        checkFiles(directory);
        try {
            return RocksStore.open(database(directory));
        } catch (RocksDBException e) {
            throw damaged(directory, e);
        }
    }

    /** What the store itself would not notice: that there is nothing, some damages of its log files, and a gap in them. */
    private static void checkFiles(Path directory) throws IOException {
        if (isEmpty(database(directory))) {
            throw new LogRefusedException(
                    LogRefusal.DATABASE_MISSING, directory, "log/ is missing or empty although INCARNATION exists");
        }
        List<Long> batches = new ArrayList<>();
        for (Path file : files(directory, ".log")) {
            String damage = WalFile.firstDamage(file, batches::add);
            if (damage != null) {
                throw new LogRefusedException(
                        LogRefusal.DAMAGED, directory, "log/" + file.getFileName() + " " + damage);
            }
        }
        checkNoneIsMissing(directory, batches);
    }

    /**
     * What is not in the tables has to be in the log files without a gap. When an older copy was laid over a newer log, the
     * tables are those of the one and the log files those of both.
     *
     * @param batches those of the log files, in order
     */
    private static void checkNoneIsMissing(Path directory, List<Long> batches) throws IOException {
        long last = lastBatchOfTables(directory);
        for (long batch : batches) {
            if (batch > last + 1) {
                throw new LogRefusedException(
                        LogRefusal.DAMAGED,
                        directory,
                        "batch " + (last + 1) + " is missing, and batch " + batch
                                + " is there: the files in log/ are of two"
                                + " copies; put one copy alone into an empty directory");
            }
            last = Math.max(last, batch);
        }
    }

    private static long lastBatchOfTables(Path directory) throws IOException {
        Path scratch = Files.createTempDirectory("troth-tables");
        try (RocksStore tables = RocksStore.openTables(database(directory), scratch)) {
            byte[] last = tables.get(Family.META, Meta.LAST_BATCH);
            return last == null ? -1 : Meta.lastBatch(last).batch();
        } catch (RocksDBException e) {
            throw damaged(directory, e);
        } catch (DamagedRecordException e) {
            throw new LogRefusedException(LogRefusal.DAMAGED, directory, e.getMessage() + " in the database", e);
        } finally {
            deleteRecursively(scratch);
        }
    }

    /** The files of the database whose names end so, oldest first. */
    static List<Path> files(Path directory, String end) throws IOException {
        try (Stream<Path> all = Files.list(database(directory))) {
            return all.filter(file -> file.toString().endsWith(end)).sorted().toList();
        }
    }

    private static void checkEnd(Path directory, Watermark last) throws IOException {
        Watermark watermark = Watermark.read(directory);
        if (watermark != null) {
            watermark.check(directory, last.batch());
        }
    }

    /** Compares the identity inside with the one outside; the last batch. */
    private static Watermark identify(Path directory, Incarnation incarnation, RocksStore store) {
        try {
            byte[] inside = store.get(Family.META, Meta.INCARNATION);
            byte[] last = store.get(Family.META, Meta.LAST_BATCH);
            if (inside == null || last == null) {
                throw new LogRefusedException(
                        LogRefusal.DATABASE_MISSING, directory, "the database in log/ is empty of its identity");
            }
            Incarnation found = Meta.incarnation(inside);
            if (found.id() != incarnation.id() || !found.cluster().equals(incarnation.cluster())) {
                throw new LogRefusedException(
                        LogRefusal.INCARNATION_DIFFERS,
                        directory,
                        "INCARNATION names cluster " + incarnation.cluster() + ", the database cluster "
                                + found.cluster() + " or another incarnation of it");
            }
            return Meta.lastBatch(last);
        } catch (RocksDBException e) {
            throw damaged(directory, e);
        } catch (DamagedRecordException e) {
            throw new LogRefusedException(LogRefusal.DAMAGED, directory, e.getMessage() + " in the database", e);
        }
    }

    /**
     * Puts a copy of another database in the place of the database, which is closed; a crash leaves one of the two.
     *
     * @param own whose database it becomes
     * @param copy stays as it is; its table files may be shared
     * @return the database, open
     * @throws LogRefusedException when the copy is of another cluster
     */
    static RocksStore replaceDatabase(Path directory, Incarnation own, Path copy) throws IOException, RocksDBException {
        Path fresh = directory.resolve(FRESH);
        deleteRecursively(fresh);
        Files.createDirectory(fresh);
        try (Stream<Path> files = Files.list(copy)) {
            for (Path file : files.toList()) {
                take(file, fresh);
            }
        }
        try (RocksStore store = RocksStore.open(fresh);
                WriteBatch batch = new WriteBatch()) {
            byte[] inside = store.get(Family.META, Meta.INCARNATION);
            own.checkIsOf(inside == null ? null : Meta.incarnation(inside).cluster(), directory);
            batch.put(Meta.INCARNATION, Meta.incarnation(own));
            store.write(batch, true);
        }
        DurableFiles.force(fresh);
        Path old = directory.resolve(OLD);
        Files.move(database(directory), old, StandardCopyOption.ATOMIC_MOVE);
        Files.move(fresh, database(directory), StandardCopyOption.ATOMIC_MOVE);
        DurableFiles.force(directory);
        deleteRecursively(old);
        return RocksStore.open(database(directory));
    }

    /** A table file never changes: both databases can have it. The checksums that came with a copy are not for RocksDB. */
    private static void take(Path file, Path fresh) throws IOException {
        String name = file.getFileName().toString();
        if (name.endsWith(".md5")) {
            return;
        }
        Path target = fresh.resolve(name);
        if (name.endsWith(".sst")) {
            Files.createLink(target, file);
        } else {
            Files.copy(file, target);
        }
        DurableFiles.force(target);
    }

    /** Takes up, under the lock, what a crash in {@link #replaceDatabase} has left: the database that was in place before, or after. */
    private static void restoreInterrupted(Path directory) throws IOException {
        Path old = directory.resolve(OLD);
        if (!Files.exists(database(directory)) && Files.exists(old)) {
            Files.move(old, database(directory), StandardCopyOption.ATOMIC_MOVE);
        }
        deleteRecursively(old);
        deleteRecursively(directory.resolve(FRESH));
    }

    private static boolean isEmpty(Path directory) throws IOException {
        if (!Files.isDirectory(directory)) {
            return true;
        }
        try (Stream<Path> files = Files.list(directory)) {
            // RocksDB's own messages and lock are no database.
            return files.map(file -> file.getFileName().toString())
                    .allMatch(name -> name.startsWith("LOG") || name.equals("LOCK"));
        }
    }

    private static void deleteRecursively(Path directory) throws IOException {
        if (!Files.exists(directory)) {
            return;
        }
        for (Path each : deepestFirst(directory)) {
            Files.delete(each);
        }
    }

    /** All that is in a directory and itself, in the order of deletion. */
    static List<Path> deepestFirst(Path directory) throws IOException {
        try (Stream<Path> files = Files.walk(directory)) {
            return files.sorted(Comparator.reverseOrder()).toList();
        }
    }

    @Override
    public void close() {
        store.close();
        try {
            lock.close();
        } catch (IOException e) {
            throw new LogRefusedException(LogRefusal.UNUSABLE, directory, e.toString(), e);
        }
    }
}
