package io.troth.coordinator.log.raft;

import static io.troth.coordinator.log.Records.commit;
import static io.troth.coordinator.log.Records.epoch;
import static io.troth.coordinator.log.Records.tx;
import static io.troth.coordinator.log.raft.Members.eventually;
import static org.junit.jupiter.api.Assertions.assertEquals;

import io.troth.coordinator.log.RecordingListener;
import io.troth.coordinator.log.rocksdb.AppliedStore;
import io.troth.coordinator.log.rocksdb.Logs;
import io.troth.core.coordinator.LogRecord;
import java.nio.file.Path;
import java.util.List;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/**
 * Goal: a member that dies between the moment in which Raft has put a leader's checkpoint in its place and the one in which
 * the store goes on from it misses nothing. Method: the files as they are at that moment.
 */
class InstalledCheckpointTest {

    @TempDir
    Path temp;

    private Members members;
    private final RecordingListener heard = new RecordingListener();

    @AfterEach
    void close() {
        members.close();
    }

    private void force(Members.Lead leader, LogRecord record) {
        leader.log().append(record, true);
        eventually().until(() -> heard.records().contains(record));
    }

    private AppliedStore store(String node) {
        return members.member(node).machine().store();
    }

    private Path checkpoints(String node) {
        return RaftFiles.of(members.settings(node)).group().resolve("sm");
    }

    @Test
    void theStoreGoesOnFromACheckpointThatItHasNotTakenOver() throws Exception {
        members = new Members(temp, 3, 100_000);
        members.startAll();
        Members.Lead leader = members.awaitLead();
        long own = leader.log().recover(entry -> {}).nextEpoch();
        leader.log().start(own, heard);
        force(leader, epoch(own));
        force(leader, commit(tx(own, 1, 1)));
        String late = members.others(leader.node()).get(0);
        eventually().until(() -> store(late).find(tx(own, 1, 1)) != null);
        members.stop(late);
        force(leader, commit(tx(own, 1, 2)));
        members.member(leader.node()).checkpoint().get(60, TimeUnit.SECONDS);
        Logs.copy(checkpoints(leader.node()), checkpoints(late));
        force(leader, commit(tx(own, 1, 3)));

        members.start(late);
        eventually().until(() -> store(late).find(tx(own, 1, 3)) != null);
        assertEquals(commit(tx(own, 1, 2)), store(late).find(tx(own, 1, 2)));
        eventually()
                .until(() -> store(late).content().equals(store(leader.node()).content()));
        assertEquals(List.of(), members.failures);
    }
}
