package io.troth.coordinator.grpc;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNotEquals;

import com.google.protobuf.ByteString;
import io.grpc.Metadata;
import io.grpc.Status;
import io.grpc.StatusRuntimeException;
import io.grpc.health.v1.HealthCheckRequest;
import io.grpc.health.v1.HealthGrpc;
import io.grpc.stub.MetadataUtils;
import io.troth.core.BranchList;
import io.troth.core.ErrorCode;
import io.troth.core.Reason;
import io.troth.core.Vote;
import io.troth.core.coordinator.Event;
import io.troth.core.coordinator.Fate;
import io.troth.core.coordinator.OnePhaseFate;
import io.troth.proto.v1.AgentEntry;
import io.troth.proto.v1.AgentOrder;
import io.troth.proto.v1.AgentStreamResponse;
import io.troth.proto.v1.BranchDone;
import io.troth.proto.v1.BranchWork;
import io.troth.proto.v1.ClientEntry;
import io.troth.proto.v1.ClientReply;
import io.troth.proto.v1.ClientStreamResponse;
import io.troth.proto.v1.Commit;
import io.troth.proto.v1.CommitContent;
import io.troth.proto.v1.Enlist;
import io.troth.proto.v1.FateReport;
import io.troth.proto.v1.LocateResource;
import io.troth.proto.v1.OnePhaseProof;
import io.troth.proto.v1.OnePhaseResult;
import io.troth.proto.v1.OpenSession;
import io.troth.proto.v1.VoteEntry;
import java.io.ByteArrayOutputStream;
import java.util.Arrays;
import java.util.List;
import java.util.SplittableRandom;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/** Goal: nothing that a peer sends changes state unless it is right. Method: a real server, each limit and one beyond. */
class BadInputTest {

    private static final WireLimits LIMITS = WireLimits.DEFAULTS;

    private Edge edge;

    @BeforeEach
    void start() throws Exception {
        edge = new Edge();
        edge.ready();
    }

    @AfterEach
    void stop() {
        edge.close();
    }

    @Test
    void aSemanticErrorIsAnsweredAndTheStreamGoesOn() {
        RawStream<ClientStreamResponse> client = edge.greetedClient();
        List<ClientEntry.Builder> wrong = List.of(
                ClientEntry.newBuilder(),
                open("x".repeat(256)),
                open("ä".repeat(128)),
                commit(1, Integer.MAX_VALUE).setCommit(Commit.getDefaultInstance()),
                commit(0, 1),
                commit(1, 0),
                commit(1, -1),
                commitTo("no such/name"),
                commitTo("x".repeat(256)),
                commitTo(""),
                ClientEntry.newBuilder()
                        .setLocateResource(LocateResource.newBuilder().setResource("a b")),
                twice());
        long correlation = 0;
        for (ClientEntry.Builder entry : wrong) {
            client.send(Edge.batch(entry.setCorrelationId(++correlation)));
            long its = correlation;
            Edge.until(() -> reply(client, its) != null);
            assertEquals("INVALID_ARGUMENT", reply(client, its).getRefused().getCode(), entry.toString());
        }
        client.send(Edge.batch(commit(BranchList.BRANCHES_MAX + 1, 1).setCorrelationId(99)));
        Edge.until(() -> reply(client, 99) != null);
        assertEquals("LIMIT_EXCEEDED", reply(client, 99).getRefused().getCode());
        assertEquals(0, edge.inbox.batches(), "something came through");
        assertEquals(wrong.size() + 1, edge.refusals.size(), "each is counted once");

        client.send(Edge.batch(open("x".repeat(255)), commit(BranchList.BRANCHES_MAX, 1)));
        Edge.until(() -> edge.inbox.batches() == 1);
        assertEquals(2, edge.inbox.events().size());
        assertFalse(client.isOver());
    }

    @Test
    void aRightEntryBesideAWrongOneIsServed() {
        RawStream<ClientStreamResponse> client = edge.greetedClient();
        client.send(Edge.batch(
                ClientEntry.newBuilder().setCorrelationId(1), open("shop").setCorrelationId(2)));
        Edge.until(() -> edge.inbox.batches() == 1 && reply(client, 1) != null);
        assertEquals(
                2, edge.inbox.events(Event.OpenSession.class).get(0).request().correlation());
    }

    @Test
    void anEntryMayBeAsLargeAsTheLimitAndNotLarger() {
        byte[] fits = new byte[LIMITS.entryBytesMax()];
        RawStream<ClientStreamResponse> client = edge.greetedClient().send(batch(padded(fits.length)));
        Edge.until(() -> edge.inbox.batches() == 1);
        RawStream<ClientStreamResponse> over = edge.greetedClient().send(batch(padded(fits.length + 1)));
        Edge.until(over::isOver);
        assertEquals("RESOURCE_EXHAUSTED LIMIT_EXCEEDED", over.end());
        assertFalse(client.isOver());
        assertEquals(1, edge.inbox.events(Event.OpenSession.class).size());
    }

    @Test
    void aBatchMayHaveAsManyEntriesAsTheLimitAndNotMore() {
        ClientEntry.Builder[] entries = new ClientEntry.Builder[LIMITS.entriesPerBatchMax()];
        Arrays.fill(entries, open("shop"));
        byte[] full = Edge.batch(entries).toByteArray();
        RawStream<ClientStreamResponse> client = edge.greetedClient().send(full);
        Edge.until(() -> edge.inbox.batches() == 1);
        assertEquals(entries.length, edge.inbox.events().size());

        byte[] more = Arrays.copyOf(full, full.length + 2);
        more[full.length] = 0x0a;
        RawStream<ClientStreamResponse> over = edge.greetedClient().send(more);
        Edge.until(over::isOver);
        assertEquals("RESOURCE_EXHAUSTED LIMIT_EXCEEDED", over.end());
        assertEquals(entries.length, edge.inbox.events(Event.OpenSession.class).size());
        assertFalse(client.isOver());
    }

    @Test
    void aBatchLargerThanTheLimitIsNotEvenRead() {
        RawStream<ClientStreamResponse> over = edge.greetedClient().send(new byte[LIMITS.batchBytesMax() + 1]);
        Edge.until(over::isOver);
        assertEquals("RESOURCE_EXHAUSTED LIMIT_EXCEEDED", over.end());
        RawStream<ClientStreamResponse> far = edge.greetedClient().send(new byte[2 * LIMITS.batchBytesMax()]);
        Edge.until(far::isOver);
        Edge.until(() -> edge.inbox.batches() == 2);
        assertEquals(2, edge.inbox.events(Event.ClientDisconnected.class).size());
    }

    @Test
    void garbageCutsTheStreamAndNothingElse() {
        SplittableRandom random = new SplittableRandom(3);
        RawStream<ClientStreamResponse> bystander = edge.greetedClient();
        for (int i = 0; i < 200; i++) {
            byte[] garbage = new byte[1 + random.nextInt(300)];
            random.nextBytes(garbage);
            // A group end is never a batch: whatever follows, this one cannot be read.
            garbage[0] = 0x0c;
            RawStream<ClientStreamResponse> client = edge.client().send(garbage);
            RawStream<AgentStreamResponse> agent = edge.agent().send(garbage);
            Edge.until(() -> client.isOver() && agent.isOver());
            assertEquals("INVALID_ARGUMENT INVALID_ARGUMENT", client.end());
            assertEquals("INVALID_ARGUMENT INVALID_ARGUMENT", agent.end());
        }
        assertEquals(
                List.of(),
                edge.inbox.events().stream()
                        .filter(event -> !(event instanceof Event.ClientDisconnected))
                        .toList());
        assertFalse(bystander.isOver());
    }

    @Test
    void anEntryThatIsNoMessageCutsTheStream() {
        RawStream<ClientStreamResponse> client = edge.greetedClient().send(new byte[] {0x0a, 1, 0x0c});
        Edge.until(client::isOver);
        assertEquals("INVALID_ARGUMENT INVALID_ARGUMENT", client.end());
    }

    @Test
    void emptyBatchesAreNothing() {
        RawStream<ClientStreamResponse> client = edge.greetedClient();
        // Each costs a little of what may be under way, and gives it back.
        for (int i = 0; i < 2 * LIMITS.unsteppedBytesMax() / 64; i++) {
            client.send(new byte[0]);
        }
        client.send(Edge.batch(open("shop")));
        Edge.until(() -> edge.inbox.batches() == 1);
    }

    @Test
    void anUnknownVoteIsANo() {
        RawStream<AgentStreamResponse> agent = agent();
        for (int vote : List.of(0, 1, 2, 3, 4, 77, -1)) {
            agent.send(Edge.batch(AgentEntry.newBuilder()
                    .setVote(VoteEntry.newBuilder()
                            .setTx(Edge.tx(1))
                            .setBranch(Edge.branch(5, 1))
                            .setVoteValue(vote))));
        }
        Edge.until(() -> edge.inbox.events(Event.VoteReceived.class).size() == 7);
        assertEquals(
                List.of(Vote.NO, Vote.YES, Vote.NO, Vote.READ_ONLY, Vote.NO, Vote.NO, Vote.NO),
                edge.inbox.events(Event.VoteReceived.class).stream()
                        .map(Event.VoteReceived::vote)
                        .toList());
    }

    @Test
    void anUnknownFateIsNotKnownAndAnUnknownEndOfPhaseTwoIsNotDone() {
        RawStream<AgentStreamResponse> agent = agent();
        agent.send(Edge.batch(AgentEntry.newBuilder()
                .setOnePhaseResult(OnePhaseResult.newBuilder()
                        .setTx(Edge.tx(1))
                        .setBranch(Edge.branch(5, 1))
                        .setFateValue(77))));
        Edge.until(() -> edge.inbox.batches() == 2);
        assertEquals(
                OnePhaseFate.NOT_KNOWN,
                edge.inbox.events(Event.OnePhaseResult.class).get(0).fate());
        agent.send(Edge.batch(AgentEntry.newBuilder()
                .setFateReport(FateReport.newBuilder()
                        .setTx(Edge.tx(1))
                        .setBranch(Edge.branch(5, 1))
                        .setFateValue(77))));
        Edge.until(() -> edge.inbox.batches() == 3);
        assertEquals(
                Fate.UNKNOWN, edge.inbox.events(Event.FateReported.class).get(0).fate());
        agent.send(Edge.batch(AgentEntry.newBuilder()
                .setBranchDone(BranchDone.newBuilder()
                        .setTx(Edge.tx(1))
                        .setBranch(Edge.branch(5, 1))
                        .setResultValue(77))));
        Edge.until(agent::isOver);
        assertEquals("INVALID_ARGUMENT INVALID_ARGUMENT", agent.end());
        assertEquals(List.of(), edge.inbox.events(Event.BranchDone.class));
    }

    @Test
    void aProofHasAtMost64Bytes() {
        RawStream<AgentStreamResponse> agent = agent().send(Edge.batch(proof(64)));
        Edge.until(() -> edge.inbox.batches() == 2);
        agent.send(Edge.batch(proof(65)));
        Edge.until(agent::isOver);
        assertEquals("INVALID_ARGUMENT INVALID_ARGUMENT", agent.end());
        assertEquals(1, edge.inbox.events(Event.OnePhaseProof.class).size());
    }

    @Test
    void anInstanceIsNeverZeroAndNoCountIsNegative() {
        AgentEntry.Builder newer = Edge.hello(5, "accounts");
        newer.getHelloBuilder().setHighestBatch(-1);
        for (AgentEntry.Builder hello : List.of(Edge.hello(0, "accounts"), newer)) {
            RawStream<AgentStreamResponse> agent = edge.agent().send(Edge.batch(hello));
            Edge.until(agent::isOver);
            assertEquals("INVALID_ARGUMENT INVALID_ARGUMENT", agent.end());
        }
        assertEquals(0, edge.inbox.batches());
        RawStream<AgentStreamResponse> agent = agent();
        agent.send(Edge.batch(AgentEntry.newBuilder()
                .setVote(VoteEntry.newBuilder().setTx(Edge.tx(1)).setBranch(Edge.branch(0, 1)))));
        Edge.until(agent::isOver);
        assertEquals("INVALID_ARGUMENT INVALID_ARGUMENT", agent.end());
    }

    @Test
    void headersMayBeAsLargeAsTheLimitAndNotMuchLarger() {
        assertEquals(Status.Code.OK, beginWithHeader(LIMITS.metadataBytesMax() / 2));
        assertNotEquals(Status.Code.OK, beginWithHeader(2 * LIMITS.metadataBytesMax()));
    }

    private Status.Code beginWithHeader(int bytes) {
        Metadata headers = new Metadata();
        headers.put(Metadata.Key.of("padding", Metadata.ASCII_STRING_MARSHALLER), "x".repeat(bytes));
        try {
            var unused = HealthGrpc.newBlockingStub(edge.channel)
                    .withInterceptors(MetadataUtils.newAttachHeadersInterceptor(headers))
                    .check(HealthCheckRequest.getDefaultInstance());
            return Status.Code.OK;
        } catch (StatusRuntimeException e) {
            return e.getStatus().getCode();
        }
    }

    @Test
    void anEnlistWithAWrongNameIsRefusedByItself() {
        RawStream<AgentStreamResponse> agent = agent();
        agent.send(Edge.batch(AgentEntry.newBuilder()
                .setEnlist(Enlist.newBuilder()
                        .setTx(Edge.tx(1))
                        .setKey(Edge.key())
                        .setBranch(Edge.branch(5, 1))
                        .setResource("no such/name"))));
        Edge.until(() -> !agent.frames().isEmpty());
        AgentOrder order = agent.frames().get(0).getOrders(0);
        assertEquals("INVALID_ARGUMENT", order.getEnlistRefused().getReason().getCode());
        assertFalse(agent.isOver());
        assertEquals(List.of(), edge.inbox.events(Event.Enlist.class));
    }

    @Test
    void whoeverSpeaksBeforeItsHelloIsCut() {
        RawStream<AgentStreamResponse> agent = edge.agent().send(Edge.batch(proof(3)));
        Edge.until(agent::isOver);
        assertEquals("INVALID_ARGUMENT INVALID_ARGUMENT", agent.end());
        assertEquals(0, edge.inbox.batches());
    }

    @Test
    void anEntryOfANewerAgentChangesNothing() {
        RawStream<AgentStreamResponse> agent = agent();
        agent.send(Edge.batch(AgentEntry.newBuilder(), proof(3)));
        Edge.until(() -> edge.inbox.batches() == 2);
        assertEquals(1, edge.inbox.events(Event.OnePhaseProof.class).size());
        assertEquals(1, edge.refusals.size());
    }

    @Test
    void tooManyStreamsAreRefused() throws Exception {
        WireLimits one = new WireLimits(
                LIMITS.batchBytesMax(),
                LIMITS.entryBytesMax(),
                LIMITS.entriesPerBatchMax(),
                LIMITS.metadataBytesMax(),
                1,
                1,
                LIMITS.facadeTransactionsMax(),
                LIMITS.unsentEntriesMax(),
                LIMITS.unsteppedBytesMax());
        try (Edge small = new Edge(one)) {
            small.ready();
            RawStream<ClientStreamResponse> first = small.greetedClient();
            RawStream<ClientStreamResponse> second = small.client();
            Edge.until(second::isOver);
            assertEquals("RESOURCE_EXHAUSTED OVERLOADED", second.end());
            first.cancel();
            Edge.until(() -> small.streams.get() == 0);
            assertFalse(small.greetedClient().isOver());
        }
        try (Edge small = new Edge(one)) {
            small.ready();
            RawStream<AgentStreamResponse> first = small.agent().send(Edge.batch(Edge.hello(5, "accounts")));
            Edge.until(() -> small.inbox.batches() == 1);
            RawStream<AgentStreamResponse> second = small.agent();
            Edge.until(second::isOver);
            assertEquals("RESOURCE_EXHAUSTED OVERLOADED", second.end());
            first.cancel();
            Edge.until(() -> small.streams.get() == 0);
            RawStream<AgentStreamResponse> third = small.agent().send(Edge.batch(Edge.hello(6, "accounts")));
            Edge.until(() -> small.inbox.events(Event.AgentConnected.class).size() == 2);
            assertFalse(third.isOver());
        }
    }

    @Test
    void saysAtMostOneLineASecondForEachCode() {
        long[] now = {5};
        Refusals refusals = new Refusals(EdgeListener.NONE, () -> now[0]);
        for (int i = 0; i < 100; i++) {
            refusals.refused(Reason.of(ErrorCode.INVALID_ARGUMENT), "a test");
            refusals.refused(Reason.of(ErrorCode.LIMIT_EXCEEDED), "a test");
        }
        assertEquals(2, refusals.lines());
        now[0] += TimeUnit.SECONDS.toNanos(1);
        refusals.refused(Reason.of(ErrorCode.INVALID_ARGUMENT), "a test");
        assertEquals(3, refusals.lines());
    }

    /** One that has said hello. */
    private RawStream<AgentStreamResponse> agent() {
        RawStream<AgentStreamResponse> agent = edge.agent().send(Edge.batch(Edge.hello(5, "accounts")));
        Edge.until(() -> edge.inbox.batches() == 1);
        return agent;
    }

    private static ClientReply reply(RawStream<ClientStreamResponse> client, long correlation) {
        List<ClientStreamResponse> frames = client.frames();
        for (ClientStreamResponse frame : frames.subList(1, frames.size())) {
            for (ClientReply reply : frame.getRepliesList()) {
                if (reply.getCorrelationId() == correlation) {
                    return reply;
                }
            }
        }
        return null;
    }

    private static ClientEntry.Builder open(String name) {
        return ClientEntry.newBuilder().setOpenSession(OpenSession.newBuilder().setClientName(name));
    }

    private static ClientEntry.Builder commit(int branches, int calls) {
        CommitContent.Builder content = CommitContent.newBuilder();
        for (int i = 1; i <= Math.min(branches, 1_000); i++) {
            content.addBranches(BranchWork.newBuilder()
                    .setBranch(Edge.branch(5, i))
                    .setResource("accounts")
                    .setCalls(calls));
        }
        return commit(content);
    }

    private static ClientEntry.Builder commitTo(String resource) {
        return commit(CommitContent.newBuilder()
                .addBranches(BranchWork.newBuilder()
                        .setBranch(Edge.branch(5, 1))
                        .setResource(resource)
                        .setCalls(1)));
    }

    private static ClientEntry.Builder twice() {
        BranchWork.Builder work = BranchWork.newBuilder()
                .setBranch(Edge.branch(5, 1))
                .setResource("accounts")
                .setCalls(1);
        return commit(CommitContent.newBuilder().addBranches(work).addBranches(work));
    }

    private static ClientEntry.Builder commit(CommitContent.Builder content) {
        return ClientEntry.newBuilder()
                .setCommit(
                        Commit.newBuilder().setTx(Edge.tx(1)).setKey(Edge.key()).setContent(content));
    }

    private static AgentEntry.Builder proof(int bytes) {
        return AgentEntry.newBuilder()
                .setOnePhaseProof(OnePhaseProof.newBuilder()
                        .setTx(Edge.tx(1))
                        .setBranch(Edge.branch(5, 1))
                        .setProof(ByteString.copyFrom(new byte[bytes])));
    }

    /** A right entry that has exactly so many bytes, because of a field of a newer peer. */
    private static byte[] padded(int bytes) {
        byte[] open = open("shop").build().toByteArray();
        ByteArrayOutputStream entry = new ByteArrayOutputStream();
        entry.writeBytes(open);
        // Field 100, length-delimited, its length in three bytes.
        int rest = bytes - open.length - 5;
        entry.writeBytes(new byte[] {
            (byte) 0xa2, 0x06, (byte) ((rest & 0x7f) | 0x80), (byte) (((rest >> 7) & 0x7f) | 0x80), (byte) (rest >> 14)
        });
        entry.writeBytes(new byte[rest]);
        return entry.toByteArray();
    }

    private static byte[] batch(byte[] entry) {
        ByteArrayOutputStream batch = new ByteArrayOutputStream();
        int length = entry.length;
        batch.writeBytes(new byte[] {
            0x0a, (byte) ((length & 0x7f) | 0x80), (byte) (((length >> 7) & 0x7f) | 0x80), (byte) (length >> 14)
        });
        batch.writeBytes(entry);
        return batch.toByteArray();
    }
}
