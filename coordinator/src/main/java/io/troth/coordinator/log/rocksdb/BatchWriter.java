package io.troth.coordinator.log.rocksdb;

import org.rocksdb.RocksDBException;
import org.rocksdb.WriteBatch;

/** Where a batch goes to disk: the seam at which tests let a write fail or hang. Log thread only. */
@FunctionalInterface
interface BatchWriter {

    /** Writes the batch; with {@code sync} it is on disk on return. A failure leaves open whether it was written. */
    void write(WriteBatch batch, boolean sync) throws RocksDBException;
}
