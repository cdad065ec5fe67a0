package io.troth.agent.grpc;

import io.grpc.Context;
import io.grpc.StatusRuntimeException;
import io.grpc.stub.ServerCallStreamObserver;
import io.grpc.stub.StreamObserver;
import io.troth.agent.sql.SqlCall;
import io.troth.agent.sql.SqlFailedException;
import io.troth.agent.sql.SqlGateway;
import io.troth.agent.sql.SqlParameter;
import io.troth.agent.sql.SqlUpdate;
import io.troth.client.context.CallScope;
import io.troth.client.grpc.TrothStatus;
import io.troth.core.ErrorCode;
import io.troth.core.Reason;
import io.troth.core.TrothException;
import io.troth.proto.v1.ExecuteBatchRequest;
import io.troth.proto.v1.ExecuteBatchResponse;
import io.troth.proto.v1.ExecuteRequest;
import io.troth.proto.v1.ExecuteResponse;
import io.troth.proto.v1.QueryRequest;
import io.troth.proto.v1.QueryResponse;
import io.troth.proto.v1.SqlServiceGrpc;
import java.util.ArrayList;
import java.util.List;
import java.util.function.Function;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * SqlService on the wire. Works only under the transaction that {@code TrothServerInterceptor} has found in the header;
 * statements run on the workers' threads, never on gRPC's. Thread-safe.
 */
final class GrpcSqlService extends SqlServiceGrpc.SqlServiceImplBase {

    private static final Logger LOG = LoggerFactory.getLogger(GrpcSqlService.class);

    private final SqlGateway gateway;
    private final SqlWorkers workers;

    GrpcSqlService(SqlGateway gateway, SqlWorkers workers) {
        this.gateway = gateway;
        this.workers = workers;
    }

    @Override
    public void execute(ExecuteRequest request, StreamObserver<ExecuteResponse> replies) {
        unary(replies, call -> {
            SqlUpdate update = gateway.execute(
                    SqlWireCodec.statement(request.getStatement()), request.getGeneratedKeysList(), call);
            ExecuteResponse response = SqlWireCodec.response(update, branches());
            int bytes = response.getSerializedSize();
            if (bytes > gateway.limits().messageBytesMax()) {
                throw new TrothException(
                        new Reason(ErrorCode.LIMIT_EXCEEDED, "the generated keys fill " + bytes + " bytes: use Query"));
            }
            return response;
        });
    }

    @Override
    public void executeBatch(ExecuteBatchRequest request, StreamObserver<ExecuteBatchResponse> replies) {
        unary(replies, call -> {
            List<List<SqlParameter>> rows = new ArrayList<>(request.getRowsCount());
            request.getRowsList().forEach(row -> rows.add(SqlWireCodec.parameters(row.getParametersList())));
            long[] counts = gateway.executeBatch(SqlWireCodec.statement(request.getStatement()), rows, call);
            ExecuteBatchResponse.Builder response =
                    ExecuteBatchResponse.newBuilder().setBranches(branches());
            for (long count : counts) {
                response.addUpdateCounts(count);
            }
            return response.build();
        });
    }

    @Override
    public StreamObserver<QueryRequest> query(StreamObserver<QueryResponse> replies) {
        ServerCallStreamObserver<QueryResponse> observer = (ServerCallStreamObserver<QueryResponse>) replies;
        CallScope scope = CallScope.current();
        Reason refusal = refusal(scope);
        if (scope == null || refusal != null) {
            refuse(observer, refusal);
            return new IgnoredRequests<>();
        }
        try {
            return new SqlQueryStream(gateway, workers, new SqlCall(), observer).opened(scope.remainingMillis());
        } catch (RuntimeException | Error e) {
            notBegun(observer, e);
            return new IgnoredRequests<>();
        }
    }

    private <R> void unary(StreamObserver<R> replies, Function<SqlCall, R> work) {
        ServerCallStreamObserver<R> observer = (ServerCallStreamObserver<R>) replies;
        CallScope scope = CallScope.current();
        Reason refusal = refusal(scope);
        if (scope == null || refusal != null) {
            refuse(observer, refusal);
            return;
        }
        SqlCall call = new SqlCall();
        observer.setOnCancelHandler(() -> workers.giveUp(call, () -> {}));
        try {
            workers.statements().execute(Context.current().wrap(() -> {
                try {
                    R response = applied(work, call);
                    observer.onNext(response);
                    observer.onCompleted();
                } catch (RuntimeException | Error e) {
                    // An Error too: the caller would wait for ever, and what it holds with it.
                    observer.onError(error(e));
                }
            }));
        } catch (RuntimeException | Error e) {
            notBegun(observer, e);
        }
    }

    /** The system has no thread for it, say: that passes, and the call's place must not be lost to it. */
    private void notBegun(StreamObserver<?> replies, Throwable why) {
        workers.left();
        replies.onError(error(why));
    }

    /** Its place is free before anybody hears of its end: whoever does may call again at once. */
    private <R> R applied(Function<SqlCall, R> work, SqlCall call) {
        try {
            return work.apply(call);
        } finally {
            workers.left();
        }
    }

    /** Why a call may not run; null after it was admitted. */
    private @Nullable Reason refusal(@Nullable CallScope scope) {
        if (scope == null) {
            return new Reason(ErrorCode.NOT_IN_TRANSACTION, "the call has no header troth-transaction");
        }
        if (!workers.enter()) {
            return new Reason(ErrorCode.OVERLOADED, "as many calls as this SQL gateway takes at once are running");
        }
        return null;
    }

    private static void refuse(StreamObserver<?> replies, @Nullable Reason refusal) {
        replies.onError(TrothStatus.of(refusal == null ? Reason.of(ErrorCode.NOT_IN_TRANSACTION) : refusal));
    }

    /** The list that the trailer will carry: nothing of this call runs any more. */
    static String branches() {
        CallScope scope = CallScope.current();
        return scope == null ? "" : scope.list().encode();
    }

    /** The error that the caller gets; nothing of it that could hold a value is logged. */
    static StatusRuntimeException error(Throwable failure) {
        if (failure instanceof SqlFailedException failed) {
            return TrothStatus.of(failed.reason(), failed.sqlState());
        }
        if (failure instanceof TrothException troth) {
            return TrothStatus.of(troth.reason());
        }
        LOG.error(
                "a call failed in the SQL gateway itself: {} at {}",
                failure.getClass().getName(),
                List.of(failure.getStackTrace()).stream().limit(5).toList());
        return TrothStatus.of(new Reason(ErrorCode.INTERNAL, failure.getClass().getName()));
    }

    /** The rest of a refused call. */
    static final class IgnoredRequests<Q> implements StreamObserver<Q> {

        @Override
        public void onNext(Q request) {
            // Refused.
        }

        @Override
        public void onError(Throwable cause) {
            // Refused.
        }

        @Override
        public void onCompleted() {
            // Refused.
        }
    }
}
