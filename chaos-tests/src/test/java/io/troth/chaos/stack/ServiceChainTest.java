package io.troth.chaos.stack;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.grpc.CallOptions;
import io.grpc.Channel;
import io.grpc.ClientCall;
import io.grpc.ClientInterceptor;
import io.grpc.ClientInterceptors;
import io.grpc.ForwardingClientCall.SimpleForwardingClientCall;
import io.grpc.ForwardingClientCallListener.SimpleForwardingClientCallListener;
import io.grpc.Metadata;
import io.grpc.MethodDescriptor;
import io.grpc.Status;
import io.grpc.StatusRuntimeException;
import io.grpc.stub.ClientCalls;
import io.grpc.stub.MetadataUtils;
import io.troth.agent.TrothAgent;
import io.troth.chaos.bank.Transfer;
import io.troth.chaos.proxy.Direction;
import io.troth.chaos.proxy.TcpProxy;
import io.troth.client.GlobalTransaction;
import io.troth.client.RolledBackException;
import io.troth.client.TransactionOptions;
import io.troth.core.ErrorCode;
import io.troth.core.GlobalTxId;
import io.troth.core.Outcome;
import java.sql.Connection;
import java.sql.SQLException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.atomic.AtomicReference;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/**
 * Goal: what is committed is exactly the work whose replies the client got, through two services. Method: client ->
 * service A -> service B, each service with its own agent and database; a proxy between A and B loses replies, and an
 * interceptor near the wire sends a call twice.
 */
class ServiceChainTest {

    private static final String FAILURE = "fail";
    private static final String CONFLICT = "conflict";
    private static final Duration LIMIT = Duration.ofSeconds(60);

    private static Stack stack;

    private TextService serviceB;
    private TextService serviceA;
    private TcpProxy betweenAAndB;
    private TextService.Caller fromAToB;
    private TextService.Caller fromClientToA;
    private final AtomicReference<ClientInterceptor> wireOfA = new AtomicReference<>();
    private final AtomicReference<Transfer> transfer = new AtomicReference<>(Banks.transfer());
    private boolean aGoesOnAfterAFailure;
    private GlobalTransaction tx;

    @BeforeAll
    static void start() throws Exception {
        stack = Stack.start("ServiceChain");
    }

    @AfterAll
    static void end() {
        stack.close();
    }

    @BeforeEach
    void startServices() throws Exception {
        serviceB = new TextService(this::handleAtB);
        betweenAAndB = TcpProxy.toPort(serviceB.port());
        fromAToB = new TextService.Caller(betweenAAndB.port());
        serviceA = new TextService(this::handleAtA);
        fromClientToA = new TextService.Caller(serviceA.port());
    }

    @AfterEach
    void stopServices() {
        if (tx != null) {
            tx.close();
        }
        fromClientToA.close();
        serviceA.close();
        fromAToB.close();
        betweenAAndB.close();
        serviceB.close();
    }

    @Test
    void commitsTheWorkOfBothServices() {
        begin();
        fromClientToA.call("go");
        assertEquals(Outcome.COMMITTED, tx.commit().outcome());
        assertEquals(Outcome.COMMITTED, stack.banks().ending(transfer.get()));
    }

    @Test
    void commitsSeveralCallsToTheSameServices() {
        begin();
        Transfer first = transfer.get();
        fromClientToA.call("go");
        transfer.set(Banks.transfer());
        fromClientToA.call("go");
        tx.commit();
        assertEquals(Outcome.COMMITTED, stack.banks().ending(first));
        assertEquals(Outcome.COMMITTED, stack.banks().ending(transfer.get()));
    }

    @Test
    void rollsBackWhenTheInnerCallFails() {
        begin();
        assertThrows(StatusRuntimeException.class, () -> fromClientToA.call(FAILURE));
        RolledBackException e = assertThrows(RolledBackException.class, tx::commit);
        assertEquals(ErrorCode.ROLLBACK_ONLY, e.code());
        assertRolledBackEverywhere();
    }

    /** By way of a service in between, which says nothing of its own. */
    @Test
    void runsAgainWhenTheInnerServiceCouldNotBeSerialized() throws Exception {
        List<GlobalTxId> attempts = new ArrayList<>();
        stack.client().inTransaction(TransactionOptions.DEFAULTS.withRetries(1), attempt -> {
            attempts.add(attempt.id());
            fromClientToA.call(attempts.size() == 1 ? CONFLICT : "go");
        });
        assertEquals(2, attempts.size());
        assertEquals(Outcome.COMMITTED, stack.banks().ending(transfer.get()));
    }

    @Test
    void rollsBackWhenTheOuterServiceHidesTheFailure() {
        aGoesOnAfterAFailure = true;
        begin();
        assertEquals("done", fromClientToA.call(FAILURE));
        assertThrows(RolledBackException.class, tx::commit);
        assertRolledBackEverywhere();
    }

    @Test
    void refusesToCommitWhenAReplyWasLost() {
        aGoesOnAfterAFailure = true;
        fromAToB.call("warm up");
        betweenAAndB.when(
                Direction.TO_CLIENT, TcpProxy.contains("troth-branches"), TcpProxy.Moment.BEFORE, betweenAAndB::cut);
        begin();
        assertEquals("done", fromClientToA.call("go"));
        assertTrue(serviceB.served() >= 2, "the call must have been served");
        assertThrows(RolledBackException.class, tx::commit);
        assertRolledBackEverywhere();
    }

    @Test
    void refusesToCommitWhenACallRanAtTwoInstances() throws Exception {
        try (TrothAgent secondAgent = TrothAgent.builder()
                        .coordinator(stack.address())
                        .resource(Banks.B, stack.banks().dataSource(Banks.B))
                        .start();
                TextService secondB = new TextService(request -> {
                    try (Connection connection = secondAgent.dataSource(Banks.B).getConnection()) {
                        Banks.apply(connection, Banks.transfer(), Banks.B);
                    }
                    return "done";
                });
                TextService.Caller toSecondB = new TextService.Caller(secondB.port())) {
            assertTrue(secondAgent.awaitReady(LIMIT));
            wireOfA.set(new Twice(toSecondB.plainChannel(), new AtomicReference<>()));
            begin();
            fromClientToA.call("go");
            assertEquals(1, secondB.served());
            RolledBackException e = assertThrows(RolledBackException.class, tx::commit);
            assertEquals(ErrorCode.BRANCH_NOT_LISTED, e.code());
            assertRolledBackEverywhere();
        }
    }

    @Test
    void executesACallThatCameTwiceOnlyOnce() {
        AtomicReference<StatusRuntimeException> refusal = new AtomicReference<>();
        wireOfA.set(new Twice(fromAToB.plainChannel(), refusal));
        begin();
        assertEquals("done", fromClientToA.call("go"));
        assertEquals(1, serviceB.served());
        assertEquals(Status.Code.FAILED_PRECONDITION, refusal.get().getStatus().getCode());
        assertEquals(Outcome.COMMITTED, tx.commit().outcome());
        assertEquals(Outcome.COMMITTED, stack.banks().ending(transfer.get()));
    }

    /** Something between the services that sends every call twice, and loses the reply to the copy. */
    private record Twice(Channel copies, AtomicReference<StatusRuntimeException> lost) implements ClientInterceptor {
        @Override
        public <Q, R> ClientCall<Q, R> interceptCall(MethodDescriptor<Q, R> method, CallOptions options, Channel next) {
            return new SimpleForwardingClientCall<>(next.newCall(method, options)) {
                private Q sent;

                @Override
                public void start(Listener<R> listener, Metadata headers) {
                    Metadata copy = new Metadata();
                    copy.merge(headers);
                    // After the first one's reply has come: two at once may arrive in either order.
                    super.start(
                            new SimpleForwardingClientCallListener<>(listener) {
                                @Override
                                public void onClose(Status status, Metadata trailers) {
                                    sendAgain(copy);
                                    super.onClose(status, trailers);
                                }
                            },
                            headers);
                }

                @Override
                public void sendMessage(Q message) {
                    sent = message;
                    super.sendMessage(message);
                }

                private void sendAgain(Metadata headers) {
                    Channel withHeaders =
                            ClientInterceptors.intercept(copies, MetadataUtils.newAttachHeadersInterceptor(headers));
                    try {
                        ClientCalls.blockingUnaryCall(withHeaders, method, CallOptions.DEFAULT, sent);
                    } catch (StatusRuntimeException e) {
                        lost.set(e);
                    }
                }
            };
        }
    }

    private void begin() {
        tx = stack.client().begin();
    }

    private void assertRolledBackEverywhere() {
        stack.banks().awaitNothingPrepared();
        assertEquals(Outcome.ROLLED_BACK, stack.banks().ending(transfer.get()));
    }

    private String handleAtA(String request) throws SQLException {
        stack.work(transfer.get(), Banks.A);
        try {
            ClientInterceptor wire = wireOfA.get();
            return wire == null ? fromAToB.call(request) : fromAToB.call(request, wire);
        } catch (StatusRuntimeException e) {
            if (aGoesOnAfterAFailure) {
                return "done";
            }
            throw e;
        }
    }

    private String handleAtB(String request) throws SQLException {
        if (request.equals("warm up")) {
            return "warm";
        }
        try (Connection connection = stack.agent(Banks.B).dataSource(Banks.B).getConnection()) {
            Banks.apply(connection, transfer.get(), Banks.B);
        }
        if (request.equals(CONFLICT)) {
            Banks.failToSerialize(stack.agent(Banks.B).dataSource(Banks.B));
        }
        if (request.equals(FAILURE)) {
            throw new SQLException("the account is closed");
        }
        return "done";
    }
}
