package io.troth.bench.recovery;

import io.troth.coordinator.engine.LogListener;
import io.troth.coordinator.log.LogEnvironment;
import io.troth.coordinator.log.LogObserver;
import io.troth.coordinator.log.LogSettings;
import io.troth.coordinator.log.rocksdb.RocksDbDecisionLog;
import io.troth.core.BranchId;
import io.troth.core.ClusterId;
import io.troth.core.EpochId;
import io.troth.core.GlobalTxId;
import io.troth.core.Proof;
import io.troth.core.coordinator.LogEntry;
import io.troth.core.coordinator.LogRecord;
import io.troth.core.coordinator.LogRecord.YesBranch;
import java.nio.file.Path;
import java.security.SecureRandom;
import java.time.Clock;
import java.util.List;
import java.util.concurrent.Semaphore;

/** Writes decision logs through the product's own log, as a coordinator would that had decided so much. */
final class LogFiller {

    /** The resources of every transaction. */
    static final List<String> RESOURCES = List.of("bank-a", "bank-b");

    /** The epoch of every transaction; the next leader's is higher. */
    static final EpochId EPOCH = new EpochId(1, 0x1234_5678L);

    /** As long as PostgreSQL's. */
    private static final Proof PROOF = Proof.of(new byte[33]);

    private static final long INSTANCE = 77;
    private static final long TRANSACTIONS_PER_SESSION = 10_000;
    private static final int WAITING_MAX = 65_536;

    /** An END comes when its COMMIT is applied. */
    private static final long CHUNK = 20_000;

    private LogFiller() {}

    /** The transaction with this number, from 0. */
    static GlobalTxId transaction(long number) {
        return new GlobalTxId(0, EPOCH, 1 + number / TRANSACTIONS_PER_SESSION, 1 + number % TRANSACTIONS_PER_SESSION);
    }

    /** Its branch at a resource. */
    static BranchId branch(long number, int resource) {
        return new BranchId(INSTANCE, 1 + number * RESOURCES.size() + resource);
    }

    /**
     * Fills a new log with decisions to commit.
     *
     * @param ended whether all of them are done everywhere; else none is, and recovery will find them all
     * @return the cluster that the log is of
     */
    static ClusterId fill(Path directory, long transactions, boolean ended) throws InterruptedException {
        LogEnvironment environment = new LogEnvironment(
                System::nanoTime, Clock.systemUTC(), new SecureRandom()::nextLong, Thread::new, LogObserver.NONE);
        try (RocksDbDecisionLog log = RocksDbDecisionLog.open(LogSettings.defaults(directory), environment)) {
            log.recover(entry -> {});
            Flow flow = new Flow();
            log.start(EPOCH.number(), flow);
            flow.append(log, new LogRecord.Epoch(EPOCH), true);
            for (long from = 0; from < transactions; from += CHUNK) {
                long to = Math.min(transactions, from + CHUNK);
                for (long i = from; i < to; i++) {
                    flow.append(log, new LogRecord.Commit(transaction(i), List.of(yes(i, 0), yes(i, 1))), true);
                }
                if (ended) {
                    flow.awaitAll();
                    for (long i = from; i < to; i++) {
                        flow.append(log, new LogRecord.End(transaction(i)), false);
                    }
                }
            }
            flow.awaitAll();
            return log.cluster();
        }
    }

    private static YesBranch yes(long number, int resource) {
        return new YesBranch(branch(number, resource), RESOURCES.get(resource), PROOF);
    }

    /** Lets only so many records wait, since the log takes them without limit. */
    private static final class Flow implements LogListener {

        private final Semaphore room = new Semaphore(WAITING_MAX);
        private volatile boolean failed;

        void append(RocksDbDecisionLog log, LogRecord record, boolean forced) throws InterruptedException {
            room.acquire();
            check();
            log.append(record, forced);
        }

        void awaitAll() throws InterruptedException {
            room.acquire(WAITING_MAX);
            check();
            room.release(WAITING_MAX);
        }

        private void check() {
            if (failed) {
                throw new IllegalStateException("the log cannot be written");
            }
        }

        @Override
        public void applied(List<LogEntry> entries, long durableBatch) {
            room.release(entries.size());
        }

        @Override
        public void failed(Throwable cause) {
            failed = true;
            room.release(WAITING_MAX);
        }

        @Override
        public void stalled(boolean stalled) {
            // A slow disk makes the filling slow, and nothing else.
        }

        @Override
        public void free(boolean aboveFloor, long freeBytes) {
            if (!aboveFloor) {
                failed(new IllegalStateException("only " + freeBytes + " bytes are left on the disk"));
            }
        }
    }
}
