package io.troth.coordinator.log.rocksdb;

import static io.troth.coordinator.log.Records.commit;
import static io.troth.coordinator.log.Records.epoch;
import static io.troth.coordinator.log.Records.tx;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotNull;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.troth.coordinator.log.Position;
import io.troth.coordinator.log.ReplicatedEntry;
import io.troth.core.coordinator.LogRecord;
import java.nio.file.Path;
import java.util.List;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.Semaphore;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicBoolean;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/**
 * Goal: a member applies what leaders of one term after the other have appended, each entry once, and nothing that no
 * leader can have appended (protocol L3). Method: entries as Raft hands them over, and as a broken Raft would.
 */
class AppliedStoreTest {

    @TempDir
    Path temp;

    private AppliedStore store;
    private long index;

    @BeforeEach
    void open() {
        store = AppliedStore.open(Logs.settings(temp.resolve("data")), Logs.environment());
    }

    @AfterEach
    void close() {
        store.close();
    }

    private AppliedStore.Applied apply(long term, LogRecord... records) {
        return store.apply(new Position(term, ++index), new ReplicatedEntry(term, List.of(records)));
    }

    @Test
    void nothingIsAppliedBeforeTheEpochOfItsTerm() {
        assertThrows(IllegalStateException.class, () -> apply(1, commit(tx(1, 1, 1))));
        assertNotNull(apply(1, epoch(1)));
        assertNotNull(apply(1, commit(tx(1, 1, 1))));
        assertThrows(IllegalStateException.class, () -> apply(2, commit(tx(1, 1, 2))));
        assertNull(store.find(tx(1, 1, 2)));
        assertNotNull(apply(2, epoch(2)));
    }

    @Test
    void anEpochIsThatOfItsTermAndComesOnce() {
        assertThrows(IllegalStateException.class, () -> apply(3, epoch(2)));
        assertThrows(IllegalStateException.class, () -> apply(3, epoch(4)));
        assertNotNull(apply(3, epoch(3)));
        assertThrows(IllegalStateException.class, () -> apply(3, epoch(3)));
    }

    @Test
    void anEntryCountsOnceAndOnlyInTheTermOfItsLeader() {
        assertNotNull(apply(1, epoch(1)));
        assertNotNull(apply(1, commit(tx(1, 1, 1))));
        Position last = store.position();
        assertNull(store.apply(last, new ReplicatedEntry(1, List.of(commit(tx(1, 1, 2))))));
        assertNull(store.find(tx(1, 1, 2)));
        assertNotNull(apply(2, epoch(2)));
        assertNull(store.apply(
                new Position(2, ++index), new ReplicatedEntry(1, List.of(commit(tx(1, 1, 3)), commit(tx(2, 1, 1))))));
        assertNull(store.find(tx(1, 1, 3)));
        assertNull(store.find(tx(2, 1, 1)));
        assertEquals(new Position(2, index), store.position());
    }

    /** Who is to lead takes an epoch above all that were ever heard of, also after a DISTRUST of less (protocol L3). */
    @Test
    void theEpochsOfLaterTermsNeverFall() {
        assertNotNull(apply(1, epoch(1)));
        assertNotNull(apply(1, new LogRecord.Distrust(41)));
        assertEquals(42, store.epochOf(2));
        assertNotNull(apply(1, new LogRecord.Distrust(3)));
        assertEquals(42, store.epochOf(2));
    }

    /** After a crash Raft goes once more through what the store has already. */
    @Test
    void itsPlaceNeverGoesBack() {
        assertNotNull(apply(1, epoch(1)));
        store.pass(new Position(1, 9));
        store.pass(new Position(1, 5));
        assertEquals(new Position(1, 9), store.position());
        assertNull(store.apply(new Position(1, 8), new ReplicatedEntry(1, List.of(commit(tx(1, 1, 1))))));
        assertNull(store.find(tx(1, 1, 1)));
    }

    /** Raft goes on behind a copy at the place that it says. */
    @Test
    void aCopyIsAtThePlaceOfItsStoreAlsoWhereNothingWasWrittenLast() throws Exception {
        assertNotNull(apply(1, epoch(1)));
        store.pass(new Position(2, 9));
        assertEquals(new Position(2, 9), store.checkpoint(temp.resolve("copy")));
        store.replaceBy(temp.resolve("copy"));
        assertEquals(new Position(2, 9), store.position());
    }

    /** Raft tells late that a term is over: what a later leader has appended is not this one's to recover. */
    @Test
    void nobodyRecoversForATermAfterWhichAnotherHasAppended() {
        assertNotNull(apply(1, epoch(1)));
        assertNotNull(store.replay(1, () -> false, entry -> {}));
        assertNotNull(apply(2, epoch(2)));
        assertNull(store.replay(1, () -> false, entry -> {}));
        assertNotNull(store.replay(2, () -> false, entry -> {}));
        assertNull(store.replay(2, () -> true, entry -> {}));
    }

    /** An engine that has not heard yet that its term is over may ask for a COMMIT while the member takes another's store. */
    @Test
    void findsOnWhileItIsReplaced() throws Exception {
        assertNotNull(apply(1, epoch(1)));
        assertNotNull(apply(1, commit(tx(1, 1, 1))));
        AtomicBoolean over = new AtomicBoolean();
        Semaphore asked = new Semaphore(0);
        ExecutorService engine = Executors.newSingleThreadExecutor();
        try {
            Future<?> asks = engine.submit(() -> {
                while (!over.get()) {
                    assertNotNull(store.find(tx(1, 1, 1)));
                    asked.release();
                }
            });
            for (int i = 0; i < 5; i++) {
                asked.drainPermits();
                assertTrue(asked.tryAcquire(60, TimeUnit.SECONDS), "it asks no more");
                Path checkpoint = temp.resolve("checkpoint-" + i);
                assertEquals(store.position(), store.checkpoint(checkpoint));
                store.replaceBy(checkpoint);
            }
            over.set(true);
            asks.get(60, TimeUnit.SECONDS);
        } finally {
            over.set(true);
            engine.shutdownNow();
        }
    }
}
