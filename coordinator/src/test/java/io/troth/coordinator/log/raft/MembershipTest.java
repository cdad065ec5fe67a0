package io.troth.coordinator.log.raft;

import static io.troth.coordinator.log.Records.commit;
import static io.troth.coordinator.log.Records.epoch;
import static io.troth.coordinator.log.Records.tx;
import static io.troth.coordinator.log.raft.Members.eventually;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertInstanceOf;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.troth.coordinator.admin.ClusterView;
import io.troth.coordinator.admin.MemberFigures;
import io.troth.coordinator.log.LogRefusal;
import io.troth.coordinator.log.LogRefusedException;
import io.troth.coordinator.log.Position;
import io.troth.coordinator.log.RecordingListener;
import io.troth.coordinator.log.rocksdb.Logs;
import io.troth.core.ErrorCode;
import io.troth.core.TrothException;
import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.function.Supplier;
import java.util.stream.Stream;
import org.apache.ratis.proto.RaftProtos.SetConfigurationRequestProto;
import org.apache.ratis.proto.grpc.AdminProtocolServiceGrpc;
import org.apache.ratis.server.storage.RaftStorageMetadata;
import org.apache.ratis.thirdparty.io.grpc.ManagedChannel;
import org.apache.ratis.thirdparty.io.grpc.Server;
import org.apache.ratis.thirdparty.io.grpc.Status;
import org.apache.ratis.thirdparty.io.grpc.StatusRuntimeException;
import org.apache.ratis.thirdparty.io.grpc.netty.NettyChannelBuilder;
import org.apache.ratis.thirdparty.io.grpc.netty.NettyServerBuilder;
import org.apache.ratis.util.FileUtils;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/**
 * Goal: who may be a member, and that a node which lost its disk is not the one that it was. Method: three members in this
 * JVM, one of which loses its disk, and others that come.
 */
class MembershipTest {

    @TempDir
    Path temp;

    private Members members;
    private String leader;
    private String follower;
    private RecordingEpoch epochs;

    /** Forces records of the only epoch of a test. */
    private static final class RecordingEpoch {
        private final RaftDecisionLog log;
        private final long number;
        private final RecordingListener heard = new RecordingListener();

        RecordingEpoch(RaftDecisionLog log) {
            this.log = log;
            number = log.recover(entry -> {}).nextEpoch();
            log.start(number, heard);
            log.append(epoch(number), true);
        }

        void decide(long sequence) {
            log.append(commit(tx(number, 1, sequence)), true);
            eventually().until(() -> heard.records().contains(commit(tx(number, 1, sequence))));
        }
    }

    @BeforeEach
    void start() {
        members = new Members(temp.resolve("members"), 3, 100_000);
        members.startAll();
        Members.Lead lead = members.awaitLead();
        leader = lead.node();
        follower = members.others(leader).get(0);
        epochs = new RecordingEpoch(lead.log());
        epochs.decide(1);
    }

    @AfterEach
    void close() {
        members.close();
    }

    private RaftMember leading() {
        return members.member(leader);
    }

    private void loseDisk(String node) throws IOException {
        members.stop(node);
        FileUtils.deleteFully(members.directory(node));
    }

    private void awaitTheSameAtTheLeader(String node) {
        eventually()
                .until(() -> members.member(node)
                        .machine()
                        .store()
                        .content()
                        .equals(leading().machine().store().content()));
    }

    /** Flips a bit among the COMMITs without END, which only a leader would read. */
    private void damageStore(String node) throws IOException {
        List<Path> tables;
        try (Stream<Path> files = Files.list(members.directory(node).resolve("log"))) {
            tables = files.filter(file -> file.toString().endsWith(".sst")).toList();
        }
        int damaged = 0;
        for (Path table : tables) {
            byte[] bytes = Files.readAllBytes(table);
            // The name of the column family and its value.
            if (new String(bytes, StandardCharsets.ISO_8859_1).contains("nameopen")) {
                bytes[10] ^= 1;
                Files.write(table, bytes);
                damaged++;
            }
        }
        assertTrue(damaged > 0, tables::toString);
    }

    private static ErrorCode refusal(Supplier<CompletableFuture<Void>> change) {
        return assertThrows(TrothException.class, () -> {
                    CompletableFuture<Void> unused = change.get();
                })
                .code();
    }

    @Test
    void whoHasVotedHasItsVoteOnDisk() throws Exception {
        int voted = 0;
        for (String node : members.nodes()) {
            RaftStorageMetadata forced =
                    members.member(node).machine().promises().forced();
            if (forced != null && forced.getVotedFor().equals(leading().id().raftId())) {
                voted++;
                assertEquals(epochs.number, forced.getTerm());
            }
        }
        assertTrue(voted >= 2, voted + " votes are on disk");
        assertEquals(
                leading().id().raftId(), leading().machine().promises().forced().getVotedFor());
    }

    @Test
    void aNodeThatLostItsDiskIsNotLetInUnderTheNameItHad() throws Exception {
        loseDisk(follower);
        LogRefusedException refused = assertThrows(LogRefusedException.class, () -> members.start(follower));
        assertEquals(LogRefusal.MEMBER_LOST, refused.refusal());
        assertTrue(refused.getMessage().contains("another disk"), refused::getMessage);
        epochs.decide(2);
    }

    @Test
    void whoeverTakesItsPlaceIsAnsweredByNobodyAndAnswersNothingThatWasMeantForIt() throws Exception {
        loseDisk(follower);
        RaftSettings settings = members.settings(follower);
        RaftMember.create(settings, Logs.environment());
        MemberFile made = MemberFile.read(members.directory(follower));
        // As if it had founded the cluster with the others, which it says it has.
        List<MemberId> founders = members.others(follower).stream()
                .map(node -> members.member(node).id())
                .toList();
        new MemberFile(made.id(), List.of(founders.get(0), founders.get(1), made.id()))
                .write(members.directory(follower));
        members.start(follower);
        epochs.decide(2);
        String third = members.others(leader).get(1);
        members.stop(third);
        epochs.log.append(commit(tx(epochs.number, 1, 3)), true);
        // With an acknowledgement or a vote of the new disk there would be a majority.
        eventually().until(() -> epochs.heard.failure() != null);
        assertEquals(
                Position.START, members.member(follower).machine().store().position(), "it took what was not for it");
        assertNull(members.member(follower).view().leader());
    }

    @Test
    void aNewDiskUnderTheOldNameIsTakenInWhenTheOldOneIsRemoved() throws Exception {
        MemberId before = members.member(follower).id();
        awaitTheSameAtTheLeader(follower);
        members.stop(follower);
        damageStore(follower);
        LogRefusedException refused = assertThrows(LogRefusedException.class, () -> members.start(follower));
        assertEquals(LogRefusal.DAMAGED, refused.refusal());
        loseDisk(follower);
        leading().remove(follower).get(60, TimeUnit.SECONDS);
        members.start(follower);
        assertEquals(ClusterView.Role.OUTSIDE, members.member(follower).view().role());
        leading().add(follower, members.address(follower), "there:7700").get(60, TimeUnit.SECONDS);
        assertNotEquals(before, members.member(follower).id());
        epochs.decide(2);
        eventually().until(() -> members.member(follower).view().role() == ClusterView.Role.FOLLOWER);
        awaitTheSameAtTheLeader(follower);
        ClusterView.Member seen = leading().view().member(follower);
        assertEquals("there:7700", seen.endpoint());
        // It has a vote: with it and the leader alone something is decided.
        members.stop(members.others(leader).stream()
                .filter(node -> !node.equals(follower))
                .findFirst()
                .orElseThrow());
        epochs.decide(3);
    }

    @Test
    void aNodeThatIsNotNewIsNotAdded() throws Exception {
        // Before it has an entry nobody can tell it from one that was just made.
        awaitTheSameAtTheLeader(follower);
        leading().remove(follower).get(60, TimeUnit.SECONDS);
        epochs.decide(2);
        assertEquals(ErrorCode.MEMBER_NOT_NEW, refusal(() -> leading().add(follower, members.address(follower), null)));
        String fourth = members.addNode();
        assertEquals(ErrorCode.MEMBER_UNREACHABLE, refusal(() -> leading().add(fourth, members.address(fourth), null)));
        members.start(fourth);
        assertEquals(
                ErrorCode.MEMBER_NOT_NEW,
                refusal(() -> leading().add("other", members.address(fourth), null)),
                "another name");
        leading().add(fourth, members.address(fourth), null).get(60, TimeUnit.SECONDS);
        epochs.decide(3);
        awaitTheSameAtTheLeader(fourth);
        members.stopAll();
        // Nor is it new any more for itself: nobody need be there to tell it who it is.
        members.start(fourth);
    }

    @Test
    void aTermThatIsOverIsNotGivenUpOnceMore() {
        leading().stepDown(epochs.log.term() - 1);
        epochs.decide(2);
        assertFalse(epochs.log.isOver());
    }

    @Test
    void oneChangeAtATime() throws Exception {
        String fourth = members.addNode();
        String address = members.address(fourth);
        // It says who it is, and nothing else ever: Raft waits for it to get the log.
        Introduction says =
                new Introduction(members.settings(leader).log().cluster(), new MemberId(fourth, 1), true, List.of());
        Server halfHearted = NettyServerBuilder.forAddress(new InetSocketAddress(
                        InetAddress.getLoopbackAddress(), Integer.parseInt(address.replaceAll(".*:", ""))))
                .addService(Introductions.service(() -> says))
                .build()
                .start();
        try {
            CompletableFuture<Void> added = leading().add(fourth, address, null);
            CompletableFuture<Void> removed = leading().remove(follower);
            ExecutionException failed = assertThrows(ExecutionException.class, () -> removed.get(60, TimeUnit.SECONDS));
            TrothException refused = assertInstanceOf(TrothException.class, failed.getCause());
            assertEquals(ErrorCode.CHANGE_UNDER_WAY, refused.code());
            assertFalse(added.isDone());
        } finally {
            halfHearted.shutdownNow().awaitTermination(60, TimeUnit.SECONDS);
        }
        epochs.decide(2);
    }

    @Test
    void everyMemberKnowsItselfAndTheLeaderKnowsTheOthers() {
        ClusterView view = leading().view();
        assertEquals(ClusterView.Role.LEADER, view.role());
        assertEquals(leader, view.leader());
        assertEquals(
                members.nodes(),
                view.members().stream().map(ClusterView.Member::node).toList());
        assertNull(view.member(leader).contact());
        eventually().until(() -> leading().view().member(follower).contact().matchedIndex() >= view.committedIndex());
        eventually().until(() -> members.member(follower).leaderIndex() >= view.committedIndex());
        assertTrue(leading().leaderIndex() >= view.committedIndex());
        ClusterView others = members.member(follower).view();
        assertEquals(ClusterView.Role.FOLLOWER, others.role());
        assertEquals(leader, others.leader());
        assertEquals(members.address(leader), others.member(leader).address());
        assertNull(others.member(leader).contact());
        MemberFigures figures = leading().figures();
        assertTrue(figures.forces() > 0 && figures.forceNanosP99() > 0, figures::toString);
        assertTrue(figures.leaderChanges() > 0, figures::toString);
        assertNull(figures.snapshotMillis());
    }

    @Test
    void strangersCanNeitherAdministerNorAsk() throws Exception {
        ManagedChannel channel = NettyChannelBuilder.forTarget(members.address(leader))
                .usePlaintext()
                .build();
        try {
            StatusRuntimeException refused = assertThrows(
                    StatusRuntimeException.class,
                    () -> AdminProtocolServiceGrpc.newBlockingStub(channel)
                            .setConfiguration(SetConfigurationRequestProto.getDefaultInstance()));
            assertEquals(Status.Code.PERMISSION_DENIED, refused.getStatus().getCode());
        } finally {
            channel.shutdownNow().awaitTermination(10, TimeUnit.SECONDS);
        }
    }
}
