package io.troth.client.grpc;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNotNull;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.grpc.CallOptions;
import io.grpc.ClientCall;
import io.grpc.ForwardingServerCallListener.SimpleForwardingServerCallListener;
import io.grpc.Metadata;
import io.grpc.ServerCall;
import io.grpc.ServerCallHandler;
import io.grpc.ServerInterceptor;
import io.grpc.stub.ClientCalls;
import io.troth.client.context.CallScope;
import io.troth.client.context.NanoClock;
import io.troth.core.BranchId;
import io.troth.core.BranchWork;
import io.troth.core.ClusterId;
import io.troth.core.EpochId;
import io.troth.core.GlobalTxId;
import io.troth.core.SessionKey;
import io.troth.core.TransactionContext;
import java.util.List;
import java.util.Objects;
import java.util.Queue;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/**
 * Goal: no work is committed of a call that its caller has given up, also when the reply was on its way (protocol 5.5).
 * Method: one service, and a call whose answers are handed to its caller one by one.
 */
class CancelledCallTest {

    private static final BranchId BRANCH = new BranchId(0xA, 1);

    private final Queue<Runnable> answers = new ConcurrentLinkedQueue<>();
    private final CountDownLatch replied = new CountDownLatch(1);
    private CallScope root;
    private SimulatedService service;
    private ClientCall<String, String> call;

    @BeforeEach
    void start() throws Exception {
        root = new CallScope(
                new TransactionContext(
                        new ClusterId(1),
                        new GlobalTxId(0, new EpochId(3, 5), 7, 1),
                        new SessionKey(1, 2),
                        TransactionContext.ROOT_CALL,
                        60_000),
                NanoClock.SYSTEM);
        service = new SimulatedService(
                "cancelled-" + System.identityHashCode(this),
                request -> {
                    Objects.requireNonNull(CallScope.current()).addBranch(BRANCH, "left");
                    return request;
                },
                new TrothServerInterceptor(),
                new EndWatch());
        try (CallScope.Binding binding = root.attach()) {
            assertNotNull(binding);
            call = service.channel().newCall(SimulatedService.CALL, CallOptions.DEFAULT.withExecutor(answers::add));
        }
    }

    @AfterEach
    void stop() {
        service.close();
    }

    @Test
    void doesNotCommitTheWorkOfACallThatWasCancelledAfterItsReplyHadCome() throws Exception {
        Future<String> future = ClientCalls.futureUnaryCall(call, "x");
        assertTrue(replied.await(60, TimeUnit.SECONDS));
        assertTrue(future.cancel(true), "its caller has not heard of the reply");
        hearAnswers();
        assertEquals(0, root.running());
        assertEquals(
                "ROLLBACK_ONLY: call test.Service/Call was cancelled by its caller: GrpcFuture was cancelled",
                String.valueOf(root.rollbackReason()));
    }

    @Test
    void commitsTheWorkOfACallThatWasCancelledWhenItsCallerHadHeardTheReply() throws Exception {
        Future<String> future = ClientCalls.futureUnaryCall(call, "x");
        assertTrue(replied.await(60, TimeUnit.SECONDS));
        hearAnswers();
        assertEquals("x", future.get());
        call.cancel("as some do it in the end, whatever has come", null);
        hearAnswers();
        assertFalse(root.isRollbackOnly());
        assertEquals(List.of(new BranchWork(BRANCH, "left", 1)), root.list().branches());
    }

    private void hearAnswers() {
        for (Runnable answer = answers.poll(); answer != null; answer = answers.poll()) {
            answer.run();
        }
    }

    /** Sees that the reply has gone, all of it; in this process it has come then, too. */
    private final class EndWatch implements ServerInterceptor {
        @Override
        public <Q, R> ServerCall.Listener<Q> interceptCall(
                ServerCall<Q, R> served, Metadata headers, ServerCallHandler<Q, R> next) {
            return new SimpleForwardingServerCallListener<>(next.startCall(served, headers)) {
                @Override
                public void onComplete() {
                    super.onComplete();
                    replied.countDown();
                }
            };
        }
    }
}
