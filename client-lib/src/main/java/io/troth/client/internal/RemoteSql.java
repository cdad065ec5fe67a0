package io.troth.client.internal;

import io.grpc.CallOptions;
import io.grpc.Context;
import io.grpc.stub.ClientCalls;
import io.grpc.stub.StreamObserver;
import io.troth.client.SqlRow;
import io.troth.client.SqlRows;
import io.troth.client.SqlUpdate;
import io.troth.client.TransactionSql;
import io.troth.client.context.CallScope;
import io.troth.client.internal.SqlGateways.Gateway;
import io.troth.core.ErrorCode;
import io.troth.core.Reason;
import io.troth.core.ResourceName;
import io.troth.core.TrothException;
import io.troth.proto.v1.ExecuteBatchRequest;
import io.troth.proto.v1.ExecuteBatchResponse;
import io.troth.proto.v1.ExecuteRequest;
import io.troth.proto.v1.ExecuteResponse;
import io.troth.proto.v1.QueryRequest;
import io.troth.proto.v1.SqlBatchRow;
import io.troth.proto.v1.SqlServiceGrpc;
import io.troth.proto.v1.StartQuery;
import java.time.Duration;
import java.util.Arrays;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionException;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.function.Consumer;
import java.util.function.Function;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;

/** SQL by way of the resource's gateway. */
record RemoteSql(SqlGateways gateways, CallScope scope, String resource, int fetchSize, long timeoutMillis)
        implements TransactionSql {

    static RemoteSql of(SqlGateways gateways, CallScope scope, String resource) {
        return new RemoteSql(gateways, scope, ResourceName.check(resource), 0, Long.MAX_VALUE);
    }

    @Override
    public TransactionSql withFetchSize(int rows) {
        if (rows < 0) {
            throw new IllegalArgumentException("the fetch size must not be negative, was " + rows);
        }
        return new RemoteSql(gateways, scope, resource, rows, timeoutMillis);
    }

    @Override
    public TransactionSql withTimeout(Duration timeout) {
        long millis = TimeUnit.MILLISECONDS.convert(timeout);
        if (millis < 1) {
            throw new IllegalArgumentException("the timeout must be at least 1 ms, was " + timeout);
        }
        return new RemoteSql(gateways, scope, resource, fetchSize, millis);
    }

    @Override
    public long update(String sql, @Nullable Object... parameters) {
        return awaitReply(() -> updateAsync(sql, parameters));
    }

    @Override
    public CompletionStage<Long> updateAsync(String sql, @Nullable Object... parameters) {
        return execute(List.of(), SqlUpdate::count, sql, parameters);
    }

    @Override
    public SqlUpdate updateReturningKeys(List<String> keyColumns, String sql, @Nullable Object... parameters) {
        return awaitReply(() -> updateReturningKeysAsync(keyColumns, sql, parameters));
    }

    @Override
    public CompletionStage<SqlUpdate> updateReturningKeysAsync(
            List<String> keyColumns, String sql, @Nullable Object... parameters) {
        return execute(keyColumns, Function.identity(), sql, parameters);
    }

    private <T> CompletionStage<T> execute(
            List<String> keyColumns, Function<SqlUpdate, T> read, String sql, @Nullable Object... parameters) {
        ExecuteRequest request = ExecuteRequest.newBuilder()
                .setStatement(SqlCodec.statement(resource, sql, Arrays.asList(parameters)))
                .addAllGeneratedKeys(keyColumns)
                .build();
        CallOptions options = options();
        return call(
                gateway -> {
                    SingleReply<ExecuteResponse> reply = new SingleReply<>();
                    ClientCalls.asyncUnaryCall(
                            gateway.channel().newCall(SqlServiceGrpc.getExecuteMethod(), options), request, reply);
                    return reply.future();
                },
                response -> read.apply(new SqlUpdate(
                        response.getUpdateCount(),
                        response.getKeysList().stream()
                                .<SqlRow>map(row -> new RemoteRow(response.getKeyColumnsList(), row))
                                .toList())));
    }

    @Override
    public List<Long> batch(String sql, List<? extends List<? extends @Nullable Object>> rows) {
        return awaitReply(() -> batchAsync(sql, rows));
    }

    @Override
    public CompletionStage<List<Long>> batchAsync(String sql, List<? extends List<? extends @Nullable Object>> rows) {
        ExecuteBatchRequest.Builder request =
                ExecuteBatchRequest.newBuilder().setStatement(SqlCodec.statement(resource, sql, List.of()));
        rows.forEach(row -> request.addRows(SqlBatchRow.newBuilder().addAllParameters(SqlCodec.parameters(row))));
        CallOptions options = options();
        return call(
                gateway -> {
                    SingleReply<ExecuteBatchResponse> reply = new SingleReply<>();
                    ClientCalls.asyncUnaryCall(
                            gateway.channel().newCall(SqlServiceGrpc.getExecuteBatchMethod(), options),
                            request.build(),
                            reply);
                    return reply.future();
                },
                ExecuteBatchResponse::getUpdateCountsList);
    }

    @Override
    public SqlRows query(String sql, @Nullable Object... parameters) {
        QueryRequest start = start(sql, parameters);
        CallOptions options = options();
        return await(() -> call(
                gateway -> {
                    RemoteRows rows = new RemoteRows(resource, gateways, gateway);
                    ClientCalls.asyncBidiStreamingCall(
                            gateway.channel().newCall(SqlServiceGrpc.getQueryMethod(), options), rows);
                    rows.start(start);
                    return CompletableFuture.completedFuture(rows);
                },
                Function.identity()));
    }

    @Override
    public CompletionStage<Long> forEachAsync(
            Consumer<? super SqlRow> action, String sql, @Nullable Object... parameters) {
        QueryRequest start = start(sql, parameters);
        CallOptions options = options();
        return call(
                gateway -> {
                    PushedRows rows = new PushedRows(action);
                    ClientCalls.asyncBidiStreamingCall(
                            gateway.channel().newCall(SqlServiceGrpc.getQueryMethod(), options), rows);
                    rows.start(start);
                    return rows.future();
                },
                Function.identity());
    }

    private QueryRequest start(String sql, @Nullable Object... parameters) {
        return QueryRequest.newBuilder()
                .setStart(StartQuery.newBuilder()
                        .setStatement(SqlCodec.statement(resource, sql, Arrays.asList(parameters)))
                        .setFetchSize(fetchSize))
                .build();
    }

    /** The time of a call runs from here, and while its gateway is looked for. */
    private CallOptions options() {
        return timeoutMillis == Long.MAX_VALUE
                ? CallOptions.DEFAULT
                : CallOptions.DEFAULT.withDeadlineAfter(timeoutMillis, TimeUnit.MILLISECONDS);
    }

    /**
     * Finds the gateway and makes the call under the scope. The scope counts as in use from now on, so that a commit
     * waits also while the gateway is being looked for. The stage is what the application gets: one that it completes by
     * itself, as by a cancel, is of a call whose reply it does not take, and whose work must not be committed.
     */
    private <R, T> CompletionStage<T> call(Function<Gateway, CompletableFuture<R>> call, Function<R, T> read) {
        Context caller = Context.current();
        Context context = scope.bind(caller);
        boolean wasDoomed = scope.isRollbackOnly();
        scope.enter();
        CompletableFuture<Gateway> search;
        CompletableFuture<R> started;
        try {
            search = gateways.of(scope, resource, timeoutMillis);
            started = search.thenCompose(gateway -> {
                Reason doomed = scope.rollbackReason();
                if (doomed != null && !wasDoomed) {
                    // While it waited for the gateway, as by a change of the leader.
                    return CompletableFuture.failedFuture(new TrothException(doomed));
                }
                CompletableFuture<R> reply = under(context, () -> call.apply(gateway));
                return reply.whenComplete((value, failure) -> {
                    if (failure != null && SqlErrors.isLost(failure)) {
                        gateways.lost(gateway);
                    }
                });
            });
        } catch (RuntimeException e) {
            scope.exit();
            throw e;
        }
        CompletableFuture<T> result = new CompletableFuture<>();
        // gRPC brings the answer under the call's context, that is, under the transaction. But what depends on it is
        // the application's own, and may begin the next one.
        var unused = started.thenApply(read)
                .whenComplete((value, failure) -> caller.run(() -> {
                    if (result.isDone()) {
                        scope.setRollbackOnly(new Reason(
                                ErrorCode.ROLLBACK_ONLY, "a statement on " + resource + " was given up by its caller"));
                    }
                    Throwable error = failure == null ? null : error(failure, search);
                    if (search.isCompletedExceptionally() && error instanceof TrothException lost) {
                        // Of a call that was made its own end says it.
                        scope.setRollbackOnly(lost.reason());
                    }
                    // First, since the application may commit as soon as it hears.
                    scope.exit();
                    if (error == null) {
                        result.complete(value);
                    } else {
                        result.completeExceptionally(error);
                    }
                }));
        return result;
    }

    private Throwable error(Throwable failure, CompletableFuture<Gateway> search) {
        Throwable cause =
                failure instanceof CompletionException && failure.getCause() != null ? failure.getCause() : failure;
        if (cause instanceof PushedRows.ActionFailedException action) {
            return action.original();
        }
        return search.isCompletedExceptionally()
                ? SqlErrors.of(resource, cause)
                : SqlErrors.of(search.join().of(resource), cause);
    }

    private static <T> T under(Context context, Supplier<T> action) {
        Context previous = context.attach();
        try {
            return action.get();
        } finally {
            context.detach(previous);
        }
    }

    /** An interrupt ends the call too: without its list nothing of it counts, and a rollback would wait for it. */
    private <T> T awaitReply(Supplier<CompletionStage<T>> stage) {
        Context.CancellableContext ofCall = Context.current().withCancellation();
        try {
            return await(() -> under(ofCall, stage));
        } finally {
            // Means nothing to a call that has ended.
            ofCall.cancel(null);
        }
    }

    private <T> T await(Supplier<CompletionStage<T>> stage) {
        if (gateways.isLoopThread()) {
            throw new IllegalStateException("this is a thread of the client library, which brings the answer: use the "
                    + "async methods here, or an executor");
        }
        try {
            return stage.get().toCompletableFuture().get();
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            Reason reason = new Reason(ErrorCode.ROLLBACK_ONLY, "interrupted while a statement ran on " + resource);
            scope.setRollbackOnly(reason);
            throw new TrothException(reason, e);
        } catch (ExecutionException e) {
            if (e.getCause() instanceof RuntimeException known) {
                throw known;
            }
            throw new IllegalStateException(e.getCause());
        }
    }

    /** The one reply of a unary call, when the trailers have been read. */
    private static final class SingleReply<R> implements StreamObserver<R> {

        private final CompletableFuture<R> future = new CompletableFuture<>();
        private @Nullable R reply;

        CompletableFuture<R> future() {
            return future;
        }

        @Override
        public void onNext(R value) {
            reply = value;
        }

        @Override
        public void onError(Throwable cause) {
            future.completeExceptionally(cause);
        }

        @Override
        public void onCompleted() {
            R value = reply;
            if (value == null) {
                future.completeExceptionally(new IllegalStateException("the SQL gateway sent no reply"));
            } else {
                future.complete(value);
            }
        }
    }
}
