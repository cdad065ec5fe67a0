package io.troth.client.grpc;

import static org.awaitility.Awaitility.await;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertNotNull;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.grpc.CallOptions;
import io.grpc.ClientCall;
import io.grpc.ClientInterceptors;
import io.grpc.Context;
import io.grpc.ForwardingServerCall.SimpleForwardingServerCall;
import io.grpc.ManagedChannel;
import io.grpc.Metadata;
import io.grpc.ServerCall;
import io.grpc.ServerCallHandler;
import io.grpc.ServerInterceptor;
import io.grpc.Status;
import io.grpc.StatusRuntimeException;
import io.grpc.inprocess.InProcessChannelBuilder;
import io.grpc.stub.ClientCalls;
import io.grpc.stub.MetadataUtils;
import io.troth.client.context.CallScope;
import io.troth.client.context.NanoClock;
import io.troth.client.context.ScopedTasks;
import io.troth.core.BranchId;
import io.troth.core.BranchList;
import io.troth.core.BranchWork;
import io.troth.core.ClusterId;
import io.troth.core.EpochId;
import io.troth.core.ErrorCode;
import io.troth.core.GlobalTxId;
import io.troth.core.SessionKey;
import io.troth.core.TransactionContext;
import io.troth.core.TrothException;
import java.time.Duration;
import java.util.Iterator;
import java.util.List;
import java.util.Objects;
import java.util.Set;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicReference;
import java.util.function.UnaryOperator;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/**
 * Goal: the root scope ends up with exactly the work whose replies arrived, and T is rollback-only whenever a reply or a
 * list is missing (protocol 5). Method: client -> A -> B over in-process gRPC with both interceptors; each service
 * notes one branch a call.
 */
class ChainTest {

    private static final Duration PATIENCE = Duration.ofSeconds(60);
    private static final BranchId AT_A = new BranchId(0xA, 1);
    private static final BranchId AT_B = new BranchId(0xB, 1);

    private final AtomicInteger servedByB = new AtomicInteger();
    private final AtomicReference<UnaryOperator<String>> behaviourOfA = new AtomicReference<>();
    private final AtomicReference<UnaryOperator<String>> behaviourOfB = new AtomicReference<>(text -> text + "b");
    private SimulatedService b;
    private SimulatedService a;
    private CallScope root;

    @BeforeEach
    void start() throws Exception {
        String name = "chain-" + System.identityHashCode(this);
        b = new SimulatedService(
                name + "b",
                request -> {
                    servedByB.incrementAndGet();
                    scope().addBranch(AT_B, "right");
                    return behaviourOfB.get().apply(request);
                },
                new TrothServerInterceptor(Set.of(Status.Code.NOT_FOUND)));
        behaviourOfA.set(request -> b.call(b.call(request)));
        a = new SimulatedService(
                name + "a",
                request -> {
                    scope().addBranch(AT_A, "left");
                    return behaviourOfA.get().apply(request);
                },
                new TrothServerInterceptor());
        root = newRoot(60_000);
    }

    @AfterEach
    void stop() {
        a.close();
        b.close();
    }

    private static CallScope scope() {
        return Objects.requireNonNull(CallScope.current(), "a served call under T has a scope");
    }

    private static CallScope newRoot(long remainingMillis) {
        GlobalTxId tx = new GlobalTxId(0, new EpochId(3, 5), 7, 1);
        return new CallScope(
                new TransactionContext(
                        new ClusterId(1), tx, new SessionKey(1, 2), TransactionContext.ROOT_CALL, remainingMillis),
                NanoClock.SYSTEM);
    }

    private String callA(String request) {
        try (CallScope.Binding binding = root.attach()) {
            assertNotNull(binding);
            return a.call(request);
        }
    }

    @Test
    void addsUpTheListsOfTheWholeChain() {
        assertEquals("xbb", callA("x"));
        assertEquals("ybb", callA("y"));
        assertEquals(
                new BranchList(false, List.of(new BranchWork(AT_A, "left", 2), new BranchWork(AT_B, "right", 4))),
                root.close());
    }

    @Test
    void sendsAFreshNumberWithEveryCallAndTheSameKey() {
        callA("x");
        TransactionContext toA = TransactionContext.parse(a.contexts().get(0));
        TransactionContext first = TransactionContext.parse(b.contexts().get(0));
        TransactionContext second = TransactionContext.parse(b.contexts().get(1));
        assertNotEquals(toA.call(), first.call());
        assertNotEquals(first.call(), second.call());
        assertEquals(toA.tx(), second.tx());
        assertEquals(toA.key(), second.key());
        assertTrue(second.remainingMillis() <= toA.remainingMillis());
    }

    @Test
    void putsTheRemainingTimeOnTheCallAsItsDeadline() {
        AtomicReference<Long> left = new AtomicReference<>(Long.MAX_VALUE);
        behaviourOfB.set(request -> {
            left.set(Objects.requireNonNull(Context.current().getDeadline()).timeRemaining(TimeUnit.MILLISECONDS));
            return request;
        });
        callA("x");
        assertTrue(left.get() <= 60_000, "left: " + left.get());
    }

    @Test
    void hearsTheListOfAnErrorReplyAndDoesNotCommit() {
        behaviourOfB.set(request -> {
            throw SimulatedService.error(Status.Code.FAILED_PRECONDITION);
        });
        behaviourOfA.set(request -> {
            assertThrows(StatusRuntimeException.class, () -> b.call(request));
            return "A caught it";
        });
        assertEquals("A caught it", callA("x"));
        assertEquals(
                List.of(new BranchWork(AT_A, "left", 1), new BranchWork(AT_B, "right", 1)),
                root.list().branches());
        assertTrue(root.isRollbackOnly(), "the inner error counts although the middle service caught it");
    }

    @Test
    void leavesTransactionAloneOnAnExemptError() {
        behaviourOfB.set(request -> {
            throw SimulatedService.error(Status.Code.NOT_FOUND);
        });
        behaviourOfA.set(request -> {
            assertThrows(StatusRuntimeException.class, () -> b.call(request));
            return "";
        });
        callA("x");
        assertFalse(root.isRollbackOnly());
        assertEquals(2, root.list().branches().size());
    }

    @Test
    void doesNotCommitWhenAReplyHasNoList() throws Exception {
        try (SimulatedService mute = new SimulatedService("mute-" + System.identityHashCode(this), text -> text);
                CallScope.Binding binding = root.attach()) {
            assertNotNull(binding);
            assertEquals("x", mute.call("x"));
        }
        assertTrue(root.isRollbackOnly());
    }

    @Test
    void doesNotCommitWhenAListCannotBeRead() throws Exception {
        for (String list : List.of("", "2;;", "1;x;", "1;;zz:left:1", "1;;" + AT_A + ":left:0", "nonsense")) {
            root = newRoot(60_000);
            try (SimulatedService garbled = new SimulatedService(
                            "garbled-" + System.identityHashCode(root), text -> text, new TrailerPutter(list));
                    CallScope.Binding binding = root.attach()) {
                assertNotNull(binding);
                garbled.call("x");
            }
            assertTrue(root.isRollbackOnly(), "list: " + list);
        }
    }

    @Test
    void servesACallOnceHoweverOftenItArrives() {
        callA("x");
        int served = servedByB.get();
        Metadata replayed = new Metadata();
        replayed.put(TrothMetadata.CONTEXT, b.contexts().get(0));
        StatusRuntimeException thrown = assertThrows(
                StatusRuntimeException.class,
                () -> ClientCalls.blockingUnaryCall(
                        ClientInterceptors.intercept(
                                b.plainChannel(), MetadataUtils.newAttachHeadersInterceptor(replayed)),
                        SimulatedService.CALL,
                        CallOptions.DEFAULT,
                        "x"));
        assertEquals(served, servedByB.get());
        Metadata trailers = Objects.requireNonNull(thrown.getTrailers());
        assertEquals("DUPLICATE_CALL", trailers.get(TrothMetadata.REASON));
        assertTrue(Objects.requireNonNull(TrothMetadata.branches(trailers)).rollbackOnly());
    }

    @Test
    void doesNotCommitWhenGrpcTriedACallTwice() throws Exception {
        AtomicInteger attempts = new AtomicInteger();
        ServerInterceptor failsFirst = new ServerInterceptor() {
            @Override
            public <Q, R> ServerCall.Listener<Q> interceptCall(
                    ServerCall<Q, R> call, Metadata headers, ServerCallHandler<Q, R> next) {
                if (attempts.incrementAndGet() == 1) {
                    call.close(Status.UNAVAILABLE, new Metadata());
                    return new ServerCall.Listener<>() {};
                }
                return next.startCall(call, headers);
            }
        };
        try (SimulatedService retried = new SimulatedService(
                        "retried-" + System.identityHashCode(this),
                        text -> text,
                        new TrothServerInterceptor(),
                        failsFirst);
                CallScope.Binding binding = root.attach()) {
            assertNotNull(binding);
            assertEquals("x", retried.call("x"));
        }
        assertEquals(2, attempts.get(), "the service config of this test retries");
        assertEquals(
                ErrorCode.DUPLICATE_CALL,
                Objects.requireNonNull(root.rollbackReason()).code());
    }

    @Test
    void keepsTheTransactionFromServicesThatDoNotSpeakTroth() throws Exception {
        try (SimulatedService stranger =
                        new SimulatedService("stranger-" + System.identityHashCode(this), text -> text);
                CallScope.Binding binding = root.attach()) {
            assertNotNull(binding);
            stranger.call("x", CallOptions.DEFAULT.withOption(TrothClientInterceptor.TROTH_NONE, true));
            assertEquals(List.of("none"), stranger.contexts());
        }
        assertFalse(root.isRollbackOnly());
    }

    @Test
    void doesNotCommitWhenAServiceRepliedBeforeItsNestedCall() throws Exception {
        CountDownLatch release = new CountDownLatch(1);
        behaviourOfB.set(request -> {
            awaitLatch(release);
            return request;
        });
        behaviourOfA.set(request -> {
            var unused = ClientCalls.futureUnaryCall(
                    b.channel().newCall(SimulatedService.CALL, CallOptions.DEFAULT), request);
            return "replied too early";
        });
        callA("x");
        release.countDown();
        assertTrue(root.isRollbackOnly());
    }

    @Test
    void failsAWrappedTaskThatOutlivesItsCall() throws Exception {
        CountDownLatch release = new CountDownLatch(1);
        AtomicReference<Throwable> insideTask = new AtomicReference<>();
        AtomicReference<Throwable> ofTask = new AtomicReference<>();
        ExecutorService threads = Executors.newSingleThreadExecutor();
        CountDownLatch started = new CountDownLatch(1);
        CountDownLatch done = new CountDownLatch(1);
        behaviourOfA.set(request -> {
            Runnable task = ScopedTasks.wrap(scope(), () -> {
                started.countDown();
                awaitLatch(release);
                try {
                    scope().addBranch(AT_A, "left");
                } catch (TrothException e) {
                    insideTask.set(e);
                }
            });
            threads.execute(() -> {
                try {
                    task.run();
                } catch (TrothException e) {
                    ofTask.set(e);
                } finally {
                    done.countDown();
                }
            });
            awaitLatch(started);
            return "replied too early";
        });
        callA("x");
        release.countDown();
        awaitLatch(done);
        threads.shutdownNow();
        assertEquals(ErrorCode.SCOPE_CLOSED, ((TrothException) insideTask.get()).code());
        assertEquals(ErrorCode.SCOPE_CLOSED, ((TrothException) ofTask.get()).code());
        assertTrue(root.isRollbackOnly());
    }

    @Test
    void doesNotCommitAfterACancelledCallAndClosesItsScope() {
        AtomicReference<CallScope> served = new AtomicReference<>();
        CountDownLatch never = new CountDownLatch(1);
        behaviourOfA.set(request -> {
            served.set(scope());
            awaitLatch(never);
            return request;
        });
        try (CallScope.Binding binding = root.attach()) {
            assertNotNull(binding);
            ClientCall<String, String> call = a.channel().newCall(SimulatedService.CALL, CallOptions.DEFAULT);
            var future = ClientCalls.futureUnaryCall(call, "x");
            await().atMost(PATIENCE).until(() -> served.get() != null);
            future.cancel(true);
        }
        await().atMost(PATIENCE).until(() -> root.running() == 0);
        assertTrue(root.isRollbackOnly());
        never.countDown();
        await("whoever worked for it must not go on")
                .atMost(PATIENCE)
                .until(() -> served.get().isClosed() && served.get().isRollbackOnly());
    }

    @Test
    void bringsTheListOfAStreamWithItsEnd() {
        behaviourOfA.set(request -> "one two three");
        try (CallScope.Binding binding = root.attach()) {
            assertNotNull(binding);
            Iterator<String> words = ClientCalls.blockingServerStreamingCall(
                    a.channel(), SimulatedService.STREAM, CallOptions.DEFAULT, "x");
            assertEquals("one", words.next());
            assertEquals("two", words.next());
            assertEquals("three", words.next());
            assertFalse(words.hasNext());
        }
        assertEquals(0, root.running());
        assertEquals(List.of(new BranchWork(AT_A, "left", 1)), root.list().branches());
        assertFalse(root.isRollbackOnly());
    }

    private Status.Code refusalOf(String... headers) {
        Metadata metadata = new Metadata();
        for (String header : headers) {
            metadata.put(TrothMetadata.CONTEXT, header);
        }
        StatusRuntimeException thrown = assertThrows(
                StatusRuntimeException.class,
                () -> ClientCalls.blockingUnaryCall(
                        ClientInterceptors.intercept(
                                b.plainChannel(), MetadataUtils.newAttachHeadersInterceptor(metadata)),
                        SimulatedService.CALL,
                        CallOptions.DEFAULT,
                        "x"));
        assertEquals(0, servedByB.get());
        return thrown.getStatus().getCode();
    }

    @Test
    void refusesACallWhoseHeaderItCannotRead() {
        for (String header : List.of("", "1", "2;x", "1;;;;;", "x".repeat(600))) {
            assertEquals(Status.Code.INVALID_ARGUMENT, refusalOf(header));
        }
    }

    @Test
    void refusesACallWithTwoHeadersOrWithoutANumberOrTimeOfItsOwn() {
        assertEquals(Status.Code.INVALID_ARGUMENT, refusalOf(context(7, 1_000), context(8, 1_000)));
        assertEquals(Status.Code.INVALID_ARGUMENT, refusalOf(context(TransactionContext.ROOT_CALL, 1_000)));
        assertEquals(
                ErrorCode.DEADLINE_EXCEEDED.status().name(),
                refusalOf(context(7, 0)).name());
    }

    private String context(long call, long remainingMillis) {
        return new TransactionContext(root.cluster(), root.tx(), root.key(), call, remainingMillis).encode();
    }

    /** What an application copies from call to call must not stand beside the transaction's own. */
    @Test
    void replacesAHeaderThatTheApplicationPassedOn() {
        Metadata passedOn = new Metadata();
        passedOn.put(TrothMetadata.CONTEXT, context(7, 1_000));
        try (CallScope.Binding binding = root.attach()) {
            assertNotNull(binding);
            String reply = ClientCalls.blockingUnaryCall(
                    ClientInterceptors.intercept(b.channel(), MetadataUtils.newAttachHeadersInterceptor(passedOn)),
                    SimulatedService.CALL,
                    CallOptions.DEFAULT,
                    "x");
            assertEquals("xb", reply);
        }
        assertNotEquals(7, TransactionContext.parse(b.contexts().get(0)).call());
    }

    @Test
    void doesNotWaitForAServiceThatIsNotThere() {
        ManagedChannel nobody = InProcessChannelBuilder.forName("nobody").build();
        try (CallScope.Binding binding = root.attach()) {
            assertNotNull(binding);
            StatusRuntimeException thrown = assertThrows(
                    StatusRuntimeException.class,
                    () -> ClientCalls.blockingUnaryCall(
                            ClientInterceptors.intercept(nobody, new TrothClientInterceptor()),
                            SimulatedService.CALL,
                            CallOptions.DEFAULT.withWaitForReady(),
                            "x"));
            assertEquals(Status.Code.UNAVAILABLE, thrown.getStatus().getCode());
        } finally {
            nobody.shutdownNow();
        }
        String why = Objects.requireNonNull(root.rollbackReason()).detail();
        assertTrue(why.contains("UNAVAILABLE: Could not find server"), why);
    }

    @Test
    void makesNoCallWhenTheTimeIsOverOrTheScopeClosed() {
        root = newRoot(0);
        assertEquals(
                ErrorCode.DEADLINE_EXCEEDED,
                assertThrows(TrothException.class, () -> callA("x")).code());
        root = newRoot(60_000);
        root.close();
        assertEquals(
                ErrorCode.SCOPE_CLOSED,
                assertThrows(TrothException.class, () -> callA("x")).code());
        assertTrue(a.contexts().isEmpty());
    }

    private static void awaitLatch(CountDownLatch latch) {
        try {
            assertTrue(latch.await(60, TimeUnit.SECONDS));
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
    }

    /** Puts a list of its own on every reply. */
    private record TrailerPutter(String list) implements ServerInterceptor {
        @Override
        public <Q, R> ServerCall.Listener<Q> interceptCall(
                ServerCall<Q, R> call, Metadata headers, ServerCallHandler<Q, R> next) {
            return next.startCall(
                    new SimpleForwardingServerCall<>(call) {
                        @Override
                        public void close(Status status, Metadata trailers) {
                            trailers.put(TrothMetadata.BRANCHES, list);
                            super.close(status, trailers);
                        }
                    },
                    headers);
        }
    }
}
