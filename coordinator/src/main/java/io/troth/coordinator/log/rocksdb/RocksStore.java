package io.troth.coordinator.log.rocksdb;

import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.EnumMap;
import java.util.Iterator;
import java.util.List;
import java.util.Map;
import java.util.Properties;
import java.util.concurrent.locks.ReadWriteLock;
import java.util.concurrent.locks.ReentrantReadWriteLock;
import java.util.function.BiConsumer;
import org.jspecify.annotations.Nullable;
import org.rocksdb.Checkpoint;
import org.rocksdb.ColumnFamilyDescriptor;
import org.rocksdb.ColumnFamilyHandle;
import org.rocksdb.ColumnFamilyOptions;
import org.rocksdb.CompressionType;
import org.rocksdb.DBOptions;
import org.rocksdb.FlushOptions;
import org.rocksdb.InfoLogLevel;
import org.rocksdb.LiveFileMetaData;
import org.rocksdb.Options;
import org.rocksdb.ReadOptions;
import org.rocksdb.RocksDB;
import org.rocksdb.RocksDBException;
import org.rocksdb.RocksIterator;
import org.rocksdb.Slice;
import org.rocksdb.SstFileReader;
import org.rocksdb.WALRecoveryMode;
import org.rocksdb.WriteBatch;
import org.rocksdb.WriteOptions;

/**
 * The open database: its settings, its families, reading, writing, closing. Reads on any thread, writes on one.
 *
 * <p>A read on a closed database would crash the JVM, so every access holds a lock that {@link #close} takes alone.
 */
final class RocksStore implements BatchWriter, AutoCloseable {

    private static final long WRITE_BUFFER_BYTES = 16L << 20;
    private static final long LOG_FILES_BYTES_MAX = 64L << 20;

    private final RocksDB database;
    private final Map<Family, ColumnFamilyHandle> handles = new EnumMap<>(Family.class);
    private final List<AutoCloseable> options;
    private final WriteOptions synced = new WriteOptions().setSync(true);
    private final WriteOptions unsynced = new WriteOptions().setSync(false);
    private final WriteOptions unlogged = new WriteOptions().setDisableWAL(true);
    private final ReadWriteLock lock = new ReentrantReadWriteLock();
    private boolean closed;

    private RocksStore(RocksDB database, List<ColumnFamilyHandle> handles, List<AutoCloseable> options) {
        this.database = database;
        this.options = options;
        Iterator<ColumnFamilyHandle> next = handles.iterator();
        for (Family family : Family.values()) {
            this.handles.put(family, next.next());
        }
    }

    /** Makes a new database; there must be none. */
    static RocksStore create(Path path) throws RocksDBException {
        DBOptions settings = settings().setCreateIfMissing(true).setCreateMissingColumnFamilies(true);
        return open(path, settings.setErrorIfExists(true), false);
    }

    /** Opens what is there, never makes anything anew. */
    static RocksStore open(Path path) throws RocksDBException {
        return open(path, settings(), false);
    }

    /** Opens without changing a file below the path; what RocksDB wants to tell goes to the other directory. */
    static RocksStore openReadOnly(Path path, Path messages) throws RocksDBException {
        return open(path, settings().setDbLogDir(messages.toString()), true);
    }

    /** The same for what is in its tables alone; {@code scratch} is empty. */
    static RocksStore openTables(Path path, Path scratch) throws RocksDBException {
        // Not with the settings below, which want log files.
        DBOptions plain = new DBOptions().setDbLogDir(scratch.toString()).setWalDir(scratch.toString());
        return open(path, plain, true);
    }

    /**
     * The settings that the damage tests stand on. {@code TolerateCorruptedTailRecords} refuses a damaged record that
     * good ones follow, and takes a torn tail as what it is; together with {@code track_and_verify_wals} a lost or cut
     * older log file is refused too. The default mode stops at the first damage and forgets the rest silently.
     */
    private static DBOptions settings() throws RocksDBException {
        Properties properties = new Properties();
        properties.setProperty("track_and_verify_wals", "true");
        DBOptions settings = DBOptions.getDBOptionsFromProps(properties);
        if (settings == null) {
            throw new RocksDBException("this RocksDB does not know track_and_verify_wals");
        }
        return settings.setWalRecoveryMode(WALRecoveryMode.TolerateCorruptedTailRecords)
                .setParanoidChecks(true)
                .setBestEffortsRecovery(false)
                .setAtomicFlush(true)
                .setMaxTotalWalSize(LOG_FILES_BYTES_MAX)
                // A recycled file holds old records behind the new ones: a torn tail could not be told from them.
                .setRecycleLogFileNum(0)
                // After an error the process stops (protocol L5): the store must not heal itself behind its back.
                .setMaxBgErrorResumeCount(0)
                .setInfoLogLevel(InfoLogLevel.WARN_LEVEL)
                .setMaxLogFileSize(1L << 20)
                .setKeepLogFileNum(3);
    }

    private static RocksStore open(Path path, DBOptions settings, boolean readOnly) throws RocksDBException {
        ColumnFamilyOptions familySettings = new ColumnFamilyOptions()
                .setWriteBufferSize(WRITE_BUFFER_BYTES)
                .setParanoidFileChecks(true)
                .setCompressionType(CompressionType.LZ4_COMPRESSION);
        List<ColumnFamilyDescriptor> descriptors = new ArrayList<>();
        for (Family family : Family.values()) {
            descriptors.add(new ColumnFamilyDescriptor(family.nameBytes(), familySettings));
        }
        List<ColumnFamilyHandle> handles = new ArrayList<>();
        try {
            RocksDB database = readOnly
                    ? RocksDB.openReadOnly(settings, path.toString(), descriptors, handles)
                    : RocksDB.open(settings, path.toString(), descriptors, handles);
            return new RocksStore(database, handles, List.of(familySettings, settings));
        } catch (RocksDBException e) {
            familySettings.close();
            settings.close();
            throw e;
        }
    }

    ColumnFamilyHandle handle(Family family) {
        ColumnFamilyHandle handle = handles.get(family);
        if (handle == null) {
            throw new IllegalStateException("no family " + family);
        }
        return handle;
    }

    byte @Nullable [] get(Family family, byte[] key) throws RocksDBException {
        lock.readLock().lock();
        try {
            checkOpen();
            return database.get(handle(family), key);
        } finally {
            lock.readLock().unlock();
        }
    }

    /** Hands every key from {@code from} (null: the first) to before {@code to} (null: the last) over, in order. */
    void scan(Family family, byte @Nullable [] from, byte @Nullable [] to, BiConsumer<byte[], byte[]> consumer)
            throws RocksDBException {
        lock.readLock().lock();
        try (ReadOptions read = new ReadOptions().setFillCache(false);
                Slice end = new Slice(to == null ? new byte[0] : to)) {
            checkOpen();
            if (to != null) {
                read.setIterateUpperBound(end);
            }
            try (RocksIterator iterator = database.newIterator(handle(family), read)) {
                if (from == null) {
                    iterator.seekToFirst();
                } else {
                    iterator.seek(from);
                }
                for (; iterator.isValid(); iterator.next()) {
                    consumer.accept(iterator.key(), iterator.value());
                }
                // An iterator that met damage just ends: only its status tells.
                iterator.status();
            }
        } finally {
            lock.readLock().unlock();
        }
    }

    /** The first key not below {@code from}, or null. */
    byte @Nullable [] firstKey(Family family, byte[] from) throws RocksDBException {
        lock.readLock().lock();
        try {
            checkOpen();
            try (RocksIterator iterator = database.newIterator(handle(family))) {
                iterator.seek(from);
                iterator.status();
                return iterator.isValid() ? iterator.key() : null;
            }
        } finally {
            lock.readLock().unlock();
        }
    }

    @Override
    public void write(WriteBatch batch, boolean sync) throws RocksDBException {
        lock.readLock().lock();
        try {
            checkOpen();
            database.write(sync ? synced : unsynced, batch);
        } finally {
            lock.readLock().unlock();
        }
    }

    /** Writes the batch into memory only: it is on disk after {@link #checkpoint}, or some time earlier. */
    void writeUnlogged(WriteBatch batch) throws RocksDBException {
        lock.readLock().lock();
        try {
            checkOpen();
            database.write(unlogged, batch);
        } finally {
            lock.readLock().unlock();
        }
    }

    /** Brings all families to disk as they are now, in one step. */
    void flush() throws RocksDBException {
        lock.readLock().lock();
        try (FlushOptions flush = new FlushOptions().setWaitForFlush(true)) {
            checkOpen();
            database.flush(flush, List.copyOf(handles.values()));
        } finally {
            lock.readLock().unlock();
        }
    }

    /** Flushes all families and makes a second database of the same content in a directory that does not exist yet. */
    void checkpoint(Path target) throws RocksDBException {
        flush();
        lock.readLock().lock();
        try {
            checkOpen();
            try (Checkpoint checkpoint = Checkpoint.create(database)) {
                checkpoint.createCheckpoint(target.toString());
            }
        } finally {
            lock.readLock().unlock();
        }
    }

    /** Removes from the files what was deleted of the open COMMITs below a key. May take long. */
    void compactOpen(byte[] below) throws RocksDBException {
        lock.readLock().lock();
        try {
            checkOpen();
            database.compactRange(handle(Family.OPEN), new byte[0], below);
        } finally {
            lock.readLock().unlock();
        }
    }

    /** Reads every block of every table file and compares its checksum. */
    void verifyChecksums() throws RocksDBException {
        lock.readLock().lock();
        try {
            checkOpen();
            database.verifyChecksum();
        } finally {
            lock.readLock().unlock();
        }
    }

    /** The same for the files of one family. */
    void verifyChecksums(Family family) throws RocksDBException {
        lock.readLock().lock();
        try {
            checkOpen();
            // A compaction would delete what is just read.
            database.disableFileDeletions();
            try {
                for (LiveFileMetaData file : database.getLiveFilesMetaData()) {
                    if (Arrays.equals(file.columnFamilyName(), family.nameBytes())) {
                        verifyChecksums(file.path() + file.fileName());
                    }
                }
            } finally {
                database.enableFileDeletions();
            }
        } finally {
            lock.readLock().unlock();
        }
    }

    private static void verifyChecksums(String file) throws RocksDBException {
        try (Options plain = new Options();
                SstFileReader reader = new SstFileReader(plain)) {
            reader.open(file);
            reader.verifyChecksum();
        }
    }

    private void checkOpen() {
        if (closed) {
            throw new IllegalStateException("the log is closed");
        }
    }

    /** Waits for running accesses. Idempotent. */
    @Override
    public void close() {
        lock.writeLock().lock();
        try {
            if (closed) {
                return;
            }
            closed = true;
            handles.values().forEach(ColumnFamilyHandle::close);
            database.close();
            synced.close();
            unsynced.close();
            unlogged.close();
            for (AutoCloseable each : options) {
                closeQuietly(each);
            }
        } finally {
            lock.writeLock().unlock();
        }
    }

    private static void closeQuietly(AutoCloseable each) {
        try {
            each.close();
        } catch (Exception e) {
            throw new IllegalStateException("closing " + each, e);
        }
    }
}
