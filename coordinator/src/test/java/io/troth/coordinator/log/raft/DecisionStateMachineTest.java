package io.troth.coordinator.log.raft;

import static io.troth.coordinator.log.Records.epoch;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.troth.coordinator.log.LogEnvironment;
import io.troth.coordinator.log.Position;
import io.troth.coordinator.log.RecordingListener;
import io.troth.coordinator.log.ReplicatedEntry;
import io.troth.coordinator.log.rocksdb.AppliedStore;
import io.troth.coordinator.log.rocksdb.Logs;
import java.io.IOException;
import java.lang.reflect.Proxy;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import org.apache.ratis.proto.RaftProtos.LogEntryProto;
import org.apache.ratis.proto.RaftProtos.RaftConfigurationProto;
import org.apache.ratis.proto.RaftProtos.StateMachineLogEntryProto;
import org.apache.ratis.protocol.RaftGroupId;
import org.apache.ratis.protocol.RaftGroupMemberId;
import org.apache.ratis.protocol.RaftPeerId;
import org.apache.ratis.server.RaftServer;
import org.apache.ratis.server.raftlog.RaftLog;
import org.apache.ratis.server.storage.RaftStorage;
import org.apache.ratis.statemachine.TransactionContext;
import org.apache.ratis.thirdparty.com.google.protobuf.ByteString;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/**
 * Goal: what a member does when Ratis tells it things late, or in an order that no cluster of a test can be brought to.
 * Method: the test is Ratis. The store stands at entry 5, where it was copied last.
 */
class DecisionStateMachineTest {

    private static final long COPIED = 5;

    @TempDir
    Path temp;

    private final MemberId own = new MemberId("a", 1);
    private final List<RaftDecisionLog> opened = new ArrayList<>();
    private RaftSettings settings;
    private RaftGroupId group;
    private RaftStorage storage;
    private DecisionStateMachine machine;

    @BeforeEach
    void open() throws Exception {
        LogEnvironment environment = Logs.environment();
        settings = RaftSettings.defaults(
                Logs.settings(temp.resolve("a"), 1), "a", Map.of("a", "127.0.0.1:1"), Map.of(), null, 1_000);
        group = RaftMember.group(settings.log().cluster());
        RaftFiles files = RaftFiles.of(settings);
        try (AppliedStore store = AppliedStore.open(settings.log(), environment)) {
            files.make(0);
            storage = files.storage(RaftStorage.StartupOption.RECOVER);
            store.pass(new Position(1, COPIED));
            Checkpoints before = new Checkpoints();
            before.init(storage);
            assertEquals(new Position(1, COPIED), before.take(store));
        }
        machine = new DecisionStateMachine(settings, environment, LeadershipListener.NONE, (term, store) -> {
            RaftDecisionLog log = new RaftDecisionLog(
                    settings, environment, term, store, entry -> new CompletableFuture<>(), () -> {});
            opened.add(log);
            return log;
        });
        machine.initialize(answering(RaftServer.class, "getId", own.raftId()), group, storage);
    }

    /** One that knows one answer. */
    private static <T> T answering(Class<T> type, String name, Object answer) {
        Object made = Proxy.newProxyInstance(
                type.getClassLoader(),
                new Class<?>[] {type},
                (proxy, method, arguments) -> method.getName().equals(name) ? answer : null);
        return type.cast(made);
    }

    @AfterEach
    void close() throws IOException {
        opened.forEach(RaftDecisionLog::close);
        machine.closes();
        machine.close();
        storage.close();
    }

    private RaftDecisionLog leads(long term) {
        machine.notifyConfigurationChanged(term, 0, RaftConfigurationProto.getDefaultInstance());
        machine.notifyLeaderReady();
        return opened.get(opened.size() - 1);
    }

    private void apply(long term, long index) {
        byte[] entry = new ReplicatedEntry(term, List.of(epoch(term)), null).encode();
        LogEntryProto logged = LogEntryProto.newBuilder()
                .setTerm(term)
                .setIndex(index)
                .setStateMachineLogEntry(StateMachineLogEntryProto.newBuilder().setLogData(ByteString.copyFrom(entry)))
                .build();
        var unused = machine.applyTransaction(answering(TransactionContext.class, "getLogEntry", logged))
                .join();
    }

    /** Ratis would take the entries between for applied, which it has not handed over. */
    @Test
    void nothingIsCopiedWhileTheStoreIsAheadOfRatis() throws IOException {
        assertEquals(RaftLog.INVALID_LOG_INDEX, machine.takeSnapshot());
        machine.notifyTermIndexUpdated(1, COPIED - 1);
        assertEquals(RaftLog.INVALID_LOG_INDEX, machine.takeSnapshot());
        machine.notifyTermIndexUpdated(1, COPIED + 1);
        assertEquals(COPIED + 1, machine.takeSnapshot());
        apply(2, COPIED + 2);
        assertEquals(COPIED + 2, machine.takeSnapshot());
    }

    @Test
    void nothingIsCopiedWhileRatisInstallsACopy() throws IOException {
        machine.notifyTermIndexUpdated(1, COPIED + 1);
        machine.pause();
        assertEquals(RaftLog.INVALID_LOG_INDEX, machine.takeSnapshot());
        machine.reinitialize();
        assertEquals(COPIED + 1, machine.takeSnapshot());
    }

    @Test
    void aLeaderIsToldNothingOfALaterTermThatRatisHasNotSpokenOfYet() {
        RaftDecisionLog first = leads(2);
        RecordingListener heard = new RecordingListener();
        first.start(first.recover(entry -> {}).nextEpoch(), heard);
        apply(2, COPIED + 1);
        assertEquals(List.of(epoch(2)), heard.records());
        apply(3, COPIED + 2);
        assertEquals(List.of(epoch(2)), heard.records());
        assertNull(heard.failure());
    }

    @Test
    void aTermIsOverWhenALaterOneBeginsThoughRatisHasNotSaidSo() {
        RaftDecisionLog first = leads(2);
        assertFalse(first.isOver());
        RaftDecisionLog second = leads(3);
        assertTrue(first.isOver());
        assertFalse(second.isOver());
    }

    /** It appends next, in the term in which it has voted for itself. */
    @Test
    void whoLeadsHasItsOwnVoteOnDisk() {
        RaftPeerId leader = own.raftId();
        RaftGroupMemberId member = RaftGroupMemberId.valueOf(leader, group);
        machine.notifyLeaderChanged(member, RaftPeerId.valueOf("b.0000000000000002"));
        assertNull(machine.promises().forced());
        machine.notifyLeaderChanged(member, leader);
        assertEquals(0, machine.promises().forced().getTerm());
    }
}
