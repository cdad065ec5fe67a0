package io.troth.coordinator.grpc;

import static org.junit.jupiter.api.Assertions.assertDoesNotThrow;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.troth.core.ErrorCode;
import io.troth.core.Outcome;
import io.troth.core.Reason;
import io.troth.core.coordinator.AgentMessage;
import io.troth.core.coordinator.ClientMessage;
import io.troth.core.coordinator.Event;
import io.troth.core.coordinator.StreamId;
import io.troth.proto.v1.AgentEntry;
import io.troth.proto.v1.AgentStreamResponse;
import io.troth.proto.v1.ClientEntry;
import io.troth.proto.v1.ClientReply;
import io.troth.proto.v1.ClientStreamResponse;
import io.troth.proto.v1.LocateResource;
import io.troth.proto.v1.OpenSession;
import io.troth.proto.v1.WaitFor;
import java.net.InetAddress;
import java.net.Socket;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;

/** Goal: the streams carry what engine and peers say, in order, bounded, and to nobody else. Method: a real server. */
class StreamServicesTest {

    @Test
    void greetsAClientFirstAndOnlyWhenReady() throws Exception {
        try (Edge edge = new Edge()) {
            RawStream<ClientStreamResponse> early = edge.client().send(openSession(1));
            Edge.until(() -> edge.streams.get() == 1);
            // A round trip on another stream of the same connection: what could have come has come.
            RawStream<AgentStreamResponse> other = edge.agent().send(new byte[] {1});
            Edge.until(other::isOver);
            assertEquals(List.of(), early.frames());
            assertEquals(0, edge.inbox.batches(), "nothing is read before the greeting");

            edge.ready();
            Edge.until(() -> edge.inbox.batches() == 1);
            RawStream<ClientStreamResponse> late = edge.client();
            Edge.until(() -> !early.frames().isEmpty() && !late.frames().isEmpty());

            for (ClientStreamResponse frame :
                    List.of(early.frames().get(0), late.frames().get(0))) {
                assertEquals(3, frame.getEpoch().getNumber());
                assertEquals(1, frame.getDurableBatch());
                assertEquals(
                        Edge.CLUSTER.value(),
                        frame.getReplies(0).getCoordinatorState().getClusterId());
            }
        }
    }

    @Test
    void handsOneReceivedBatchOverAsOneAndSendsOneFlushAsOne() throws Exception {
        try (Edge edge = new Edge()) {
            edge.ready();
            RawStream<ClientStreamResponse> client = edge.greetedClient();
            client.send(Edge.batch(entry(1), entry(2), entry(3)));
            Edge.until(() -> edge.inbox.batches() == 1);
            List<Event.OpenSession> opened = edge.inbox.events(Event.OpenSession.class);
            assertEquals(3, opened.size());

            StreamId stream = opened.get(0).request().stream();
            for (long correlation = 1; correlation <= 3; correlation++) {
                edge.gateway.sendToClient(
                        stream, new ClientMessage.Refused(correlation, Reason.of(ErrorCode.OVERLOADED)));
            }
            edge.gateway.flush(Edge.EPOCH, 9);
            Edge.until(() -> client.frames().size() == 2);
            ClientStreamResponse frame = client.frames().get(1);
            assertEquals(9, frame.getDurableBatch());
            assertEquals(
                    List.of(1L, 2L, 3L),
                    frame.getRepliesList().stream()
                            .map(ClientReply::getCorrelationId)
                            .toList());
        }
    }

    @Test
    void aConnectedAgentIsToldWhatTheEngineSaysAndItsEndIsHeard() throws Exception {
        try (Edge edge = new Edge()) {
            RawStream<AgentStreamResponse> agent = edge.agent().send(Edge.batch(Edge.hello(5, "accounts")));
            Edge.until(() -> edge.inbox.batches() == 1);
            Event.AgentConnected connected =
                    edge.inbox.events(Event.AgentConnected.class).get(0);
            assertEquals(5, connected.hello().instance());
            assertEquals("accounts:7710", connected.hello().resources().get(0).sqlAddress());

            edge.gateway.sendToAgent(connected.stream(), new AgentMessage.Welcome(Edge.EPOCH));
            edge.gateway.flush(Edge.EPOCH, 4);
            Edge.until(() -> !agent.frames().isEmpty());
            assertEquals(
                    Edge.CLUSTER.value(),
                    agent.frames().get(0).getOrders(0).getWelcome().getClusterId());

            agent.cancel();
            Edge.until(() -> edge.inbox.batches() == 2);
            assertEquals(
                    List.of(new Event.AgentDisconnected(connected.stream())),
                    edge.inbox.events(Event.AgentDisconnected.class));
            assertEquals(0, edge.streams.get());
            edge.gateway.sendToAgent(connected.stream(), new AgentMessage.Welcome(Edge.EPOCH));
            edge.gateway.flush(Edge.EPOCH, 5);
        }
    }

    @Test
    void theEngineEndsAStreamAfterWhatItSaidLast() throws Exception {
        try (Edge edge = new Edge()) {
            RawStream<AgentStreamResponse> agent = edge.agent().send(Edge.batch(Edge.hello(5, "accounts")));
            Edge.until(() -> edge.inbox.batches() == 1);
            StreamId stream = edge.inbox.events(Event.AgentConnected.class).get(0).stream();
            edge.gateway.sendToAgent(stream, new AgentMessage.Welcome(Edge.EPOCH));
            edge.gateway.close(stream, new Reason(ErrorCode.RESOURCE_IDENTITY_DIFFERS, "accounts"));
            edge.gateway.flush(Edge.EPOCH, 4);
            Edge.until(agent::isOver);
            assertEquals(1, agent.frames().size());
            assertEquals("FAILED_PRECONDITION RESOURCE_IDENTITY_DIFFERS", agent.end());
        }
    }

    @Test
    void cutsAPeerThatDoesNotReadAndLosesNothingOnOneThatReadsLate() throws Exception {
        WireLimits limits = limits(1_000);
        try (Edge edge = new Edge(limits)) {
            edge.ready();
            RawStream<ClientStreamResponse> slow = edge.client(1);
            Edge.until(() -> slow.frames().size() == 1);
            slow.send(openSession(1));
            Edge.until(() -> edge.inbox.batches() == 1);
            StreamId stream = edge.inbox.events(Event.OpenSession.class).get(0).request().stream();

            // Until the window of the transport is full, then until our own queue is.
            Reason big = new Reason(ErrorCode.INVALID_ARGUMENT, "x".repeat(1_000));
            for (int sent = 1; sent <= 20_000 && edge.refusals.isEmpty(); sent++) {
                edge.gateway.sendToClient(stream, new ClientMessage.Refused(sent, big));
                edge.gateway.flush(Edge.EPOCH, 1);
            }
            Edge.until(() -> !edge.refusals.isEmpty());
            assertEquals(ErrorCode.OVERLOADED, edge.refusals.get(0).code());
            Edge.until(() -> edge.inbox.events(Event.ClientDisconnected.class).size() == 1);

            slow.read(Edge.EVERYTHING);
            Edge.until(slow::isOver);
            assertEquals("RESOURCE_EXHAUSTED OVERLOADED", slow.end());
            List<Long> seen =
                    correlations(slow.frames().subList(1, slow.frames().size()));
            for (int i = 0; i < seen.size(); i++) {
                assertEquals(i + 1L, seen.get(i), "a hole in what was sent before the cut");
            }
        }
    }

    @Test
    void aCommitWaitsForTheDecisionAloneOnlyIfItSaysSo() {
        assertFalse(WireReader.waitsCompleted(WaitFor.WAIT_FOR_DECIDED));
        assertTrue(WireReader.waitsCompleted(WaitFor.WAIT_FOR_COMPLETED));
        assertTrue(WireReader.waitsCompleted(WaitFor.WAIT_FOR_UNSPECIFIED));
        assertTrue(WireReader.waitsCompleted(WaitFor.UNRECOGNIZED));
    }

    @Test
    void neverCutsAPeerThatReads() throws Exception {
        try (Edge edge = new Edge(limits(100))) {
            edge.ready();
            RawStream<ClientStreamResponse> client = edge.greetedClient().send(openSession(1));
            Edge.until(() -> edge.inbox.batches() == 1);
            StreamId stream = edge.inbox.events(Event.OpenSession.class).get(0).request().stream();
            for (int i = 1; i <= 20; i++) {
                for (int j = 0; j < 50; j++) {
                    edge.gateway.sendToClient(stream, new ClientMessage.Refused(i, Reason.of(ErrorCode.OVERLOADED)));
                }
                edge.gateway.flush(Edge.EPOCH, 1);
                int sent = 50 * i;
                Edge.until(() ->
                        correlations(client.frames().subList(1, client.frames().size()))
                                        .size()
                                == sent);
            }
            assertFalse(client.isOver());
        }
    }

    @Test
    void neverCutsAPeerBecauseMuchIsSaidAtOnce() throws Exception {
        try (Edge edge = new Edge(limits(100))) {
            edge.ready();
            RawStream<ClientStreamResponse> client = edge.client(1);
            Edge.until(() -> client.frames().size() == 1);
            client.send(openSession(1));
            Edge.until(() -> edge.inbox.batches() == 1);
            StreamId stream = edge.inbox.events(Event.OpenSession.class).get(0).request().stream();
            // Far more than the transport takes before the peer reads: it is still leaving when more is said.
            Reason big = new Reason(ErrorCode.INVALID_ARGUMENT, "x".repeat(1_000));
            for (int i = 1; i <= 5_000; i++) {
                edge.gateway.sendToClient(stream, new ClientMessage.Refused(i, big));
            }
            edge.gateway.flush(Edge.EPOCH, 1);
            edge.gateway.sendToClient(stream, new ClientMessage.Refused(5_001, big));
            edge.gateway.flush(Edge.EPOCH, 1);
            client.read(Edge.EVERYTHING);
            Edge.until(() -> client.isOver() || correlations(client.frames()).size() == 5_002);
            assertFalse(client.isOver(), client.end());
            assertEquals(List.of(), edge.refusals);
        }
    }

    @Test
    void cutsWhoConnectsAndNeverSaysWhoItIsOrWhatItSpeaks() throws Exception {
        try (Edge edge = new Edge(hasty(100, 60_000))) {
            edge.ready();
            RawStream<AgentStreamResponse> silent = edge.agent();
            Edge.until(silent::isOver);
            assertEquals("INVALID_ARGUMENT INVALID_ARGUMENT", silent.end());
        }
        try (Edge edge = new Edge(hasty(60_000, 100))) {
            try (Socket nobody = new Socket(InetAddress.getLoopbackAddress(), edge.server.port())) {
                nobody.setSoTimeout(60_000);
                // What the server says first does not matter; it must hang up.
                assertDoesNotThrow(() -> nobody.getInputStream().readAllBytes());
            }
        }
    }

    private static GrpcSettings hasty(long helloMillis, long handshakeMillis) {
        GrpcSettings d = GrpcSettings.loopback(0);
        return new GrpcSettings(
                d.address(), null, d.limits(), 1, 60_000, 60_000, helloMillis, handshakeMillis, 10_000, 5_000);
    }

    @Test
    void readsOnWhenAPeerReadsLate() throws Exception {
        try (Edge edge = new Edge(limits(50_000))) {
            edge.ready();
            RawStream<ClientStreamResponse> late = edge.client(1);
            Edge.until(() -> late.frames().size() == 1);
            late.send(openSession(1));
            Edge.until(() -> edge.inbox.batches() == 1);
            StreamId stream = edge.inbox.events(Event.OpenSession.class).get(0).request().stream();
            Reason big = new Reason(ErrorCode.INVALID_ARGUMENT, "x".repeat(1_000));
            for (int i = 1; i <= 10_000; i++) {
                edge.gateway.sendToClient(stream, new ClientMessage.Refused(i, big));
                edge.gateway.flush(Edge.EPOCH, 1);
            }
            late.read(Edge.EVERYTHING);
            Edge.until(() -> correlations(late.frames()).size() == 10_001);
            List<Long> seen = correlations(late.frames());
            for (int i = 1; i <= 10_000; i++) {
                assertEquals(i, seen.get(i));
            }
            assertFalse(late.isOver());
        }
    }

    @Test
    void readsNothingMoreWhileTheEngineIsBehind() throws Exception {
        try (Edge edge = new Edge()) {
            edge.ready();
            RawStream<ClientStreamResponse> client = edge.greetedClient();
            edge.inbox.stall();
            ClientEntry.Builder big = ClientEntry.newBuilder()
                    .setOpenSession(OpenSession.newBuilder().setClientName("x".repeat(255)));
            ClientEntry.Builder[] thousand = new ClientEntry.Builder[1_000];
            java.util.Arrays.fill(thousand, big);
            byte[] batch = Edge.batch(thousand).toByteArray();
            int sent = 40;
            for (int i = 0; i < sent; i++) {
                client.send(batch);
            }
            int window = WireLimits.DEFAULTS.unsteppedBytesMax() / batch.length + 1;
            Edge.until(() -> edge.inbox.batches() >= window);
            // A round trip on another stream of the same connection: what could have come has come.
            RawStream<AgentStreamResponse> other = edge.agent().send(new byte[] {1});
            Edge.until(other::isOver);
            assertEquals(window, edge.inbox.batches());
            edge.inbox.resume();
            Edge.until(() -> edge.inbox.batches() == sent);
        }
    }

    @Test
    void aBatchOfLookUpsAloneCountsUntilTheyWereLookedUp() throws Exception {
        try (Edge edge = new Edge(limits(100_000, 10_000))) {
            edge.ready();
            RawStream<ClientStreamResponse> client = edge.greetedClient();
            edge.inbox.stall();
            byte[] batch = Edge.batch(locate(4)).toByteArray();
            int sent = 1_000;
            for (int i = 0; i < sent; i++) {
                client.send(batch);
            }
            int cost = batch.length + 64;
            int window = (10_000 + cost - 1) / cost;
            Edge.until(() -> edge.inbox.looks() >= window);
            // A round trip on another stream of the same connection: what could have come has come.
            RawStream<AgentStreamResponse> other = edge.agent().send(new byte[] {1});
            Edge.until(other::isOver);
            assertEquals(window, edge.inbox.looks());
            edge.inbox.resume();
            Edge.until(() -> edge.inbox.looks() == sent);
        }
    }

    @Test
    void refusesAnAgentOfAnotherClusterAndOneWithoutHello() throws Exception {
        try (Edge edge = new Edge()) {
            AgentEntry.Builder foreign = Edge.hello(5, "accounts");
            foreign.getHelloBuilder().setClusterId(77);
            RawStream<AgentStreamResponse> stranger = edge.agent().send(Edge.batch(foreign));
            Edge.until(stranger::isOver);
            assertEquals("FAILED_PRECONDITION WRONG_CLUSTER", stranger.end());

            AgentEntry.Builder unknown = Edge.hello(5, "accounts");
            unknown.getHelloBuilder().setClusterId(0);
            edge.agent().send(Edge.batch(unknown));
            Edge.until(() -> edge.inbox.events(Event.AgentConnected.class).size() == 1);
            assertEquals(1, edge.inbox.batches());
        }
    }

    @Test
    void locatesTheGatewaysOfAResource() throws Exception {
        try (Edge edge = new Edge()) {
            edge.ready();
            RawStream<ClientStreamResponse> client = edge.greetedClient();
            client.send(Edge.batch(locate(4)));
            Edge.until(() -> client.frames().size() == 2);
            ClientReply reply = client.frames().get(1).getReplies(0);
            assertEquals(4, reply.getCorrelationId());
            assertEquals("accounts", reply.getResourceLocated().getResource());
            assertEquals(0, reply.getResourceLocated().getSqlAddressesCount());
        }
    }

    @Test
    void endsEveryStreamWhenTheServerStops() throws Exception {
        Edge edge = new Edge();
        try (edge) {
            edge.ready();
            RawStream<ClientStreamResponse> client = edge.greetedClient();
            client.send(openSession(1));
            Edge.until(() -> edge.inbox.batches() == 1);
            StreamId stream = edge.inbox.events(Event.OpenSession.class).get(0).request().stream();
            edge.gateway.sendToClient(
                    stream,
                    new ClientMessage.Answer(1, WireReader.tx(Edge.tx(1)), Outcome.COMMITTED, false, null, null));
            edge.gateway.flush(Edge.EPOCH, 2);
            edge.server.shutdown(60_000);
            Edge.until(client::isOver);
            assertEquals("UNAVAILABLE DRAINING", client.end());
            assertEquals(2, client.frames().size());
        }
    }

    private static List<Long> correlations(List<ClientStreamResponse> frames) {
        List<Long> correlations = new ArrayList<>();
        frames.forEach(frame -> frame.getRepliesList().forEach(reply -> correlations.add(reply.getCorrelationId())));
        return correlations;
    }

    private static ClientEntry.Builder locate(long correlation) {
        return ClientEntry.newBuilder()
                .setCorrelationId(correlation)
                .setLocateResource(LocateResource.newBuilder().setResource("accounts"));
    }

    static WireLimits limits(int unsentEntriesMax) {
        return limits(unsentEntriesMax, WireLimits.DEFAULTS.unsteppedBytesMax());
    }

    private static WireLimits limits(int unsentEntriesMax, int unsteppedBytesMax) {
        WireLimits d = WireLimits.DEFAULTS;
        return new WireLimits(
                d.batchBytesMax(),
                d.entryBytesMax(),
                d.entriesPerBatchMax(),
                d.metadataBytesMax(),
                d.clientStreamsMax(),
                d.agentStreamsMax(),
                d.facadeTransactionsMax(),
                unsentEntriesMax,
                unsteppedBytesMax);
    }

    private static io.troth.proto.v1.ClientStreamRequest openSession(long correlation) {
        return Edge.batch(entry(correlation));
    }

    private static ClientEntry.Builder entry(long correlation) {
        return ClientEntry.newBuilder()
                .setCorrelationId(correlation)
                .setOpenSession(OpenSession.newBuilder().setClientName("shop"));
    }
}
