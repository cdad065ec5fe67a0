package io.troth.agent.grpc;

import static org.junit.jupiter.api.Assertions.assertEquals;

import io.grpc.Status;
import io.grpc.stub.ServerCallStreamObserver;
import io.grpc.stub.StreamObserver;
import io.troth.agent.database.Branches;
import io.troth.agent.sql.SqlGateway;
import io.troth.agent.sql.SqlLimits;
import io.troth.client.context.CallScope;
import io.troth.client.context.NanoClock;
import io.troth.core.SessionKey;
import io.troth.core.TransactionContext;
import io.troth.proto.v1.CloseQuery;
import io.troth.proto.v1.QueryRequest;
import io.troth.proto.v1.QueryResponse;
import io.troth.proto.v1.SqlStatement;
import io.troth.proto.v1.StartQuery;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicReference;
import org.awaitility.Awaitility;
import org.junit.jupiter.api.Test;

/** Goal: whatever comes in the middle of a step of a query, no good end is said of what has not run. */
@SuppressWarnings("try") // A binding is there to be closed.
class QueryStepTest {

    private static final QueryRequest START = QueryRequest.newBuilder()
            .setStart(StartQuery.newBuilder()
                    .setStatement(
                            SqlStatement.newBuilder().setResource("nowhere").setSql("SELECT 1")))
            .build();
    private static final QueryRequest CLOSE =
            QueryRequest.newBuilder().setClose(CloseQuery.getDefaultInstance()).build();

    private final CallScope scope = new CallScope(
            new TransactionContext(Branches.CLUSTER, Branches.nextTx(), new SessionKey(1, 2), 1, 60_000),
            NanoClock.SYSTEM);
    private final CompletableFuture<Status.Code> answer = new CompletableFuture<>();

    /** Whose requests come when the gateway asks whether it may send. */
    private final class Replies extends ServerCallStreamObserver<QueryResponse> {

        private StreamObserver<QueryRequest> requests;
        private Runnable ready;
        private final AtomicBoolean sent = new AtomicBoolean();

        @Override
        public boolean isReady() {
            if (sent.compareAndSet(false, true)) {
                requests.onNext(START);
                requests.onNext(CLOSE);
            }
            return true;
        }

        @Override
        public void setOnReadyHandler(Runnable handler) {
            ready = handler;
        }

        @Override
        public void onNext(QueryResponse response) {
            // The end follows.
        }

        @Override
        public void onError(Throwable failure) {
            answer.complete(Status.fromThrowable(failure).getCode());
        }

        @Override
        public void onCompleted() {
            answer.complete(Status.Code.OK);
        }

        @Override
        public boolean isCancelled() {
            return false;
        }

        @Override
        public void setOnCancelHandler(Runnable handler) {}

        @Override
        public void setCompression(String compression) {}

        @Override
        public void setMessageCompression(boolean enable) {}

        @Override
        public void disableAutoInboundFlowControl() {}

        @Override
        public void request(int count) {}
    }

    @Test
    void aStartAndACloseInTheMiddleOfAStepThatHasNothingToRun() throws Exception {
        AtomicReference<Thread> worker = new AtomicReference<>(Thread.currentThread());
        try (SqlWorkers workers = new SqlWorkers(1, task -> {
                    Thread thread = new Thread(task, "steps");
                    worker.set(thread);
                    return thread;
                });
                CallScope.Binding bound = scope.attach()) {
            Replies replies = new Replies();
            replies.requests = new GrpcSqlService(new SqlGateway(Map.of(), SqlLimits.DEFAULTS), workers).query(replies);
            replies.ready.run();
            Awaitility.await()
                    .atMost(60, TimeUnit.SECONDS)
                    .until(() -> worker.get().getState() == Thread.State.TIMED_WAITING);
            // A step that did not ask has ended before they come.
            boolean unused = replies.isReady();
            assertEquals(Status.Code.NOT_FOUND, answer.get(60, TimeUnit.SECONDS));
        }
    }
}
