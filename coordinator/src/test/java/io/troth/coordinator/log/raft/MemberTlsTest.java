package io.troth.coordinator.log.raft;

import static io.troth.coordinator.log.raft.Members.eventually;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.troth.coordinator.admin.ClusterView;
import io.troth.coordinator.log.LogRefusal;
import io.troth.coordinator.log.LogRefusedException;
import io.troth.coordinator.log.rocksdb.Logs;
import io.troth.core.ClusterId;
import io.troth.core.ErrorCode;
import io.troth.core.TrothException;
import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.nio.file.Path;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import org.apache.ratis.proto.RaftProtos.RaftRpcRequestProto;
import org.apache.ratis.proto.RaftProtos.RequestVoteRequestProto;
import org.apache.ratis.proto.RaftProtos.TermIndexProto;
import org.apache.ratis.proto.grpc.RaftServerProtocolServiceGrpc;
import org.apache.ratis.thirdparty.io.grpc.ManagedChannel;
import org.apache.ratis.thirdparty.io.grpc.Server;
import org.apache.ratis.thirdparty.io.grpc.Status;
import org.apache.ratis.thirdparty.io.grpc.StatusRuntimeException;
import org.apache.ratis.thirdparty.io.grpc.netty.NettyChannelBuilder;
import org.apache.ratis.thirdparty.io.grpc.netty.NettyServerBuilder;
import org.apache.ratis.util.FileUtils;
import org.apache.ratis.util.ProtoUtils;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/**
 * Goal: with TLS only members speak to members, and what is left of them can be restored. Method: real certificates, three
 * members that found a cluster, and everybody else who could knock: it costs one cluster, so it is one test.
 */
class MemberTlsTest {

    private static final long ASK_MILLIS = 30_000;

    @TempDir
    Path temp;

    @Test
    void onlyMembersOfThisClusterAreSpokenTo() throws Exception {
        MemberCertificates certificates = MemberCertificates.create(temp.resolve("tls"));
        try (Members members = new Members(temp.resolve("members"), 3, 100_000)) {
            ClusterId cluster = members.settings(members.nodes().get(0)).log().cluster();
            String uri = "troth://" + cluster + "/";
            Map<String, RaftSettings.Tls> files = new HashMap<>();
            for (String node : members.nodes()) {
                files.put(node, certificates.of(node, "authority", uri + node));
            }
            members.tls = files::get;
            members.startAll();
            Members.Lead lead = members.awaitLead();
            RaftMember leader = members.member(lead.node());
            String address = members.address(lead.node());
            String follower = members.others(lead.node()).get(0);
            Map<String, String> known = Map.of(lead.node(), address);

            // Whoever may knock is heard: the rest of this test would be true of a door that is always shut.
            assertEquals(
                    lead.node(),
                    ask(address, files.get(follower), cluster, known).id().node());
            assertRefused(address, null, cluster, known);
            RaftSettings.Tls guest = certificates.of("guest", "authority", uri + "guest");
            assertEquals(lead.node(), ask(address, guest, cluster, known).id().node());
            MemberId own = leader.id();
            MemberId other = members.member(follower).id();
            assertEquals(
                    Status.Code.PERMISSION_DENIED, vote(address, guest, new MemberId("guest", 1), own, cluster, known));
            assertEquals(Status.Code.FAILED_PRECONDITION, vote(address, files.get(follower), own, own, cluster, known));
            // Another member's name may begin with its own.
            MemberId longer = new MemberId(follower + "0", 1);
            assertEquals(
                    Status.Code.FAILED_PRECONDITION, vote(address, files.get(follower), longer, own, cluster, known));
            assertEquals(Status.Code.OK, vote(address, files.get(follower), other, own, cluster, known));
            assertRefused(address, certificates.of("fake", "stranger", uri + follower), cluster, known);
            ClusterId otherCluster = new ClusterId(cluster.value() + 1);
            assertRefused(
                    address,
                    certificates.of("other", "authority", "troth://" + otherCluster + "/" + follower),
                    cluster,
                    known);
            // One member where another one is expected.
            assertRefused(address, files.get(follower), cluster, Map.of(follower, address));

            String fourth = members.addNode();
            String fourthAddress = members.address(fourth);
            Server impostor = impostor(
                    fourthAddress,
                    certificates.of("lost", "authority", "troth://" + otherCluster + "/" + fourth),
                    new Introduction(cluster, new MemberId(fourth, 1), true, List.of()));
            TrothException refused = assertThrows(TrothException.class, () -> {
                CompletableFuture<Void> unused = leader.add(fourth, fourthAddress, null);
            });
            assertEquals(ErrorCode.MEMBER_UNREACHABLE, refused.code());
            impostor.shutdownNow().awaitTermination(60, TimeUnit.SECONDS);
            files.put(fourth, certificates.of("found", "authority", uri + fourth));
            members.start(fourth);
            leader.add(fourth, fourthAddress, null).get(60, TimeUnit.SECONDS);
            eventually().until(() -> members.member(fourth).view().role() == ClusterView.Role.FOLLOWER);
            // The others believe it, too, though no configuration file of theirs names it.
            leader.transferLeadership(fourth).get(60, TimeUnit.SECONDS);

            members.stop(lead.node());
            RaftSettings.Tls expired = certificates.of("expired", "stranger", uri + lead.node());
            whatIsLeftGoesOnWhenTheOthersAreGone(members, lead.node(), files, expired);
        }
    }

    private static void whatIsLeftGoesOnWhenTheOthersAreGone(
            Members members, String survivor, Map<String, RaftSettings.Tls> files, RaftSettings.Tls unbelieved)
            throws Exception {
        assertNotAlone(members.settings(survivor), " answers at ");
        RaftSettings.Tls believed = files.put(survivor, unbelieved);
        assertNotAlone(members.settings(survivor), "does not say who it is");
        files.put(survivor, believed);
        members.stopAll();
        Conversion.Restored unused = Conversion.restore(members.settings(survivor), Logs.environment(), 0);
        members.start(survivor);
        members.awaitLead(lead -> lead.node().equals(survivor));
        String other = members.others(survivor).get(0);
        FileUtils.deleteFully(members.directory(other));
        members.start(other);
        members.member(survivor).add(other, members.address(other), null).get(60, TimeUnit.SECONDS);
        eventually().until(() -> members.member(other).view().role() == ClusterView.Role.FOLLOWER);
    }

    private static void assertNotAlone(RaftSettings settings, String why) {
        LogRefusedException refused =
                assertThrows(LogRefusedException.class, () -> Conversion.restore(settings, Logs.environment(), 0));
        assertEquals(LogRefusal.NOT_ALONE, refused.refusal());
        assertTrue(refused.getMessage().contains(why), refused::getMessage);
    }

    /** What becomes of a vote that this one asks for in the name of that one. */
    private static Status.Code vote(
            String address,
            RaftSettings.Tls files,
            MemberId from,
            MemberId to,
            ClusterId cluster,
            Map<String, String> members)
            throws Exception {
        ManagedChannel channel = NettyChannelBuilder.forTarget(address)
                .sslContext(MemberTls.of(files, cluster, () -> members).client())
                .build();
        try {
            var unused = RaftServerProtocolServiceGrpc.newBlockingStub(channel)
                    .withDeadlineAfter(ASK_MILLIS, TimeUnit.MILLISECONDS)
                    .requestVote(RequestVoteRequestProto.newBuilder()
                            .setServerRequest(RaftRpcRequestProto.newBuilder()
                                    .setRequestorId(from.raftId().toByteString())
                                    .setReplyId(to.raftId().toByteString())
                                    .setRaftGroupId(ProtoUtils.toRaftGroupIdProtoBuilder(RaftMember.group(cluster))))
                            .setPreVote(true)
                            .setCandidateLastEntry(TermIndexProto.getDefaultInstance())
                            .build());
            return Status.Code.OK;
        } catch (StatusRuntimeException e) {
            return e.getStatus().getCode();
        } finally {
            channel.shutdownNow();
        }
    }

    /** Who says all the right things with the wrong certificate. */
    static Server impostor(String address, RaftSettings.Tls files, Introduction says) throws IOException {
        int port = Integer.parseInt(address.substring(address.lastIndexOf(':') + 1));
        return NettyServerBuilder.forAddress(new InetSocketAddress(InetAddress.getLoopbackAddress(), port))
                .addService(Introductions.service(() -> says))
                .sslContext(MemberTls.of(files, says.cluster(), Map::of).server())
                .build()
                .start();
    }

    private static Introduction ask(
            String address, RaftSettings.@Nullable Tls files, ClusterId cluster, Map<String, String> members)
            throws IOException {
        MemberTls tls = files == null ? null : MemberTls.of(files, cluster, () -> members);
        return Introductions.ask(address, tls, ASK_MILLIS);
    }

    private static void assertRefused(
            String address, RaftSettings.@Nullable Tls files, ClusterId cluster, Map<String, String> members) {
        IOException refused = assertThrows(IOException.class, () -> ask(address, files, cluster, members));
        // Not for want of an answer.
        assertTrue(refused.getMessage().contains("UNAVAILABLE"), refused::getMessage);
    }
}
