package io.troth.coordinator.log.raft;

import static io.troth.coordinator.log.Records.commit;
import static io.troth.coordinator.log.Records.end;
import static io.troth.coordinator.log.Records.epoch;
import static io.troth.coordinator.log.Records.heuristic;
import static io.troth.coordinator.log.Records.horizon;
import static io.troth.coordinator.log.Records.tx;
import static io.troth.coordinator.log.raft.Members.eventually;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.troth.coordinator.engine.DecisionLog;
import io.troth.coordinator.engine.Recovered;
import io.troth.coordinator.log.LogRefusal;
import io.troth.coordinator.log.LogRefusedException;
import io.troth.coordinator.log.LogSettings;
import io.troth.coordinator.log.RecordingListener;
import io.troth.coordinator.log.ReplicatedEntry;
import io.troth.coordinator.log.Watermark;
import io.troth.coordinator.log.rocksdb.AppliedStore;
import io.troth.coordinator.log.rocksdb.Logs;
import io.troth.coordinator.log.rocksdb.RocksDbDecisionLog;
import io.troth.core.ClusterId;
import io.troth.core.coordinator.LogEntry;
import io.troth.core.coordinator.LogRecord;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;
import org.apache.ratis.util.FileUtils;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.function.Executable;
import org.junit.jupiter.api.io.TempDir;

/**
 * Goal: a log that goes on as another kind loses nothing that was decided, tells nothing that was not, and is never two.
 * Method: real logs and members in this JVM; disks are copied while they are in use, as a crash leaves them.
 */
class ConversionTest {

    /** What the single node's log holds beside its COMMITs makes epochs go on from here. */
    private static final long DISTRUSTED = 5;

    @TempDir
    Path temp;

    private Members members;
    private String first;
    private RecordingListener heard = new RecordingListener();
    private long epochNumber;

    @BeforeEach
    void name() {
        members = new Members(temp.resolve("members"), 3, 100_000);
        first = members.nodes().get(0);
    }

    @AfterEach
    void close() {
        members.close();
        assertEquals(List.of(), members.failures);
    }

    private LogSettings single(String node) {
        return Logs.settings(members.directory(node), 1_024);
    }

    private void found(String node) throws IOException {
        Conversion.found(members.settings(node), Logs.environment());
    }

    private static LogRefusal refusal(Executable what) {
        return assertThrows(LogRefusedException.class, what).refusal();
    }

    /** Recovers a log and leads it; what it held. */
    private List<LogRecord> lead(DecisionLog log) {
        List<LogEntry> replayed = new ArrayList<>();
        Recovered recovered = log.recover(replayed::add);
        assertTrue(recovered.nextEpoch() > recovered.highestEpoch(), recovered::toString);
        epochNumber = recovered.nextEpoch();
        heard = new RecordingListener();
        log.start(epochNumber, heard);
        force(log, epoch(epochNumber));
        return replayed.stream().map(LogEntry::record).toList();
    }

    private void force(DecisionLog log, LogRecord record) {
        log.append(record, true);
        eventually().until(() -> heard.records().contains(record));
    }

    /** The log of a single node with every kind of record: one COMMIT has ended, two have not. */
    private List<LogRecord> leaveLogOfSingleNode(String node) {
        try (RocksDbDecisionLog log = RocksDbDecisionLog.open(single(node), Logs.environment())) {
            lead(log);
            for (long sequence = 1; sequence <= 3; sequence++) {
                force(log, commit(tx(1, 1, sequence)));
            }
            log.append(end(tx(1, 1, 1)), false);
            force(log, heuristic(tx(1, 1, 2)));
            force(log, horizon(1, 0));
            force(log, new LogRecord.Distrust(DISTRUSTED));
        }
        try (RocksDbDecisionLog log = RocksDbDecisionLog.open(single(node), Logs.environment())) {
            return lead(log);
        }
    }

    private Members.Lead awaitLead(String node) {
        return members.awaitLead(lead -> lead.node().equals(node));
    }

    private void add(String node) throws Exception {
        members.start(node);
        members.member(first).add(node, members.address(node), null).get(60, TimeUnit.SECONDS);
    }

    private List<String> contentOf(String node) {
        return members.member(node).machine().store().content();
    }

    /** As the machine would find them if it lost its power now. */
    private void crash(String name) throws IOException {
        members.copyTo(temp.resolve(name));
        members.stopAll();
    }

    /** The first member leads two others, all with the log of a single node; the epoch of a COMMIT of theirs. */
    private long becomesThree(List<LogRecord> before) throws Exception {
        long epochOfSingle = epochNumber;
        found(first);
        assertEquals(
                LogRefusal.REPLICATED,
                refusal(() -> RocksDbDecisionLog.open(single(first), Logs.environment())
                        .close()));
        assertEquals(LogRefusal.REPLICATED, refusal(() -> found(first)), "twice");

        members.start(first);
        List<LogRecord> replayed = new ArrayList<>(lead(awaitLead(first).log()));
        assertTrue(replayed.remove(epoch(epochOfSingle)), replayed::toString);
        assertEquals(before, replayed);
        assertTrue(epochNumber > epochOfSingle && epochOfSingle > DISTRUSTED, epochNumber + " after " + epochOfSingle);
        assertEquals(commit(tx(1, 1, 1)), awaitLead(first).log().find(tx(1, 1, 1)), "it has ended");
        for (String node : members.others(first)) {
            add(node);
        }
        force(awaitLead(first).log(), commit(tx(epochNumber, 1, 1)));
        for (String node : members.others(first)) {
            eventually().until(() -> contentOf(node).equals(contentOf(first)));
        }
        return epochNumber;
    }

    @Test
    void theLogOfASingleNodeGoesOnInThreeMembersAndBackInOne() throws Exception {
        List<LogRecord> before = leaveLogOfSingleNode(first);
        long epochOfThree = becomesThree(before);

        members.kill(first);
        Members.Lead next = members.awaitLead();
        List<LogRecord> replayed = lead(next.log());
        assertTrue(
                replayed.containsAll(before) && replayed.contains(commit(tx(epochOfThree, 1, 1))), replayed::toString);
        assertEquals(commit(tx(1, 1, 1)), next.log().find(tx(1, 1, 1)));
        next.log().append(end(tx(1, 1, 2)), true);
        force(next.log(), commit(tx(epochNumber, 1, 1)));

        // There are others that may know more, and that run.
        assertEquals(
                LogRefusal.NOT_ALONE, refusal(() -> Conversion.dissolve(members.settings(first), Logs.environment())));
        assertEquals(
                LogRefusal.NOT_ALONE,
                refusal(() -> Conversion.restore(members.settings(first), Logs.environment(), 0)));
        members.start(first);
        eventually().until(() -> contentOf(first).equals(contentOf(next.node())));
        members.member(next.node()).transferLeadership(first).get(60, TimeUnit.SECONDS);
        long epochOfSecond = epochNumber;
        lead(awaitLead(first).log());
        for (String node : members.others(first)) {
            members.member(first).remove(node).get(60, TimeUnit.SECONDS);
        }
        force(awaitLead(first).log(), commit(tx(epochNumber, 1, 1)));
        crash("second");

        Conversion.dissolve(members.settings(first), Logs.environment());
        assertEquals(LogRefusal.NOT_REPLICATED, refusal(() -> members.start(first)));
        long epochOfLast = epochNumber;
        try (RocksDbDecisionLog log = RocksDbDecisionLog.open(single(first), Logs.environment())) {
            replayed = lead(log);
            assertTrue(
                    replayed.containsAll(List.of(
                            commit(tx(1, 1, 3)),
                            commit(tx(epochOfThree, 1, 1)),
                            commit(tx(epochOfSecond, 1, 1)),
                            commit(tx(epochOfLast, 1, 1)))),
                    replayed::toString);
            assertFalse(replayed.contains(commit(tx(1, 1, 2))), "it has ended");
            assertEquals(commit(tx(1, 1, 2)), log.find(tx(1, 1, 2)));
            assertEquals(epochOfLast + 1, epochNumber);
        }
        for (String node : members.others(first)) {
            assertEquals(
                    LogRefusal.NOT_ALONE,
                    refusal(() -> Conversion.dissolve(members.settings(node), Logs.environment())),
                    "a removed one");
        }
    }

    @Test
    void aFoundingThatWasForgottenIsNoLostMember() throws Exception {
        List<LogRecord> before = leaveLogOfSingleNode(first);
        assertEquals(LogRefusal.NOT_REPLICATED, refusal(() -> members.start(first)));
        assertEquals(
                LogRefusal.NOT_REPLICATED,
                refusal(() -> Conversion.dissolve(members.settings(first), Logs.environment())));
        try (RocksDbDecisionLog log = RocksDbDecisionLog.open(single(first), Logs.environment())) {
            assertTrue(lead(log).containsAll(before));
        }
    }

    @Test
    void aFoundingThatIsInterruptedLeavesTheLogOfASingleNode() throws Exception {
        List<LogRecord> before = leaveLogOfSingleNode(first);
        assertThrows(
                IOException.class,
                () -> AppliedStore.found(members.settings(first).log(), Logs.environment(), () -> {
                    RaftFiles.of(members.settings(first)).make(1);
                    new MemberFile(new MemberId(first, 1), List.of(new MemberId(first, 1)))
                            .write(members.directory(first));
                    throw new IOException("no power");
                }));
        assertEquals(LogRefusal.NOT_REPLICATED, refusal(() -> members.start(first)));
        try (RocksDbDecisionLog log = RocksDbDecisionLog.open(single(first), Logs.environment())) {
            assertTrue(lead(log).containsAll(before));
        }
        found(first);
        members.start(first);
        assertTrue(lead(awaitLead(first).log()).containsAll(before));
    }

    @Test
    void aClusterIsFoundedOnWhatIsTheLogOfNobodyElse() throws Exception {
        assertEquals(LogRefusal.UNUSABLE, refusal(() -> found(first)), "there is none");
        assertFalse(Files.exists(members.directory(first)));
        leaveLogOfSingleNode(first);
        try (RocksDbDecisionLog running = RocksDbDecisionLog.open(single(first), Logs.environment())) {
            assertEquals(LogRefusal.IN_USE, refusal(() -> found(first)));
            assertNull(running.find(tx(1, 1, 9)));
        }
        RaftSettings settings = members.settings(first);
        LogSettings foreign = new LogSettings(members.directory(first), new ClusterId(1), 1_024, 20, 30_000, 0);
        RaftSettings other = RaftSettings.defaults(foreign, first, settings.nodes(), settings.endpoints(), null, 1_000);
        assertEquals(LogRefusal.FOREIGN_CLUSTER, refusal(() -> Conversion.found(other, Logs.environment())));
        assertFalse(Files.exists(members.directory(first).resolve(RaftFiles.DIRECTORY)));
        String second = members.others(first).get(0);
        leaveLogOfSingleNode(second);
        Logs.damage(members.directory(second));
        assertEquals(LogRefusal.DAMAGED, refusal(() -> found(second)));
        assertFalse(Files.exists(members.directory(second).resolve(RaftFiles.DIRECTORY)));
    }

    @Test
    void ofASurvivorIsKeptWhatWasDecidedAndNothingElse() throws Exception {
        // What the leader sends is what the test lets it send.
        members.keepAliveMillis = 600_000;
        members.startAll();
        Members.Lead leader = members.awaitLead();
        lead(leader.log());
        for (long sequence = 1; sequence <= 10; sequence++) {
            force(leader.log(), commit(tx(epochNumber, 1, sequence)));
        }
        long last = epochNumber;
        members.others(leader.node()).forEach(members::stop);
        // It comes into the log of one member, and nobody will ever have heard of it.
        leader.log().append(commit(tx(last, 1, 11)), true);
        eventually().until(() -> isInLog(leader.node(), commit(tx(last, 1, 11))));
        crash("survivor");
        String survivor = leader.node();
        first = survivor;
        for (String lost : members.others(survivor)) {
            FileUtils.deleteFully(members.directory(lost));
        }

        Conversion.Restored restored = Conversion.restore(members.settings(survivor), Logs.environment(), 0);
        assertEquals(last, restored.log().highestEpoch());
        assertEquals(2, restored.entriesLeftOut());
        members.keepAliveMillis = 100;
        members.start(survivor);
        List<LogRecord> replayed = lead(awaitLead(survivor).log());
        assertTrue(epochNumber > last + 1_000_000, "epoch " + epochNumber);
        assertTrue(replayed.contains(new LogRecord.Distrust(last + 1_000_000)), replayed::toString);
        // Of the last two that it sent nobody can know whether they were decided.
        for (long sequence = 1; sequence <= 11; sequence++) {
            assertEquals(sequence <= 9, replayed.contains(commit(tx(last, 1, sequence))), "COMMIT " + sequence);
        }
        for (String node : members.others(survivor)) {
            add(node);
        }
        force(awaitLead(survivor).log(), commit(tx(epochNumber, 1, 1)));
        for (String node : members.others(survivor)) {
            eventually().until(() -> contentOf(node).equals(contentOf(survivor)));
        }
    }

    /** Raft writes meanwhile: what can be read counts. */
    private boolean isInLog(String node, LogRecord record) {
        List<LogRecord> found = new ArrayList<>();
        try {
            RaftFiles.of(members.settings(node)).read(entry -> {
                if (entry.hasStateMachineLogEntry()) {
                    found.addAll(ReplicatedEntry.decode(
                                    entry.getStateMachineLogEntry().getLogData().toByteArray())
                            .records());
                }
            });
        } catch (IOException e) {
            return false;
        }
        return found.contains(record);
    }

    @Test
    void aRestoreThatIsInterruptedLeavesNobodysLogAndIsDoneOnceMore() throws Exception {
        members = new Members(temp.resolve("one"), 1, 100_000);
        String survivor = members.nodes().get(0);
        members.startAll();
        Members.Lead leader = members.awaitLead();
        lead(leader.log());
        for (long sequence = 1; sequence <= 5; sequence++) {
            force(leader.log(), commit(tx(epochNumber, 1, sequence)));
        }
        crash("survivor");
        damageRaftLog(survivor);
        assertEquals(LogRefusal.RAFT_LOG_DAMAGED, refusal(() -> members.start(survivor)));

        MemberFile.delete(members.directory(survivor));
        assertEquals(LogRefusal.MEMBER_LOST, refusal(() -> members.start(survivor)));
        Conversion.Restored restored = Conversion.restore(members.settings(survivor), Logs.environment(), 77);
        assertEquals(77, restored.log().distrusted());
        // As a crash before the last step leaves it.
        MemberFile.delete(members.directory(survivor));
        assertEquals(LogRefusal.MEMBER_LOST, refusal(() -> members.start(survivor)));
        Conversion.restore(members.settings(survivor), Logs.environment(), 99);
        members.start(survivor);
        List<LogRecord> replayed = lead(awaitLead(survivor).log());
        assertTrue(replayed.contains(new LogRecord.Distrust(99)), replayed::toString);
        assertEquals(100, epochNumber);
    }

    private void damageRaftLog(String node) throws IOException {
        Path log = members.raftLog(node);
        byte[] bytes = Files.readAllBytes(log);
        bytes[400] ^= 1;
        Files.write(log, bytes);
    }

    @Test
    void theLogOfASingleNodeThatHasLostItsEndIsRestoredAsThatOfAMember() throws Exception {
        List<LogRecord> before = leaveLogOfSingleNode(first);
        new Watermark(1_000, 1).write(members.directory(first));
        assertEquals(LogRefusal.TAIL_LOST, refusal(() -> found(first)));
        Conversion.restore(members.settings(first), Logs.environment(), 99);
        members.start(first);
        List<LogRecord> replayed = lead(awaitLead(first).log());
        assertTrue(replayed.containsAll(before), replayed::toString);
        assertTrue(replayed.contains(new LogRecord.Distrust(99)), replayed::toString);
        assertEquals(100, epochNumber);
    }

    /** Its log/ is from a backup, and beside it is what the single node that it was once had written. */
    @Test
    void theStoreOfAMemberThatHasLostItsEndIsRestored() throws Exception {
        List<LogRecord> before = leaveLogOfSingleNode(first);
        found(first);
        new Watermark(1_000, 1).write(members.directory(first));
        assertEquals(LogRefusal.TAIL_LOST, refusal(() -> members.start(first)));
        Conversion.restore(members.settings(first), Logs.environment(), 99);
        members.start(first);
        List<LogRecord> replayed = lead(awaitLead(first).log());
        assertTrue(replayed.containsAll(before), replayed::toString);
        assertTrue(replayed.contains(new LogRecord.Distrust(99)), replayed::toString);
    }

    @Test
    void whereNothingIsLeftAClusterBeginsThatDistrustsEverythingBefore() throws Exception {
        for (long through : new long[] {-1, Long.MAX_VALUE}) {
            assertThrows(
                    IllegalArgumentException.class,
                    () -> Conversion.restore(members.settings(first), Logs.environment(), through));
        }
        assertFalse(Files.exists(members.directory(first)));
        Conversion.restore(members.settings(first), Logs.environment(), 0);
        members.start(first);
        assertEquals(
                List.of(epoch(1).getClass(), LogRecord.Distrust.class),
                lead(awaitLead(first).log()).stream().map(Object::getClass).toList());
        assertEquals(1_000_001, epochNumber);
    }
}
