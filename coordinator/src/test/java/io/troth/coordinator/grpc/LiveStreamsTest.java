package io.troth.coordinator.grpc;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.troth.proto.v1.AgentEntry;
import io.troth.proto.v1.AgentOrder;
import io.troth.proto.v1.AgentServiceGrpc;
import io.troth.proto.v1.AgentStreamResponse;
import io.troth.proto.v1.BranchId;
import io.troth.proto.v1.BranchWork;
import io.troth.proto.v1.ClientEntry;
import io.troth.proto.v1.ClientReply;
import io.troth.proto.v1.ClientStreamResponse;
import io.troth.proto.v1.Commit;
import io.troth.proto.v1.CommitContent;
import io.troth.proto.v1.EpochId;
import io.troth.proto.v1.GlobalTxId;
import io.troth.proto.v1.LocateResource;
import io.troth.proto.v1.OpenSession;
import io.troth.proto.v1.Outcome;
import io.troth.proto.v1.SessionKey;
import io.troth.proto.v1.SessionOpened;
import io.troth.proto.v1.Vote;
import io.troth.proto.v1.VoteEntry;
import java.util.ArrayList;
import java.util.List;
import java.util.SplittableRandom;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/** Goal: whole transactions over the wire, and peers that lie. Method: the real engine, with agents that only speak. */
class LiveStreamsTest {

    private LiveCoordinator coordinator;
    private WireAgent accounts;
    private WireAgent stock;
    private RawStream<ClientStreamResponse> client;
    private SessionOpened session;
    private long correlation;

    @BeforeEach
    void start() throws Exception {
        coordinator = new LiveCoordinator();
        accounts = new WireAgent(coordinator.channel, 0xa, "accounts");
        stock = new WireAgent(coordinator.channel, 0xb, "stock");
        client = RawStream.open(
                coordinator.channel, io.troth.proto.v1.ClientServiceGrpc.getClientStreamMethod(), Edge.EVERYTHING);
        Edge.until(() -> !client.frames().isEmpty());
        session = ask(ClientEntry.newBuilder()
                        .setOpenSession(OpenSession.newBuilder().setClientName("shop")))
                .getSessionOpened();
    }

    @AfterEach
    void stop() throws Exception {
        coordinator.close();
    }

    @Test
    void commitsOverTwoAgentsWithOneForcedWrite() {
        int forced = coordinator.log.forcedWrites();
        GlobalTxId tx = tx(1);
        BranchId a = accounts.enlist(tx, key());
        BranchId b = stock.enlist(tx, key());
        ClientReply reply = ask(commit(tx, work(a, "accounts"), work(b, "stock")));
        assertEquals(Outcome.OUTCOME_COMMITTED, reply.getTransactionAnswer().getOutcome());
        assertFalse(reply.getTransactionAnswer().getCompleting());
        assertEquals(forced + 1, coordinator.log.forcedWrites());
        for (WireAgent agent : List.of(accounts, stock)) {
            assertEquals(
                    List.of(
                            AgentOrder.OrderCase.WELCOME,
                            AgentOrder.OrderCase.PREPARE,
                            AgentOrder.OrderCase.COMMIT_BRANCH),
                    agent.orders().stream().map(AgentOrder::getOrderCase).toList());
        }
        assertEquals("accounts:7710", located("accounts"));
        assertEquals(List.of(), coordinator.refusals);
    }

    @Test
    void aFrameSaysEpochAndDurableBatch() {
        GlobalTxId tx = tx(1);
        ask(commit(tx, work(accounts.enlist(tx, key()), "accounts"), work(stock.enlist(tx, key()), "stock")));
        List<ClientStreamResponse> frames = client.frames();
        ClientStreamResponse last = frames.get(frames.size() - 1);
        assertEquals(session.getSession().getEpoch(), last.getEpoch());
        assertTrue(last.getDurableBatch() > frames.get(0).getDurableBatch());
    }

    @Test
    void aRogueVoteForTheBranchOfAnotherChangesNothing() {
        WireAgent rogue = new WireAgent(coordinator.channel, 0xc, "rogue");
        GlobalTxId tx = tx(1);
        BranchId a = accounts.enlist(tx, key());
        BranchId b = stock.enlist(tx, key());
        for (Vote vote : List.of(Vote.VOTE_NO, Vote.VOTE_YES, Vote.VOTE_READ_ONLY)) {
            rogue.say(AgentEntry.newBuilder()
                    .setVote(VoteEntry.newBuilder().setTx(tx).setBranch(a).setVote(vote)));
        }
        // It cannot take the branch over either.
        rogue.say(rogue.enlistEntry(tx, key(), a));
        Edge.until(() -> rogue.orders().stream().anyMatch(AgentOrder::hasEnlistRefused));
        ClientReply reply = ask(commit(tx, work(a, "accounts"), work(b, "stock")));
        assertEquals(Outcome.OUTCOME_COMMITTED, reply.getTransactionAnswer().getOutcome());
    }

    @Test
    void tenThousandNearMissesOfKeysAndIdsAreAllRefused() {
        WireAgent rogue = new WireAgent(coordinator.channel, 0xc, "rogue");
        GlobalTxId real = tx(1);
        BranchId a = accounts.enlist(real, key());
        BranchId b = stock.enlist(real, key());
        SplittableRandom random = new SplittableRandom(11);
        int misses = 10_000;
        List<AgentEntry.Builder> batch = new ArrayList<>();
        for (int i = 0; i < misses; i++) {
            // Each in a sequence of its own, so that a wrong one that got in would be a transaction of the session.
            GlobalTxId.Builder tx = tx(2 + i % 5_000).toBuilder();
            SessionKey.Builder key = key().toBuilder();
            switch (i % 5) {
                case 0 -> key.setLow(key.getLow() ^ (1L << random.nextInt(64)));
                case 1 -> key.setHigh(key.getHigh() ^ (1L << random.nextInt(64)));
                case 2 -> tx.setNonce(tx.getNonce() ^ (1L << random.nextInt(64)));
                case 3 -> tx.setEpoch(tx.getEpoch() + 1 + random.nextInt(5));
                default -> tx.setSession(tx.getSession() + 1 + random.nextInt(5));
            }
            batch.add(rogue.enlistEntry(tx.build(), key.build(), Edge.branch(0xc, i + 1)));
            if (batch.size() == 1_000) {
                rogue.say(batch.toArray(AgentEntry.Builder[]::new));
                batch.clear();
            }
        }
        Edge.until(() ->
                rogue.orders().stream().filter(AgentOrder::hasEnlistRefused).count() == misses);
        assertEquals(
                List.of("NOT_LEADER", "UNKNOWN_SESSION", "WRONG_SESSION_KEY"),
                rogue.orders().stream()
                        .filter(AgentOrder::hasEnlistRefused)
                        .map(order -> order.getEnlistRefused().getReason().getCode())
                        .distinct()
                        .sorted()
                        .toList());
        ClientReply reply = ask(commit(real, work(a, "accounts"), work(b, "stock")));
        assertEquals(Outcome.OUTCOME_COMMITTED, reply.getTransactionAnswer().getOutcome());
        // None of them is listed, so this would be refused if one had got in.
        GlobalTxId next = tx(2);
        ClientReply second = ask(
                commit(next, work(accounts.enlist(next, key()), "accounts"), work(stock.enlist(next, key()), "stock")));
        assertEquals(Outcome.OUTCOME_COMMITTED, second.getTransactionAnswer().getOutcome());
    }

    @Test
    void aResourceNameStandsForOneDatabaseAndOneRole() {
        AgentEntry.Builder database = Edge.hello(0xc, "accounts");
        database.getHelloBuilder().getResourcesBuilder(0).setIdentity("1/another");
        AgentEntry.Builder role = Edge.hello(0xd, "accounts");
        role.getHelloBuilder().getResourcesBuilder(0).setRole("another");
        for (AgentEntry.Builder hello : List.of(database, role)) {
            RawStream<AgentStreamResponse> other =
                    RawStream.open(coordinator.channel, AgentServiceGrpc.getAgentStreamMethod(), Edge.EVERYTHING);
            other.send(Edge.batch(hello));
            Edge.until(other::isOver);
            assertEquals("FAILED_PRECONDITION RESOURCE_IDENTITY_DIFFERS", other.end());
        }
        // Another instance of the same one is welcome, and the first one's work goes on.
        WireAgent replica = new WireAgent(coordinator.channel, 0xe, "accounts");
        GlobalTxId tx = tx(1);
        ClientReply reply =
                ask(commit(tx, work(accounts.enlist(tx, key()), "accounts"), work(stock.enlist(tx, key()), "stock")));
        assertEquals(Outcome.OUTCOME_COMMITTED, reply.getTransactionAnswer().getOutcome());
        assertEquals(1, replica.orders().size());
    }

    private String located(String resource) {
        return ask(ClientEntry.newBuilder()
                        .setLocateResource(LocateResource.newBuilder().setResource(resource)))
                .getResourceLocated()
                .getSqlAddresses(0);
    }

    private ClientReply ask(ClientEntry.Builder entry) {
        long its = ++correlation;
        client.send(Edge.batch(entry.setCorrelationId(its)));
        Edge.until(() -> reply(its) != null);
        return reply(its);
    }

    private ClientReply reply(long its) {
        for (ClientStreamResponse frame : client.frames()) {
            for (ClientReply reply : frame.getRepliesList()) {
                if (reply.getCorrelationId() == its) {
                    return reply;
                }
            }
        }
        return null;
    }

    private ClientEntry.Builder commit(GlobalTxId tx, BranchWork... works) {
        return ClientEntry.newBuilder()
                .setCommit(Commit.newBuilder()
                        .setTx(tx)
                        .setKey(key())
                        .setLowestOpen(1)
                        .setRemainingMillis(60_000)
                        .setContent(CommitContent.newBuilder()
                                .addAllBranches(List.of(works))
                                .setOnePhaseAllowed(true)));
    }

    private static BranchWork work(BranchId branch, String resource) {
        return BranchWork.newBuilder()
                .setBranch(branch)
                .setResource(resource)
                .setCalls(1)
                .build();
    }

    private GlobalTxId tx(long sequence) {
        EpochId epoch = session.getSession().getEpoch();
        return GlobalTxId.newBuilder()
                .setEpoch(epoch.getNumber())
                .setNonce(epoch.getNonce())
                .setSession(session.getSession().getSession())
                .setSequence(sequence)
                .build();
    }

    private SessionKey key() {
        return session.getSession().getKey();
    }
}
