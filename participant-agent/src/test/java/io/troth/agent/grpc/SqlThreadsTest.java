package io.troth.agent.grpc;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

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
import io.troth.proto.v1.ExecuteRequest;
import io.troth.proto.v1.QueryRequest;
import io.troth.proto.v1.StartQuery;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;

/** Goal: a call for which the system has no thread is answered, and its place is free again. */
@SuppressWarnings("try") // A binding is there to be closed.
class SqlThreadsTest {

    private final SqlWorkers workers = new SqlWorkers(1, task -> {
        throw new InternalError("on purpose");
    });
    private final GrpcSqlService service = new GrpcSqlService(new SqlGateway(Map.of(), SqlLimits.DEFAULTS), workers);
    private final CallScope scope = new CallScope(
            new TransactionContext(Branches.CLUSTER, Branches.nextTx(), new SessionKey(1, 2), 1, 60_000),
            NanoClock.SYSTEM);

    private static final class Replies<R> extends ServerCallStreamObserver<R> {

        private final List<Status.Code> errors = new ArrayList<>();

        @Override
        public void onError(Throwable failure) {
            errors.add(Status.fromThrowable(failure).getCode());
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
        public boolean isReady() {
            return true;
        }

        @Override
        public void setOnReadyHandler(Runnable handler) {}

        @Override
        public void request(int count) {}

        @Override
        public void setMessageCompression(boolean enable) {}

        @Override
        public void disableAutoInboundFlowControl() {}

        @Override
        public void onNext(R reply) {
            throw new AssertionError("there is no thread for it");
        }

        @Override
        public void onCompleted() {
            throw new AssertionError("there is no thread for it");
        }
    }

    @Test
    void aStatementIsAnsweredAndKeepsNoPlace() {
        try (workers;
                CallScope.Binding bound = scope.attach()) {
            Replies<io.troth.proto.v1.ExecuteResponse> replies = new Replies<>();
            service.execute(ExecuteRequest.getDefaultInstance(), replies);
            assertEquals(List.of(Status.Code.INTERNAL), replies.errors);
            assertTrue(workers.enter());
        }
    }

    @Test
    void aQueryIsAnsweredAndKeepsNoPlace() {
        try (workers;
                CallScope.Binding bound = scope.attach()) {
            Replies<io.troth.proto.v1.QueryResponse> replies = new Replies<>();
            StreamObserver<QueryRequest> requests = service.query(replies);
            requests.onNext(QueryRequest.newBuilder()
                    .setStart(StartQuery.getDefaultInstance())
                    .build());
            requests.onNext(QueryRequest.newBuilder()
                    .setStart(StartQuery.getDefaultInstance())
                    .build());
            assertEquals(List.of(Status.Code.INTERNAL), replies.errors);
            assertTrue(workers.enter());
        }
    }
}
