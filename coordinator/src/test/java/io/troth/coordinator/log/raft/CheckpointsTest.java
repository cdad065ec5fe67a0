package io.troth.coordinator.log.raft;

import static io.troth.coordinator.log.Records.epoch;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.troth.coordinator.log.Position;
import io.troth.coordinator.log.ReplicatedEntry;
import io.troth.coordinator.log.rocksdb.AppliedStore;
import io.troth.coordinator.log.rocksdb.Logs;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.stream.Stream;
import org.apache.ratis.server.protocol.TermIndex;
import org.apache.ratis.server.storage.RaftStorage;
import org.apache.ratis.statemachine.SnapshotInfo;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Goal: a copy of the store is whole or is none, and the newest is the one that is used. Method: the store of a member. */
class CheckpointsTest {

    @TempDir
    Path temp;

    private RaftFiles files;
    private RaftStorage storage;
    private AppliedStore store;
    private final Checkpoints checkpoints = new Checkpoints();

    @BeforeEach
    void open() throws IOException {
        RaftSettings settings = RaftSettings.defaults(
                Logs.settings(temp.resolve("a"), 1), "a", Map.of("a", "127.0.0.1:1"), Map.of(), null, 1_000);
        store = AppliedStore.open(settings.log(), Logs.environment());
        files = RaftFiles.of(settings);
        files.make(0);
        storage = files.storage(RaftStorage.StartupOption.RECOVER);
        AppliedStore.Applied unused = store.apply(new Position(1, 9), new ReplicatedEntry(1, List.of(epoch(1)), null));
    }

    @AfterEach
    void close() throws IOException {
        storage.close();
        store.close();
    }

    private void takeAt(long index) throws IOException {
        store.pass(new Position(1, index));
        assertEquals(new Position(1, index), checkpoints.take(store));
    }

    private void assertLatest(long index) throws IOException {
        assertEquals(
                new Position(1, index), Checkpoints.newest(files.checkpoints()).position());
        SnapshotInfo latest = checkpoints.getLatestSnapshot();
        assertEquals(TermIndex.valueOf(1, index), latest.getTermIndex());
        assertFalse(latest.getFiles().isEmpty());
    }

    private List<String> names() throws IOException {
        try (Stream<Path> all = Files.list(files.checkpoints())) {
            return all.map(each -> each.getFileName().toString()).sorted().toList();
        }
    }

    @Test
    void thereIsNoneBeforeOneIsTaken() throws IOException {
        checkpoints.init(storage);
        assertNull(checkpoints.newest());
        assertNull(checkpoints.getLatestSnapshot());
    }

    /** Where a process has died while it took one. */
    @Test
    void aCopyThatWasNotFinishedIsNoneAndIsInNobodysWay() throws IOException {
        checkpoints.init(storage);
        Path unfinished = storage.getStorageDir().getTmpDir().toPath().resolve("checkpoint");
        Files.createDirectories(unfinished);
        Files.writeString(unfinished.resolve("CURRENT"), "half");
        assertNull(checkpoints.newest());
        takeAt(10);
        assertLatest(10);
        assertFalse(Files.exists(unfinished));
        Path taken = files.checkpoints().resolve("checkpoint.1.10");
        assertTrue(Files.size(taken.resolve("CURRENT")) > 4, "it is that of the store");
    }

    /** A name says where a copy stands, and 9 comes before 10. */
    @Test
    void theNewestIsThatOfTheHighestEntry() throws IOException {
        checkpoints.init(storage);
        for (long index = 9; index <= 11; index++) {
            takeAt(index);
            assertLatest(index);
        }
        Files.createDirectory(files.checkpoints().resolve("checkpoint.1.12.tmp"));
        Files.createDirectory(files.checkpoints().resolve("old.checkpoint.1.13"));
        checkpoints.refresh();
        assertLatest(11);
    }

    @Test
    void isThereAfterTheNextStart() throws IOException {
        checkpoints.init(storage);
        takeAt(10);
        Checkpoints next = new Checkpoints();
        next.init(storage);
        assertEquals(TermIndex.valueOf(1, 10), next.getLatestSnapshot().getTermIndex());
    }

    /** The one before may be on its way to a member. */
    @Test
    void theLastTwoAreKept() throws IOException {
        checkpoints.init(storage);
        takeAt(9);
        checkpoints.cleanupOldSnapshots(null);
        assertEquals(List.of("checkpoint.1.9"), names());
        for (long index = 10; index <= 12; index++) {
            takeAt(index);
        }
        checkpoints.cleanupOldSnapshots(null);
        assertEquals(List.of("checkpoint.1.11", "checkpoint.1.12"), names());
        checkpoints.cleanupOldSnapshots(null);
        assertEquals(List.of("checkpoint.1.11", "checkpoint.1.12"), names());
    }

    /** Ratis leaves those beside what it has received, and would send them on. */
    @Test
    void checksumsAreNoPartOfACopy() throws IOException {
        checkpoints.init(storage);
        takeAt(10);
        int before = checkpoints.getLatestSnapshot().getFiles().size();
        Files.writeString(files.checkpoints().resolve("checkpoint.1.10").resolve("CURRENT.md5"), "0");
        checkpoints.refresh();
        assertEquals(before, checkpoints.getLatestSnapshot().getFiles().size());
    }
}
