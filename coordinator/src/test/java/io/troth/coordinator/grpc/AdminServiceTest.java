package io.troth.coordinator.grpc;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.grpc.health.v1.HealthCheckRequest;
import io.grpc.health.v1.HealthCheckResponse.ServingStatus;
import io.grpc.health.v1.HealthGrpc;
import io.grpc.reflection.v1.ServerReflectionGrpc;
import io.grpc.reflection.v1.ServerReflectionRequest;
import io.grpc.reflection.v1.ServerReflectionResponse;
import io.grpc.reflection.v1.ServiceResponse;
import io.grpc.stub.StreamObserver;
import io.troth.coordinator.admin.CoordinatorStatus;
import io.troth.coordinator.admin.Listing;
import io.troth.core.BranchId;
import io.troth.core.Decision;
import io.troth.core.ErrorCode;
import io.troth.core.GlobalTxId;
import io.troth.core.Outcome;
import io.troth.core.TrothException;
import io.troth.core.coordinator.InDoubtView;
import io.troth.core.coordinator.LogRecord;
import io.troth.core.coordinator.TransactionState;
import io.troth.core.coordinator.TransactionView;
import io.troth.proto.v1.AgentOrder;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.Socket;
import java.net.UnknownHostException;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/** Goal: an operator sees what is, and forces only what may be forced. Method: the real engine, wire agents. */
class AdminServiceTest {

    private LiveCoordinator coordinator;
    private AdminClient admin;

    @BeforeEach
    void start() throws Exception {
        coordinator = new LiveCoordinator();
        admin = new AdminClient("localhost:" + coordinator.port(), null, 60_000);
        Edge.until(() -> coordinator.notReady() == null);
    }

    @AfterEach
    void stop() throws Exception {
        admin.close();
        coordinator.close();
    }

    @Test
    void showsHowTheCoordinatorIs() {
        WireAgent unused = new WireAgent(coordinator.channel, 0xa, "accounts");
        CoordinatorStatus status = admin.status();
        assertEquals(LiveCoordinator.CLUSTER, status.cluster());
        assertTrue(status.leader().ready() && status.leader().accepting());
        assertEquals(1, status.leader().epoch().number());
        assertEquals(1, status.leader().agents());
        assertEquals(
                "accounts:7710",
                admin.agents(0).items().get(0).resources().get(0).sqlAddress());
        assertEquals(unused.instance, admin.agents(0).items().get(0).instance());
    }

    @Test
    void listsAnUnendedTransactionAndItsBranchesInDoubt() {
        Unended unended = new Unended(coordinator);
        Listing<TransactionView> list = admin.transactions(0);
        assertFalse(list.truncated());
        assertEquals(1, list.items().size());
        TransactionView view = admin.transaction(unended.tx);
        assertEquals(list.items().get(0), view);
        assertEquals(TransactionState.COMMITTED, view.state());
        assertEquals("unary", view.clientName());
        assertEquals(2, view.branches().size());
        assertEquals(
                List.of(new InDoubtView(unended.tx, unended.held, "stock", Outcome.COMMITTED, false)),
                admin.inDoubt(0).items());
    }

    @Test
    void aForcedDecisionIsLoggedFirstAndCarriedOut() {
        Unended unended = new Unended(coordinator);
        assertEquals(Outcome.COMMITTED, admin.resolve(unended.tx, unended.held, Decision.ROLLBACK, "the disk is gone"));
        LogRecord.Heuristic logged = coordinator.log.written().stream()
                .map(entry -> entry.record())
                .filter(LogRecord.Heuristic.class::isInstance)
                .map(LogRecord.Heuristic.class::cast)
                .findFirst()
                .orElseThrow();
        assertEquals("the disk is gone", logged.reason());
        Edge.until(() -> unended.stock.orders().stream().anyMatch(AgentOrder::hasRollbackBranch));
        assertEquals(List.of(), admin.inDoubt(0).items());
        assertEquals(
                ErrorCode.TRANSACTION_ENDED,
                refusal(() -> admin.resolve(unended.tx, unended.held, Decision.COMMIT, "again")));
    }

    @Test
    void closesACommitThatCanNeverEnd() {
        Unended unended = new Unended(coordinator);
        assertEquals(Outcome.COMMITTED, admin.close(unended.tx, "stock is gone for ever"));
        assertEquals(0, admin.status().leader().unended());
    }

    @Test
    void holdsReleasesExcludesAndIncludes() {
        assertFalse(admin.hold("stock", true, "restored"), "nobody has heard of it");
        assertFalse(admin.exclude("old", true, "gone"));
        assertEquals(List.of("stock"), admin.status().leader().held());
        assertEquals(List.of("old"), admin.status().leader().excluded());
        assertFalse(admin.hold("stock", false, "checked"));
        assertFalse(admin.exclude("old", false, "back"));
        assertEquals(List.of(), admin.status().leader().held());
        assertEquals(List.of(), admin.status().leader().excluded());
    }

    @Test
    void refusesWhatItCannotDoByName() {
        GlobalTxId unknown = GlobalTxId.parse("0.1.0000000000000001.1.1");
        BranchId branch = new BranchId(1, 1);
        assertEquals(ErrorCode.UNKNOWN_TRANSACTION, refusal(() -> admin.transaction(unknown)));
        assertEquals(
                ErrorCode.UNKNOWN_TRANSACTION, refusal(() -> admin.resolve(unknown, branch, Decision.COMMIT, "x")));
        assertEquals(ErrorCode.UNKNOWN_TRANSACTION, refusal(() -> admin.close(unknown, "x")));
        assertEquals(ErrorCode.INVALID_ARGUMENT, refusal(() -> admin.resolve(unknown, branch, Decision.COMMIT, " ")));
        assertEquals(ErrorCode.INVALID_ARGUMENT, refusal(() -> admin.close(unknown, "x".repeat(256))));
        assertEquals(ErrorCode.INVALID_ARGUMENT, refusal(() -> admin.hold("no such/name", true, "x")));
    }

    private static InetAddress address(String literal) throws UnknownHostException {
        return InetAddress.getAllByName(literal)[0];
    }

    @Test
    void changesComeOnlyFromLoopback() throws Exception {
        assertTrue(PeerAddress.isLoopback(new InetSocketAddress(address("127.0.0.1"), 1)));
        assertTrue(PeerAddress.isLoopback(new InetSocketAddress(address("::1"), 1)));
        assertTrue(PeerAddress.isLoopback(new InetSocketAddress(address("::ffff:127.0.0.1"), 1)));
        assertFalse(PeerAddress.isLoopback(new InetSocketAddress(address("10.0.0.1"), 1)));
        assertFalse(PeerAddress.isLoopback(new InetSocketAddress(InetAddress.getByName("0.0.0.0"), 1)));
        assertFalse(PeerAddress.isLoopback(InetSocketAddress.createUnresolved("localhost", 1)));
        assertFalse(PeerAddress.isLoopback(null));
    }

    @Test
    void saysThatNobodyListensAndThatAnAnswerWasLost() throws Exception {
        try (Socket taken = new Socket()) {
            // Nobody else can listen there either.
            taken.bind(new InetSocketAddress(InetAddress.getLoopbackAddress(), 0));
            try (AdminClient nobody = new AdminClient("127.0.0.1:" + taken.getLocalPort(), null, 60_000)) {
                assertEquals(ErrorCode.NO_COORDINATOR, refusal(nobody::status));
                assertEquals(ErrorCode.NO_COORDINATOR, refusal(() -> nobody.hold("stock", true, "x")));
            }
        }
        Unended unended = new Unended(coordinator);
        coordinator.log.stall(true);
        try (AdminClient hasty = new AdminClient("localhost:" + coordinator.port(), null, 300)) {
            assertEquals(ErrorCode.OUTCOME_UNKNOWN, refusal(() -> hasty.close(unended.tx, "x")));
        } finally {
            coordinator.log.stall(false);
        }
    }

    @Test
    void reflectionAndHealthTellWhatIsThere() throws Exception {
        CompletableFuture<List<String>> services = new CompletableFuture<>();
        StreamObserver<ServerReflectionRequest> ask = ServerReflectionGrpc.newStub(coordinator.channel)
                .serverReflectionInfo(new StreamObserver<>() {
                    @Override
                    public void onNext(ServerReflectionResponse response) {
                        services.complete(response.getListServicesResponse().getServiceList().stream()
                                .map(ServiceResponse::getName)
                                .toList());
                    }

                    @Override
                    public void onError(Throwable cause) {
                        services.completeExceptionally(cause);
                    }

                    @Override
                    public void onCompleted() {}
                });
        ask.onNext(ServerReflectionRequest.newBuilder().setListServices("").build());
        List<String> names = services.join();
        ask.onCompleted();
        for (String service : List.of("ClientService", "AgentService", "TransactionService", "AdminService")) {
            assertTrue(names.contains("troth.v1." + service), names.toString());
        }
        assertEquals(ServingStatus.SERVING, health());
        try (Edge starting = new Edge()) {
            assertEquals(
                    ServingStatus.NOT_SERVING,
                    HealthGrpc.newBlockingStub(starting.channel)
                            .check(HealthCheckRequest.getDefaultInstance())
                            .getStatus());
        }
    }

    @Test
    void isHealthyOnlyWhileItIsReady() {
        Edge.until(() -> health() == ServingStatus.SERVING);
        coordinator.log.stall(true);
        Edge.until(() -> coordinator.notReady() != null);
        assertEquals(ServingStatus.NOT_SERVING, health());
        coordinator.log.stall(false);
        Edge.until(() -> coordinator.notReady() == null);
        assertEquals(ServingStatus.SERVING, health());
    }

    private ServingStatus health() {
        return HealthGrpc.newBlockingStub(coordinator.channel)
                .check(HealthCheckRequest.getDefaultInstance())
                .getStatus();
    }

    private static ErrorCode refusal(Runnable call) {
        return assertThrows(TrothException.class, call::run).code();
    }
}
