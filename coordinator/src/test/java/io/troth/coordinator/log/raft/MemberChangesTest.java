package io.troth.coordinator.log.raft;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertInstanceOf;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.troth.core.ClusterId;
import io.troth.core.ErrorCode;
import io.troth.core.TrothException;
import java.io.IOException;
import java.lang.reflect.Proxy;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicLong;
import org.apache.ratis.protocol.ClientId;
import org.apache.ratis.protocol.RaftClientReply;
import org.apache.ratis.protocol.RaftPeer;
import org.apache.ratis.protocol.SetConfigurationRequest;
import org.apache.ratis.protocol.exceptions.NotLeaderException;
import org.apache.ratis.protocol.exceptions.RaftException;
import org.apache.ratis.protocol.exceptions.ReconfigurationInProgressException;
import org.apache.ratis.protocol.exceptions.ReconfigurationTimeoutException;
import org.apache.ratis.protocol.exceptions.SetConfigurationException;
import org.apache.ratis.server.RaftConfiguration;
import org.apache.ratis.server.RaftServer;
import org.apache.ratis.thirdparty.io.grpc.Server;
import org.apache.ratis.thirdparty.io.grpc.netty.NettyServerBuilder;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

/**
 * Goal: what a leader asks of Raft to change the members, and what an operator reads of each answer. Method: answers of Raft
 * as the test wants them, and a new member that says who it is.
 */
class MemberChangesTest {

    private static final ClusterId CLUSTER = new ClusterId(1);
    private static final RaftPeer FIRST = RaftMember.peer(new MemberId("a", 1), "127.0.0.1:1", null);
    private static final RaftPeer SECOND = RaftMember.peer(new MemberId("b", 2), "127.0.0.1:2", null);
    private static final MemberId NEW = new MemberId("c", 3);

    private final CompletableFuture<RaftClientReply> reply = new CompletableFuture<>();
    private final MemberChanges changes = new MemberChanges(
            CLUSTER, RaftMember.group(CLUSTER), null, this::raft, ClientId.randomId(), new AtomicLong());
    private Map<String, String> comingWhenAsked = Map.of();
    private SetConfigurationRequest.Arguments asked;
    private Server server;

    @AfterEach
    void close() throws Exception {
        if (server != null) {
            server.shutdownNow().awaitTermination(60, TimeUnit.SECONDS);
        }
    }

    private RaftServer raft() {
        RaftConfiguration members = answering(RaftConfiguration.class, (method, argument) -> List.of(FIRST, SECOND));
        RaftServer.Division division = answering(RaftServer.Division.class, (method, argument) -> members);
        return answering(RaftServer.class, (method, argument) -> switch (method) {
            case "getDivision" -> division;
            case "getId" -> FIRST.getId();
            case "setConfigurationAsync" -> {
                comingWhenAsked = changes.coming();
                asked = ((SetConfigurationRequest) argument).getArguments();
                yield reply;
            }
            default -> throw new UnsupportedOperationException(method);
        });
    }

    private interface Answers {
        Object to(String method, Object argument);
    }

    private static <T> T answering(Class<T> type, Answers answers) {
        Object made = Proxy.newProxyInstance(
                type.getClassLoader(),
                new Class<?>[] {type},
                (proxy, method, arguments) -> answers.to(method.getName(), arguments == null ? null : arguments[0]));
        return type.cast(made);
    }

    /** Somebody who says this; where. */
    private String newMember(ClusterId cluster, MemberId id) throws IOException {
        Introduction says = new Introduction(cluster, id, true, List.of());
        server = NettyServerBuilder.forAddress(new InetSocketAddress(InetAddress.getLoopbackAddress(), 0))
                .addService(Introductions.service(() -> says))
                .build()
                .start();
        return "127.0.0.1:" + server.getPort();
    }

    private void replies(boolean done, RaftException failure) {
        reply.complete(RaftClientReply.newBuilder()
                .setClientId(ClientId.randomId())
                .setServerId(FIRST.getId())
                .setGroupId(RaftMember.group(CLUSTER))
                .setSuccess(done)
                .setException(failure)
                .build());
    }

    private ErrorCode codeOf(RaftException failure) {
        CompletableFuture<Void> removed = changes.remove("b");
        reply.completeExceptionally(failure);
        CompletionException refused = assertThrows(CompletionException.class, removed::join);
        return assertInstanceOf(TrothException.class, refused.getCause()).code();
    }

    @Test
    void whoIsTakenInIsExpectedUntilItIsAMember() throws Exception {
        String address = newMember(CLUSTER, NEW);
        CompletableFuture<Void> added = changes.add("c", address, "there:7700");
        assertEquals(Map.of("c", address), comingWhenAsked);
        assertEquals(Map.of("c", address), changes.coming());
        assertEquals(List.of(FIRST, SECOND, RaftMember.peer(NEW, address, "there:7700")), asked.getServersInNewConf());
        assertFalse(added.isDone());
        replies(true, null);
        added.join();
        assertEquals(Map.of(), changes.coming());
    }

    /** Who is not expected any more could not introduce itself to the other members. */
    @Test
    void whoIsTakenInTwiceIsExpectedUntilTheFirstTimeIsOver() throws Exception {
        String address = newMember(CLUSTER, NEW);
        CompletableFuture<Void> added = changes.add("c", address, null);
        TrothException refused = assertThrows(TrothException.class, () -> {
            CompletableFuture<Void> unused = changes.add("c", address, null);
        });
        assertEquals(ErrorCode.CHANGE_UNDER_WAY, refused.code());
        assertEquals(Map.of("c", address), changes.coming());
        replies(true, null);
        added.join();
        assertEquals(Map.of(), changes.coming());
    }

    /** With another change since the leader has looked, Raft would undo that. */
    @Test
    void aChangeIsOfTheMembersThatThereWere() {
        CompletableFuture<Void> unused = changes.remove("b");
        assertEquals(List.of(FIRST, SECOND), asked.getServersInCurrentConf());
        assertEquals(List.of(FIRST), asked.getServersInNewConf());
        assertEquals(SetConfigurationRequest.Mode.COMPARE_AND_SET, asked.getMode());
    }

    @Test
    void aNodeOfAnotherClusterIsNotTakenIn() throws Exception {
        String address = newMember(new ClusterId(2), NEW);
        TrothException refused = assertThrows(TrothException.class, () -> {
            CompletableFuture<Void> unused = changes.add("c", address, null);
        });
        assertEquals(ErrorCode.WRONG_CLUSTER, refused.code());
        assertTrue(refused.getMessage().contains("at " + address + " is cluster " + new ClusterId(2)));
        assertEquals(Map.of(), changes.coming(), "who was refused is not expected any more");
        assertEquals(null, asked);
    }

    @Test
    void aChangeThatRaftHasNotMadeIsNotDone() {
        CompletableFuture<Void> removed = changes.remove("b");
        replies(false, new NotLeaderException(null, SECOND, List.of()));
        CompletionException refused = assertThrows(CompletionException.class, removed::join);
        assertEquals(
                ErrorCode.NOT_LEADER,
                assertInstanceOf(TrothException.class, refused.getCause()).code());
    }

    @Test
    void anOperatorReadsWhetherAnotherLeads() {
        assertEquals(ErrorCode.NOT_LEADER, codeOf(new NotLeaderException(null, SECOND, List.of())));
    }

    @Test
    void anOperatorReadsWhetherAnotherChangeIsUnderWay() {
        assertEquals(ErrorCode.CHANGE_UNDER_WAY, codeOf(new ReconfigurationInProgressException("one")));
    }

    @Test
    void anOperatorReadsWhetherAnotherChangeCameBefore() {
        assertEquals(ErrorCode.CHANGE_UNDER_WAY, codeOf(new SetConfigurationException("other members")));
    }

    @Test
    void anOperatorReadsWhetherTheNewMemberCouldNotBeReached() {
        assertEquals(ErrorCode.MEMBER_UNREACHABLE, codeOf(new ReconfigurationTimeoutException("too late")));
    }

    /** The change may have been made. */
    @Test
    void anOperatorReadsWhetherNobodyKnows() {
        assertEquals(ErrorCode.OUTCOME_UNKNOWN, codeOf(new RaftException("something else")));
    }
}
