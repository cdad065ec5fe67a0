package io.troth.coordinator.log.raft;

import static io.troth.coordinator.log.Records.commit;
import static io.troth.coordinator.log.Records.epoch;
import static io.troth.coordinator.log.Records.tx;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertInstanceOf;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertThrows;

import io.troth.coordinator.engine.LeadershipLostException;
import io.troth.coordinator.log.LogEnvironment;
import io.troth.coordinator.log.Position;
import io.troth.coordinator.log.RecordingListener;
import io.troth.coordinator.log.ReplicatedEntry;
import io.troth.coordinator.log.rocksdb.AppliedStore;
import io.troth.coordinator.log.rocksdb.Logs;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import org.awaitility.Awaitility;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/**
 * Goal: a leadership that is over, whoever knows it first, is never taken for a log that has failed. Method: the log of one
 * term on a store, with no Raft behind it.
 */
class RaftDecisionLogTest {

    @TempDir
    Path temp;

    private Members members;
    private AppliedStore store;

    @BeforeEach
    void open() {
        members = new Members(temp, 1, 100_000);
        store = AppliedStore.open(settings().log(), Logs.environment());
    }

    @AfterEach
    void close() {
        store.close();
        members.close();
    }

    private RaftSettings settings() {
        return members.settings(members.nodes().get(0));
    }

    private RaftDecisionLog ofTerm(long term) {
        return new RaftDecisionLog(
                settings(), Logs.environment(), term, store, entry -> new CompletableFuture<>(), () -> {});
    }

    @Test
    void whatIsAskedAfterTheEndIsNotAnswered() {
        RaftDecisionLog log = ofTerm(3);
        log.recover(entry -> {});
        log.end("somebody else leads");
        assertThrows(LeadershipLostException.class, () -> log.find(tx(3, 1, 1)));
    }

    @Test
    void whatALaterLeaderMayHavePurgedIsNotSaidToBeUnknown() {
        RaftDecisionLog log = ofTerm(3);
        log.recover(entry -> {});
        store.apply(new Position(3, 7), new ReplicatedEntry(3, List.of(epoch(3), commit(tx(3, 1, 1))), null));
        assertNull(log.find(tx(3, 1, 2)));
        store.apply(new Position(5, 8), new ReplicatedEntry(5, List.of(epoch(5)), null));
        assertEquals(commit(tx(3, 1, 1)), log.find(tx(3, 1, 1)));
        assertThrows(LeadershipLostException.class, () -> log.find(tx(3, 1, 2)));
    }

    /** It would count as being on its way for ever, and the leader would send nothing more. */
    @Test
    void endsWhenSomethingIsThrownWhereAnEntryHasLanded() {
        LogEnvironment environment = Logs.environment((records, forced, nanos) -> {
            throw new IllegalStateException("for a test");
        });
        RaftDecisionLog log = new RaftDecisionLog(
                settings(), environment, 3, store, entry -> CompletableFuture.completedFuture(null), () -> {});
        log.recover(entry -> {});
        RecordingListener heard = new RecordingListener();
        log.start(3, heard);
        log.append(epoch(3), true);
        Awaitility.await().atMost(Duration.ofSeconds(60)).until(() -> heard.failure() != null);
        assertInstanceOf(LeadershipLostException.class, heard.failure());
        log.close();
    }

    @Test
    void recoversNothingOnceTheNextLeaderHasBegun() {
        assertEquals(3, ofTerm(3).recover(entry -> {}).nextEpoch());
        store.apply(new Position(5, 7), new ReplicatedEntry(5, List.of(epoch(5)), null));
        assertThrows(LeadershipLostException.class, () -> ofTerm(3).recover(entry -> {}));
        assertEquals(6, ofTerm(6).recover(entry -> {}).nextEpoch());
    }
}
