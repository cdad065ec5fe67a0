package io.troth.coordinator.log.rocksdb;

import java.util.concurrent.CountDownLatch;
import org.rocksdb.RocksDBException;
import org.rocksdb.WriteBatch;

/** A writer that fails or hangs when told to: the disk fault of the tests, right above the store. Thread-safe. */
final class FaultyWriter implements BatchWriter {

    /** What the next forced write does. */
    enum Fault {
        NONE,
        FAILS_UNWRITTEN,
        FAILS_WRITTEN,
        HANGS
    }

    private final BatchWriter store;
    private volatile Fault fault = Fault.NONE;
    private volatile CountDownLatch hanging = new CountDownLatch(0);
    private volatile int writes;
    private volatile boolean lastSynced;
    private volatile int writesAfterFailure;
    private volatile boolean hasFailed;
    private volatile long quotaBytes = Long.MAX_VALUE;

    FaultyWriter(BatchWriter store) {
        this.store = store;
    }

    void next(Fault next) {
        hanging = new CountDownLatch(1);
        fault = next;
    }

    /** Ends the hanging write. */
    void release() {
        hanging.countDown();
    }

    /** The disk has so much left. */
    void quota(long bytes) {
        quotaBytes = bytes;
    }

    int writes() {
        return writes;
    }

    /** Whether the last write was one that flushes. */
    boolean lastSynced() {
        return lastSynced;
    }

    int writesAfterFailure() {
        return writesAfterFailure;
    }

    // Only the log thread counts.
    @SuppressWarnings("NonAtomicVolatileUpdate")
    @Override
    public void write(WriteBatch batch, boolean sync) throws RocksDBException {
        writes++;
        lastSynced = sync;
        writesAfterFailure += hasFailed ? 1 : 0;
        quotaBytes -= batch.getDataSize();
        if (quotaBytes < 0) {
            hasFailed = true;
            throw new RocksDBException("No space left on device");
        }
        if (!sync) {
            store.write(batch, false);
            return;
        }
        Fault now = fault;
        fault = Fault.NONE;
        switch (now) {
            case NONE -> store.write(batch, true);
            case FAILS_UNWRITTEN -> fail();
            case FAILS_WRITTEN -> {
                store.write(batch, true);
                fail();
            }
            case HANGS -> {
                awaitRelease();
                store.write(batch, true);
            }
        }
    }

    private void fail() throws RocksDBException {
        hasFailed = true;
        throw new RocksDBException("IO error: While fdatasync: Input/output error");
    }

    private void awaitRelease() {
        try {
            hanging.await();
        } catch (InterruptedException e) {
            throw new IllegalStateException(e);
        }
    }
}
