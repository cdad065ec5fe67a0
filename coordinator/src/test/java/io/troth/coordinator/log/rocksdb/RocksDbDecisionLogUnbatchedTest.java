package io.troth.coordinator.log.rocksdb;

/** The same contract with one record per batch: batching is never what makes it hold (pitfall 7). */
final class RocksDbDecisionLogUnbatchedTest extends RocksDbDecisionLogTest {
    @Override
    int recordsPerBatchMax() {
        return 1;
    }
}
