package io.troth.client.grpc;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotNull;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.grpc.CallOptions;
import io.grpc.Channel;
import io.grpc.ClientCall;
import io.grpc.ClientInterceptor;
import io.grpc.ClientInterceptors;
import io.grpc.Metadata;
import io.grpc.MethodDescriptor;
import io.grpc.ServerCall;
import io.grpc.ServerCallHandler;
import io.grpc.ServerInterceptor;
import io.grpc.Status;
import io.grpc.StatusRuntimeException;
import io.grpc.stub.ClientCalls;
import io.troth.client.context.CallScope;
import io.troth.client.context.NanoClock;
import io.troth.core.BranchId;
import io.troth.core.ClusterId;
import io.troth.core.EpochId;
import io.troth.core.ErrorCode;
import io.troth.core.GlobalTxId;
import io.troth.core.SessionKey;
import io.troth.core.TransactionContext;
import java.sql.SQLException;
import java.util.Objects;
import java.util.concurrent.atomic.AtomicReference;
import java.util.function.UnaryOperator;
import org.junit.jupiter.api.Test;

/**
 * Goal: a service that throws, whatever and whenever, replies with its list, and nothing that its call left behind goes on
 * under T afterwards (protocol 5.4, 5.5); and a call that cannot begin has ended. Method: one service in this process.
 */
class ThrowingServiceTest {

    private static final BranchId BRANCH = new BranchId(0xA, 1);

    private final AtomicReference<CallScope> served = new AtomicReference<>();
    private final CallScope root = new CallScope(
            new TransactionContext(
                    new ClusterId(1),
                    new GlobalTxId(0, new EpochId(3, 5), 7, 1),
                    new SessionKey(1, 2),
                    TransactionContext.ROOT_CALL,
                    60_000),
            NanoClock.SYSTEM);

    private void work() {
        CallScope scope = Objects.requireNonNull(CallScope.current());
        scope.addBranch(BRANCH, "left");
        served.set(scope);
    }

    private void call(UnaryOperator<String> service, ServerInterceptor... innermostFirst) throws Exception {
        try (SimulatedService throwing =
                        new SimulatedService("throwing-" + System.identityHashCode(this), service, innermostFirst);
                CallScope.Binding binding = root.attach()) {
            assertNotNull(binding);
            StatusRuntimeException thrown = assertThrows(StatusRuntimeException.class, () -> throwing.call("x"));
            assertEquals(Status.Code.UNKNOWN, thrown.getStatus().getCode());
        }
        assertEquals(1, root.list().branches().size(), "its list came");
        assertTrue(root.isRollbackOnly());
        assertTrue(served.get().isClosed());
    }

    @Test
    void anException() throws Exception {
        call(
                request -> {
                    work();
                    throw new IllegalStateException("thrown on purpose by a test");
                },
                new TrothServerInterceptor());
    }

    @Test
    void anExceptionThatSaysThatAnotherTryIsWorthIt() throws Exception {
        call(
                request -> {
                    work();
                    throw new IllegalStateException("thrown on purpose", new SQLException("deadlock", "40P01"));
                },
                new TrothServerInterceptor());
        assertEquals(ErrorCode.DEADLOCK, root.retryableCode());
    }

    @Test
    void aStatusWhoseCauseSaysThatAnotherTryIsWorthIt() throws Exception {
        call(
                request -> {
                    work();
                    throw Status.UNKNOWN
                            .withCause(new SQLException("could not serialize", "40001"))
                            .asRuntimeException();
                },
                new TrothServerInterceptor());
        assertEquals(ErrorCode.SERIALIZATION_FAILURE, root.retryableCode());
    }

    @Test
    void anError() throws Exception {
        call(
                request -> {
                    work();
                    throw new AssertionError("thrown on purpose by a test");
                },
                new TrothServerInterceptor());
    }

    /** As a service does whose method is a stream of the client's: it is called when the call begins. */
    @Test
    void anExceptionBeforeItHears() throws Exception {
        ServerInterceptor throwing = new ServerInterceptor() {
            @Override
            public <Q, R> ServerCall.Listener<Q> interceptCall(
                    ServerCall<Q, R> call, Metadata headers, ServerCallHandler<Q, R> next) {
                work();
                throw new IllegalStateException("thrown on purpose by a test");
            }
        };
        call(text -> text, throwing, new TrothServerInterceptor());
    }

    /** A commit would wait for the call until the time is over. */
    @Test
    void aCallThatCannotEvenBeginHasEnded() {
        Channel broken = new Channel() {
            @Override
            public <Q, R> ClientCall<Q, R> newCall(MethodDescriptor<Q, R> method, CallOptions options) {
                throw new UnsupportedOperationException();
            }

            @Override
            public String authority() {
                return "";
            }
        };
        ClientInterceptor throwing = new ClientInterceptor() {
            @Override
            public <Q, R> ClientCall<Q, R> interceptCall(
                    MethodDescriptor<Q, R> method, CallOptions options, Channel next) {
                return new NoopClientCall<>() {
                    @Override
                    public void start(Listener<R> listener, Metadata headers) {
                        throw new NoClassDefFoundError("thrown on purpose by a test");
                    }
                };
            }
        };
        Channel channel = ClientInterceptors.intercept(broken, throwing, new TrothClientInterceptor());
        try (CallScope.Binding binding = root.attach()) {
            assertNotNull(binding);
            assertThrows(
                    NoClassDefFoundError.class,
                    () -> ClientCalls.blockingUnaryCall(channel, SimulatedService.CALL, CallOptions.DEFAULT, "x"));
        }
        assertEquals(0, root.running());
        assertTrue(root.isRollbackOnly());
    }

    private abstract static class NoopClientCall<Q, R> extends ClientCall<Q, R> {

        @Override
        public void request(int messages) {}

        @Override
        public void cancel(String why, Throwable cause) {}

        @Override
        public void halfClose() {}

        @Override
        public void sendMessage(Q message) {}
    }
}
