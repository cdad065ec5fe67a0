package io.troth.coordinator.log.raft;

import static io.troth.coordinator.log.Records.commit;
import static io.troth.coordinator.log.Records.end;
import static io.troth.coordinator.log.Records.horizon;
import static io.troth.coordinator.log.Records.tx;
import static io.troth.coordinator.log.raft.Members.eventually;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.troth.coordinator.log.DiskWatch;
import io.troth.coordinator.log.LogEnvironment;
import io.troth.coordinator.log.LogObserver;
import io.troth.coordinator.log.LogSettings;
import io.troth.coordinator.log.RecordingListener;
import io.troth.coordinator.log.ReplicatedEntry;
import io.troth.coordinator.log.rocksdb.Logs;
import io.troth.core.BranchId;
import io.troth.core.ClusterId;
import io.troth.core.Proof;
import io.troth.core.coordinator.LogRecord;
import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicLong;
import java.util.stream.LongStream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

/**
 * Goal: what the leader of one term hands to Raft, and how much of it at once. Method: a Raft of this test, which takes an
 * entry and says what became of it when the test wants.
 */
class ProposerTest {

    private static final long TERM = 3;
    private static final int IN_FLIGHT_MAX = 2;
    private static final long LAZY_IDLE_MILLIS = 20;
    private static final long KEEP_ALIVE_MILLIS = 50;
    private static final long STALL_MILLIS = 1_000;

    /** An entry that Raft has been given. */
    private record Sent(ReplicatedEntry entry, CompletableFuture<Void> applied) {}

    private final List<Sent> sent = new CopyOnWriteArrayList<>();
    private final List<Thread> threads = new CopyOnWriteArrayList<>();
    private final List<Throwable> unknown = new CopyOnWriteArrayList<>();
    private final RecordingListener heard = new RecordingListener();
    private volatile boolean throwing;
    private final AtomicLong nanos = new AtomicLong();
    private final RaftSettings settings = new RaftSettings(
            new LogSettings(Path.of("unused"), new ClusterId(1), 1_024, LAZY_IDLE_MILLIS, STALL_MILLIS, 0),
            "a",
            Map.of("a", "localhost:1"),
            Map.of(),
            null,
            1_000,
            100_000,
            IN_FLIGHT_MAX,
            KEEP_ALIVE_MILLIS);
    private final LogEnvironment environment = environment();
    private final DiskWatch watch =
            new DiskWatch(heard, nanos::get, () -> Long.MAX_VALUE, environment.threads(), STALL_MILLIS, 0);
    private final Proposer proposer = new Proposer(settings, environment, TERM, this::take, watch, unknown::add);

    private LogEnvironment environment() {
        LogEnvironment real = Logs.environment();
        return new LogEnvironment(nanos::get, real.clock(), real.random(), this::thread, LogObserver.NONE);
    }

    private Thread thread(Runnable task) {
        Thread thread = Logs.environment().threads().newThread(task);
        threads.add(thread);
        return thread;
    }

    private CompletableFuture<Void> take(byte[] entry) {
        if (throwing) {
            throw new IllegalStateException("for the test");
        }
        CompletableFuture<Void> applied = new CompletableFuture<>();
        sent.add(new Sent(ReplicatedEntry.decode(entry), applied));
        return applied;
    }

    @AfterEach
    void close() {
        proposer.end();
    }

    private void append(long... sequences) {
        LongStream.of(sequences).forEach(sequence -> proposer.append(commit(tx(TERM, 1, sequence)), true));
    }

    private static ReplicatedEntry entry(LogRecord... records) {
        return new ReplicatedEntry(TERM, List.of(records));
    }

    private List<ReplicatedEntry> entries() {
        return sent.stream().map(Sent::entry).toList();
    }

    private void pass(long millis) {
        nanos.addAndGet(TimeUnit.MILLISECONDS.toNanos(millis));
    }

    private void awaitThreadsEnd() {
        eventually().until(() -> threads.stream().noneMatch(Thread::isAlive));
    }

    private void awaitSent(int count) {
        eventually().until(() -> sent.size() >= count);
    }

    /** As many as may be on their way: what is appended from now on waits. */
    private void fill() {
        proposer.start();
        for (int i = 1; i <= IN_FLIGHT_MAX; i++) {
            append(i);
            awaitSent(i);
        }
    }

    @Test
    void aPurgeIsAnEntryOfItsOwn() {
        fill();
        append(3);
        proposer.purge(horizon(TERM, 1));
        append(4, 5);
        for (int i = 0; i < 5; i++) {
            awaitSent(i + 1);
            sent.get(i).applied().complete(null);
        }
        assertEquals(
                List.of(
                        entry(commit(tx(TERM, 1, 3))),
                        new ReplicatedEntry(TERM, List.of(), horizon(TERM, 1)),
                        entry(commit(tx(TERM, 1, 4)), commit(tx(TERM, 1, 5)))),
                entries().subList(2, 5));
        assertEquals(List.of(), unknown);
    }

    /** What an operator who has only some members left takes for decided depends on it: see {@link StoppedMember}. */
    @Test
    void noMoreAreOnTheirWayThanAllowed() {
        fill();
        long[] waiting = LongStream.rangeClosed(IN_FLIGHT_MAX + 1, 100).toArray();
        append(waiting);
        sent.get(0).applied().complete(null);
        awaitSent(IN_FLIGHT_MAX + 1);
        LogRecord[] together = LongStream.of(waiting)
                .mapToObj(sequence -> commit(tx(TERM, 1, sequence)))
                .toArray(LogRecord[]::new);
        assertEquals(List.of(entry(commit(tx(TERM, 1, 1))), entry(commit(tx(TERM, 1, 2))), entry(together)), entries());
    }

    /** Raft takes no entry of any size. */
    @Test
    void anEntryIsNotMuchLargerThanAMegabyte() {
        fill();
        List<LogRecord> large = LongStream.rangeClosed(1, 80)
                .<LogRecord>mapToObj(sequence -> new LogRecord.Commit(tx(TERM, 2, sequence), manyBranches()))
                .toList();
        long bytes = large.stream().mapToLong(ReplicatedEntry::bytes).sum();
        assertTrue(bytes > Proposer.ENTRY_BYTES_MAX && bytes < 2 * Proposer.ENTRY_BYTES_MAX, bytes + " bytes");
        large.forEach(record -> proposer.append(record, true));
        for (int i = 0; i < 4; i++) {
            awaitSent(i + 1);
            sent.get(i).applied().complete(null);
        }
        List<LogRecord> found = new ArrayList<>();
        for (ReplicatedEntry entry : entries().subList(2, 4)) {
            found.addAll(entry.records());
            assertTrue(entry.encode().length < Proposer.ENTRY_BYTES_MAX + 1_000, "too large");
        }
        assertEquals(large, found);
    }

    private static List<LogRecord.YesBranch> manyBranches() {
        return LongStream.range(0, 256)
                .mapToObj(counter -> new LogRecord.YesBranch(
                        new BranchId(7, counter), "accounts", Proof.of(new byte[Proof.BYTES_MAX])))
                .toList();
    }

    @Test
    void aLazyRecordWaitsForAForcedOneOrForTheIdleTime() {
        proposer.start();
        proposer.append(end(tx(TERM, 1, 1)), false);
        append(2);
        awaitSent(1);
        sent.get(0).applied().complete(null);
        proposer.append(end(tx(TERM, 1, 2)), false);
        pass(LAZY_IDLE_MILLIS);
        awaitSent(2);
        assertEquals(
                List.of(entry(end(tx(TERM, 1, 1)), commit(tx(TERM, 1, 2))), entry(end(tx(TERM, 1, 2)))), entries());
    }

    @Test
    void withNothingToSayItSendsAnEmptyEntryFromTimeToTime() {
        proposer.start();
        pass(KEEP_ALIVE_MILLIS);
        awaitSent(1);
        assertEquals(List.of(entry()), entries());
    }

    /** The oldest one that is on its way counts, and the next one when that has landed. */
    @Test
    void tellsOfAnEntryThatDoesNotLand() {
        fill();
        pass(2 * STALL_MILLIS);
        eventually().until(() -> heard.stalls().equals(List.of(true)));
        sent.get(0).applied().complete(null);
        assertEquals(List.of(true, false), heard.stalls());
        pass(2 * STALL_MILLIS);
        eventually().until(() -> heard.stalls().equals(List.of(true, false, true)));
        sent.get(1).applied().complete(null);
        assertEquals(List.of(true, false, true, false), heard.stalls());
    }

    @Test
    void aStopSendsWhatWaitsAndWaitsForItsEnd() {
        proposer.start();
        proposer.append(end(tx(TERM, 1, 1)), false);
        CompletableFuture<Void> stopped = CompletableFuture.runAsync(
                () -> proposer.stop(TimeUnit.MINUTES.toNanos(10)), task -> new Thread(task).start());
        awaitSent(1);
        append(2);
        assertFalse(stopped.isDone());
        sent.get(0).applied().complete(null);
        eventually().until(stopped::isDone);
        awaitThreadsEnd();
        assertEquals(List.of(entry(end(tx(TERM, 1, 1)))), entries());
    }

    /** Protocol L4: there is no "failed", and nothing may follow what perhaps is not there. */
    @Test
    void sendsNothingAfterAnEntryOfUnknownEnd() {
        fill();
        append(3);
        throwing = true;
        sent.get(0).applied().complete(null);
        eventually().until(() -> !unknown.isEmpty());
        throwing = false;
        append(4);
        awaitThreadsEnd();
        assertEquals(IN_FLIGHT_MAX, sent.size());
    }

    @Test
    void anEntryThatRaftDoesNotTakeIsTheLastOne() {
        fill();
        append(3);
        sent.get(1).applied().completeExceptionally(new IOException("for the test"));
        eventually().until(() -> !unknown.isEmpty());
        append(4);
        sent.get(0).applied().complete(null);
        awaitThreadsEnd();
        assertEquals(IN_FLIGHT_MAX, sent.size());
    }
}
