package io.troth.coordinator.log.raft;

import static io.troth.coordinator.log.Records.commit;
import static io.troth.coordinator.log.Records.epoch;
import static io.troth.coordinator.log.Records.tx;
import static io.troth.coordinator.log.raft.Members.eventually;
import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.troth.coordinator.log.LogEnvironment;
import io.troth.coordinator.log.LogRefusal;
import io.troth.coordinator.log.LogRefusedException;
import io.troth.coordinator.log.LogReport;
import io.troth.coordinator.log.LogSettings;
import io.troth.coordinator.log.RecordingListener;
import io.troth.coordinator.log.rocksdb.AppliedStore;
import io.troth.coordinator.log.rocksdb.LogInspection;
import io.troth.coordinator.log.rocksdb.LogRestore;
import io.troth.coordinator.log.rocksdb.Logs;
import io.troth.coordinator.log.rocksdb.RocksDbDecisionLog;
import io.troth.core.ClusterId;
import io.troth.core.coordinator.LogRecord;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.function.LongSupplier;
import java.util.stream.Stream;
import org.apache.ratis.proto.RaftProtos.LogEntryProto;
import org.apache.ratis.server.raftlog.segmented.SegmentedRaftLogFormat;
import org.apache.ratis.util.FileUtils;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.function.Executable;
import org.junit.jupiter.api.io.TempDir;

/** Goal: a data directory that is not this member's, or not whole, is never used. Method: one member, whose files change. */
class RefusedMemberTest {

    @TempDir
    Path temp;

    private Members members;
    private String node;

    @BeforeEach
    void make() {
        members = new Members(temp.resolve("members"), 1, 100_000);
        node = members.nodes().get(0);
        members.startAll();
        RaftDecisionLog log = members.awaitLead().log();
        long own = log.recover(entry -> {}).nextEpoch();
        RecordingListener heard = new RecordingListener();
        log.start(own, heard);
        for (LogRecord record : new LogRecord[] {epoch(own), commit(tx(own, 1, 1))}) {
            log.append(record, true);
        }
        eventually().until(() -> heard.entries().size() == 2);
        members.stopAll();
    }

    @AfterEach
    void close() {
        members.close();
    }

    private LogRefusal refusal() {
        return assertThrows(LogRefusedException.class, () -> members.start(node))
                .refusal();
    }

    private RaftSettings settings(Path directory, ClusterId cluster) {
        LogSettings log = new LogSettings(directory, cluster, 1_024, 20, 30_000, 0);
        return RaftSettings.defaults(log, node, Map.of(node, "127.0.0.1:1"), Map.of(), null, 1_000);
    }

    @Test
    void isNotLedByASingleNode() {
        LogSettings single = Logs.settings(members.directory(node), 1_024);
        LogRefusedException refused = assertThrows(
                LogRefusedException.class,
                () -> RocksDbDecisionLog.open(single, Logs.environment()).close());
        assertEquals(LogRefusal.REPLICATED, refused.refusal());
        members.startAll();
        assertEquals(1, members.awaitLead().log().recover(entry -> {}).highestEpoch());
    }

    @Test
    void doesNotVoteAgainAfterItsPromisesAreLost() throws IOException {
        FileUtils.deleteFully(members.directory(node).resolve(RaftFiles.DIRECTORY));
        assertEquals(LogRefusal.MEMBER_LOST, refusal());
    }

    /** A restore that was cut off leaves a directory so. */
    @Test
    void isNobodysWithoutTheFileThatSaysWhoItIs() throws IOException {
        Files.delete(members.directory(node).resolve("MEMBER"));
        assertEquals(LogRefusal.MEMBER_LOST, refusal());
        LogReport report = inspected();
        assertTrue(report.damages().toString().contains("MEMBER_LOST"), report::toString);
    }

    @Test
    void doesNotStartOnAnEmptyDisk() {
        LogRefusedException refused = assertThrows(
                LogRefusedException.class,
                () -> RaftMember.open(
                        settings(temp.resolve("empty"), new ClusterId(1)),
                        Logs.environment(),
                        LeadershipListener.NONE));
        assertEquals(LogRefusal.MEMBER_LOST, refused.refusal());
    }

    @Test
    void isNotMadeTwice() {
        LogRefusedException refused = assertThrows(
                LogRefusedException.class,
                () -> RaftMember.create(settings(members.directory(node), new ClusterId(1)), Logs.environment()));
        assertEquals(LogRefusal.NOT_EMPTY, refused.refusal());
    }

    @Test
    void nobodyHasADirectoryThatIsBeingMade() throws IOException {
        RaftSettings settings = settings(temp.resolve("made"), new ClusterId(1));
        LogEnvironment usual = Logs.environment();
        List<LogRefusal> refused = new ArrayList<>();
        LongSupplier random = () -> {
            // The last number is drawn for the member, when Raft has its files.
            if (RaftFiles.of(settings).exist()) {
                refused.add(assertThrows(
                                LogRefusedException.class,
                                () -> AppliedStore.open(settings.log(), usual).close())
                        .refusal());
            }
            return usual.random().getAsLong();
        };
        RaftMember.create(
                settings,
                new LogEnvironment(usual.nanoTime(), usual.clock(), random, usual.threads(), usual.observer()));
        assertEquals(List.of(LogRefusal.IN_USE), refused);
    }

    /** Its disk is whole, and only cluster.id is wrong: it is not to be thrown away. */
    @Test
    void isOfOneClusterOnly() {
        LogRefusedException refused = assertThrows(
                LogRefusedException.class,
                () -> RaftMember.open(
                        settings(members.directory(node), new ClusterId(1)),
                        Logs.environment(),
                        LeadershipListener.NONE));
        assertEquals(LogRefusal.FOREIGN_CLUSTER, refused.refusal());
    }

    @Test
    void isNotMadeOfTheLogOfASingleNode() {
        Path directory = temp.resolve("single");
        Logs.leaveUnended(directory);
        LogRefusedException refused = assertThrows(
                LogRefusedException.class,
                () -> RaftMember.create(settings(directory, new ClusterId(1)), Logs.environment()));
        assertEquals(LogRefusal.NOT_EMPTY, refused.refusal());
    }

    @Test
    void refusesADamagedLog() throws IOException {
        Path log = members.raftLog(node);
        LogReport whole = inspected();
        assertTrue(whole.isGood(), whole::toString);
        assertTrue(whole.notes().toString().contains("Raft's log ends with term "), whole::toString);
        byte[] bytes = Files.readAllBytes(log);
        bytes[60] ^= 1;
        Files.write(log, bytes);
        LogRefusedException refused = assertThrows(LogRefusedException.class, () -> members.start(node));
        assertEquals(LogRefusal.RAFT_LOG_DAMAGED, refused.refusal());
        assertTrue(refused.getMessage().contains("checksum"), refused::getMessage);
        LogReport damaged = inspected();
        assertTrue(damaged.damages().toString().contains("RAFT_LOG_DAMAGED"), damaged::toString);
    }

    @Test
    void refusesALogThatEndsBelowWhatWasApplied() throws IOException {
        RaftFiles files = RaftFiles.of(members.settings(node));
        List<LogEntryProto> entries = new ArrayList<>();
        files.read(entries::add);
        Path log = members.raftLog(node);
        byte[] bytes = Files.readAllBytes(log);
        // Its position comes into the store with what an entry decides: with the EPOCH at the latest, at index 1.
        LogEntryProto kept = entries.get(0);
        int end = SegmentedRaftLogFormat.getHeaderLength() + 1 + kept.getSerializedSize() + Integer.BYTES;
        // Between two entries, and in the middle of one.
        for (int cut : new int[] {end, end + 5}) {
            Files.write(log, Arrays.copyOf(bytes, cut));
            byte[] before = Files.readAllBytes(log);
            LogReport report = inspected();
            assertTrue(report.damages().toString().contains("RAFT_LOG_DAMAGED"), report::toString);
            LogRefusedException refused = assertThrows(LogRefusedException.class, () -> members.start(node));
            assertEquals(LogRefusal.RAFT_LOG_DAMAGED, refused.refusal());
            assertTrue(refused.getMessage().contains("the end of Raft's log is gone"), refused::getMessage);
            assertTrue(refused.getMessage().contains(log.toString()), refused::getMessage);
            assertArrayEquals(before, Files.readAllBytes(log), "nobody has changed it");
            LogRefusedException undissolved = assertThrows(
                    LogRefusedException.class, () -> Conversion.dissolve(members.settings(node), Logs.environment()));
            assertEquals(LogRefusal.RAFT_LOG_DAMAGED, undissolved.refusal());
        }
        Files.write(log, bytes);
        members.startAll();
        assertEquals(1, members.awaitLead().log().recover(entry -> {}).highestEpoch());
    }

    @Test
    void goesOnWithoutWhatALostPowerHasTorn() throws IOException {
        Path log = members.raftLog(node);
        byte[] whole = Files.readAllBytes(log);
        // Half of an entry within the space that was taken in advance: it lacks the sectors behind.
        byte[] torn = Arrays.copyOf(whole, 1 << 20);
        torn[whole.length] = (byte) 0xff;
        torn[whole.length + 1] = 0x3f;
        Arrays.fill(torn, whole.length + 2, (whole.length / 512 + 2) * 512, (byte) 8);
        Files.write(log, torn);
        LogReport report = inspected();
        assertTrue(report.isGood(), report::toString);
        members.startAll();
        assertEquals(1, members.awaitLead().log().recover(entry -> {}).highestEpoch());
        members.stopAll();
        try (Stream<Path> closed = Files.list(log.getParent())) {
            Path first = closed.filter(file -> file.getFileName().toString().startsWith("log_0-"))
                    .findFirst()
                    .orElseThrow();
            assertArrayEquals(whole, Files.readAllBytes(first));
        }
    }

    @Test
    void changesNothingWhileAnotherHasTheDirectory() throws IOException {
        members.startAll();
        Path left = Files.createDirectory(members.directory(node).resolve("log.old"));
        LogRefusedException refused = assertThrows(
                LogRefusedException.class,
                () -> AppliedStore.open(members.settings(node).log(), Logs.environment())
                        .close());
        assertEquals(LogRefusal.IN_USE, refused.refusal());
        assertTrue(Files.exists(left));
    }

    @Test
    void whoHasOnlyLostItsLogIsNotMadeAnew() throws IOException {
        Path directory = members.directory(node);
        FileUtils.deleteFully(directory.resolve("log"));
        Files.delete(directory.resolve("INCARNATION"));
        RaftSettings settings = members.settings(node);
        for (Path left : List.of(directory.resolve(RaftFiles.DIRECTORY), directory.resolve("MEMBER"))) {
            for (Executable again : new Executable[] {
                () -> RaftMember.create(settings, Logs.environment()),
                () -> Conversion.restore(settings, Logs.environment(), 0),
                () -> RocksDbDecisionLog.open(Logs.settings(directory, 1), Logs.environment())
                        .close(),
                () -> LogRestore.restore(Logs.settings(directory, 1), Logs.environment(), 0)
            }) {
                LogRefusedException refused = assertThrows(LogRefusedException.class, again);
                assertEquals(LogRefusal.INCARNATION_MISSING, refused.refusal());
                assertTrue(refused.getMessage().contains("a member's " + left.getFileName()), refused::getMessage);
                assertTrue(Files.exists(left));
            }
            FileUtils.deleteFully(left);
        }
        Conversion.restore(settings, Logs.environment(), 0);
    }

    /** It is whole, and holds decisions: "Losing a majority" and a restore are no way out. */
    @Test
    void ofWhatALaterVersionHasWrittenNothingIsLeftOut() throws IOException {
        members.startAll();
        RaftDecisionLog log = members.awaitLead().log();
        long own = log.recover(entry -> {}).nextEpoch();
        members.interference = (raft, entry) -> raft.send(Members.later(entry));
        log.start(own, new RecordingListener());
        log.append(epoch(own), true);
        eventually().until(() -> !members.failures.isEmpty());
        members.stopAll();
        RaftSettings settings = members.settings(node);
        for (Executable other : new Executable[] {
            () -> Conversion.restore(settings, Logs.environment(), 0),
            () -> Conversion.dissolve(settings, Logs.environment())
        }) {
            LogRefusedException refused = assertThrows(LogRefusedException.class, other);
            assertEquals(LogRefusal.FORMAT_UNKNOWN, refused.refusal(), refused::getMessage);
            assertTrue(refused.getMessage().contains("an entry of version 2, this program reads version 1"));
        }
        LogReport report = inspected();
        assertTrue(report.damages().toString().contains(LogRefusal.FORMAT_UNKNOWN.name()), report::toString);
    }

    private LogReport inspected() throws IOException {
        Path scratch = Files.createTempDirectory(temp, "scratch");
        Path directory = members.directory(node);
        return MemberInspection.inspect(directory, LogInspection.inspect(directory, scratch, (place, stored) -> {}));
    }
}
