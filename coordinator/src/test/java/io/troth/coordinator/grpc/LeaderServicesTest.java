package io.troth.coordinator.grpc;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.grpc.StatusRuntimeException;
import io.grpc.health.v1.HealthCheckRequest;
import io.grpc.health.v1.HealthCheckResponse.ServingStatus;
import io.grpc.health.v1.HealthGrpc;
import io.troth.core.ErrorCode;
import io.troth.core.Reason;
import io.troth.core.coordinator.Event;
import io.troth.proto.v1.AdminServiceGrpc;
import io.troth.proto.v1.AgentStreamResponse;
import io.troth.proto.v1.BeginRequest;
import io.troth.proto.v1.ClientStreamResponse;
import io.troth.proto.v1.GetStatusRequest;
import io.troth.proto.v1.TransactionServiceGrpc;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CountDownLatch;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.function.Executable;

/** Goal: who does not lead refuses everything that only a leader does, and says who leads. Method: a real server. */
class LeaderServicesTest {

    private static final Redirect ELSEWHERE =
            Redirect.to(new Reason(ErrorCode.NOT_LEADER, "b leads"), "b.example:7700");
    private static final Redirect SOON = Redirect.hereSoon(new Reason(ErrorCode.NOT_READY, "a begins to lead"));

    private Edge edge;

    @BeforeEach
    void start() throws Exception {
        edge = new Edge();
    }

    @AfterEach
    void stop() {
        edge.close();
    }

    private static void assertRedirected(Throwable thrown) {
        StatusRuntimeException status = (StatusRuntimeException) thrown;
        assertEquals(ErrorCode.NOT_LEADER, Statuses.codeOf(status.getTrailers()));
        assertEquals("b.example:7700", status.getTrailers().get(Statuses.LEADER));
        assertTrue(status.getStatus().getDescription().contains("b leads"), status::toString);
    }

    private void assertRedirected(RawStream<?> stream) {
        Edge.until(() -> stream.error() != null);
        assertRedirected(stream.error());
    }

    @Test
    void sendsEveryCallElsewhere() {
        edge.server.refuse(ELSEWHERE);
        assertRedirected(edge.client());
        assertRedirected(edge.agent());
        List<Executable> calls = List.of(
                () -> TransactionServiceGrpc.newBlockingStub(edge.channel).begin(BeginRequest.getDefaultInstance()),
                () -> AdminServiceGrpc.newBlockingStub(edge.channel).getStatus(GetStatusRequest.getDefaultInstance()));
        for (Executable call : calls) {
            assertRedirected(assertThrows(StatusRuntimeException.class, call));
        }
        assertEquals(
                List.of(ErrorCode.NOT_LEADER, ErrorCode.NOT_LEADER, ErrorCode.NOT_LEADER, ErrorCode.NOT_LEADER),
                edge.refusals.stream().map(Reason::code).toList());
    }

    @Test
    void endsTheStreamsOfALeadershipThatIsOverAndSaysWhoLeadsNow() {
        edge.ready();
        RawStream<ClientStreamResponse> client = edge.greetedClient();
        RawStream<AgentStreamResponse> agent = edge.agent();
        Edge.until(() -> edge.streams.get() == 2);
        edge.server.refuse(ELSEWHERE);
        assertRedirected(client);
        assertRedirected(agent);
        Edge.until(() -> edge.streams.get() == 0);
    }

    @Test
    void servesAgainForTheNextLeadership() {
        edge.ready();
        edge.server.refuse(ELSEWHERE);
        GrpcStreamGateway next = new GrpcStreamGateway(Edge.CLUSTER, 0);
        edge.server.serve(edge.inbox, next);
        RawStream<ClientStreamResponse> client = edge.client();
        Edge.until(() -> edge.streams.get() == 1);
        assertTrue(client.frames().isEmpty(), "the leader before was ready, this one is not");
        next.flush(Edge.EPOCH, 1);
        Edge.until(() -> !client.frames().isEmpty());
        assertNull(client.error());
    }

    @Test
    void streamsWaitWhileItBeginsToLead() {
        edge.server.refuse(SOON);
        RawStream<ClientStreamResponse> client = edge.client();
        RawStream<AgentStreamResponse> agent = edge.agent();
        agent.send(Edge.batch(Edge.hello(7, "accounts")));
        edge.client().cancel();
        assertThrows(
                StatusRuntimeException.class,
                () -> AdminServiceGrpc.newBlockingStub(edge.channel).getStatus(GetStatusRequest.getDefaultInstance()));
        assertEquals(0, edge.streams.get());
        GrpcStreamGateway next = new GrpcStreamGateway(Edge.CLUSTER, 0);
        edge.server.serve(edge.inbox, next);
        Edge.until(() -> edge.streams.get() == 2);
        next.flush(Edge.EPOCH, 1);
        Edge.until(() -> !client.frames().isEmpty());
        Edge.until(() -> edge.inbox.events(Event.AgentConnected.class).size() == 1);
        assertEquals(
                List.of(ErrorCode.NOT_READY),
                edge.refusals.stream().map(Reason::code).toList());
        assertEquals(2, edge.streams.get());
    }

    @Test
    void streamsThatHaveWaitedGoElsewhereWhenAnotherLeads() {
        edge.server.refuse(SOON);
        RawStream<ClientStreamResponse> client = edge.client();
        RawStream<AgentStreamResponse> agent = edge.agent();
        // Answered after the two have come, since all share a connection and its event loop.
        assertEquals(ServingStatus.NOT_SERVING, health());
        edge.server.refuse(SOON);
        assertFalse(client.isOver());
        edge.server.refuse(ELSEWHERE);
        assertRedirected(client);
        assertRedirected(agent);
    }

    @Test
    void aStreamThatComesWhenItsLeadershipIsOverEnds() {
        edge.ready();
        edge.gateway.finish(ELSEWHERE);
        assertRedirected(edge.client());
        assertRedirected(edge.agent());
    }

    @Test
    void isHealthyOnlyWhileItLeads() {
        assertEquals(ServingStatus.NOT_SERVING, health());
        edge.ready();
        assertEquals(ServingStatus.SERVING, health());
        edge.server.refuse(ELSEWHERE);
        assertEquals(ServingStatus.NOT_SERVING, health());
        edge.gateway.ready(false);
        edge.gateway.ready(true);
        assertEquals(ServingStatus.NOT_SERVING, health(), "nobody listens to the one before");
    }

    @Test
    void saysTheSameOfEachServiceThatOnlyALeaderHas() {
        for (String service : List.of("troth.v1.TransactionService", "troth.v1.ClientService")) {
            assertEquals(ServingStatus.NOT_SERVING, health(service));
        }
        edge.ready();
        for (String service : List.of("troth.v1.TransactionService", "troth.v1.ClientService")) {
            assertEquals(ServingStatus.SERVING, health(service));
        }
        edge.server.refuse(ELSEWHERE);
        assertEquals(ServingStatus.NOT_SERVING, health("troth.v1.TransactionService"));
    }

    @Test
    void isNotHealthyWhenItsLeadershipEndsWhileItBecomesReady() {
        for (int round = 0; round < 1_000; round++) {
            GrpcStreamGateway gateway = new GrpcStreamGateway(Edge.CLUSTER, 0);
            edge.server.serve(edge.inbox, gateway);
            CountDownLatch begins = new CountDownLatch(1);
            CompletableFuture<Void> engine = CompletableFuture.runAsync(() -> {
                begins.countDown();
                gateway.ready(true);
            });
            while (begins.getCount() > 0) {
                Thread.onSpinWait();
            }
            edge.server.refuse(ELSEWHERE);
            engine.join();
            assertEquals(ServingStatus.NOT_SERVING, health());
        }
    }

    private ServingStatus health() {
        return health("");
    }

    private ServingStatus health(String service) {
        return HealthGrpc.newBlockingStub(edge.channel)
                .check(HealthCheckRequest.newBuilder().setService(service).build())
                .getStatus();
    }
}
