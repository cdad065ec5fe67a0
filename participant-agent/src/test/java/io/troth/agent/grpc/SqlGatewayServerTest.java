package io.troth.agent.grpc;

import static org.junit.jupiter.api.Assertions.assertDoesNotThrow;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotNull;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.grpc.Channel;
import io.grpc.ClientInterceptors;
import io.grpc.ManagedChannel;
import io.grpc.Metadata;
import io.grpc.StatusRuntimeException;
import io.grpc.health.v1.HealthCheckRequest;
import io.grpc.health.v1.HealthCheckResponse.ServingStatus;
import io.grpc.health.v1.HealthGrpc;
import io.grpc.netty.shaded.io.grpc.netty.NettyChannelBuilder;
import io.grpc.stub.MetadataUtils;
import io.grpc.stub.StreamObserver;
import io.troth.agent.AbstractDataSource;
import io.troth.agent.database.Branches;
import io.troth.agent.database.PostgresExtension;
import io.troth.agent.sql.SqlGateway;
import io.troth.agent.sql.SqlLimits;
import io.troth.client.context.CallScope;
import io.troth.client.context.NanoClock;
import io.troth.client.grpc.Endpoint;
import io.troth.client.grpc.TrothClientInterceptor;
import io.troth.client.grpc.TrothStatus;
import io.troth.core.BranchId;
import io.troth.core.ErrorCode;
import io.troth.core.Reason;
import io.troth.core.SessionKey;
import io.troth.core.TransactionContext;
import io.troth.proto.v1.CloseQuery;
import io.troth.proto.v1.ExecuteRequest;
import io.troth.proto.v1.ExecuteResponse;
import io.troth.proto.v1.QueryRequest;
import io.troth.proto.v1.QueryResponse;
import io.troth.proto.v1.SqlParameter;
import io.troth.proto.v1.SqlServiceGrpc;
import io.troth.proto.v1.SqlStatement;
import io.troth.proto.v1.SqlType;
import io.troth.proto.v1.SqlValue;
import io.troth.proto.v1.StartQuery;
import java.net.InetAddress;
import java.net.Socket;
import java.nio.charset.StandardCharsets;
import java.sql.Connection;
import java.sql.SQLException;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.Semaphore;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicReference;
import java.util.logging.Handler;
import java.util.logging.LogRecord;
import java.util.logging.Logger;
import org.awaitility.Awaitility;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;
import org.junit.jupiter.api.function.Executable;
import org.junit.jupiter.api.parallel.Isolated;
import org.postgresql.ds.PGSimpleDataSource;

/**
 * Goal: the gateway serves nobody outside a transaction, stays within its bounds, and is not open to other machines by
 * accident. Method: the server alone, and stubs as another language would use them.
 */
@Isolated // Hears what the transport logs, whoever makes it.
class SqlGatewayServerTest {

    @RegisterExtension
    static final PostgresExtension POSTGRES = new PostgresExtension();

    private static final int LIMIT_SECONDS = 60;

    /** Of a connection of HTTP/2, and its settings. */
    private static final String PREFACE = "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\0\0\0\4\0\0\0\0\0";

    private static final Set<Thread.State> WAITS_OR_HAS_ENDED =
            Set.of(Thread.State.WAITING, Thread.State.TIMED_WAITING, Thread.State.TERMINATED);

    private SqlGatewayServer server;
    private ManagedChannel channel;
    private CallScope scope;

    private final Semaphore asked = new Semaphore(0);
    private final Semaphore mayFail = new Semaphore(1);

    @BeforeEach
    void start() throws Exception {
        SqlServerSettings settings = new SqlServerSettings(new Endpoint("127.0.0.1", 0), null, null, false, false, 1);
        server = SqlGatewayServer.start(
                settings,
                new SqlGateway(Map.of("notes", new BranchNoting(), "broken", new Broken()), SqlLimits.DEFAULTS));
        channel = NettyChannelBuilder.forAddress("127.0.0.1", server.announced().port())
                .usePlaintext()
                .build();
        scope = newScope();
    }

    @AfterEach
    void stop() {
        channel.shutdownNow();
        server.close();
    }

    private static CallScope newScope() {
        return new CallScope(
                new TransactionContext(Branches.CLUSTER, Branches.nextTx(), new SessionKey(1, 2), 0, 60_000),
                NanoClock.SYSTEM);
    }

    /** Notes a branch with the scope, as the agent's data source does. */
    private static final class BranchNoting extends PGSimpleDataSource {
        private static final long serialVersionUID = 1L;

        @Override
        public Connection getConnection() throws SQLException {
            Objects.requireNonNull(CallScope.current()).addBranch(new BranchId(7, 1), "notes");
            return POSTGRES.server().dataSource().getConnection();
        }
    }

    /** A driver with a bug that is no exception. */
    private final class Broken extends AbstractDataSource {
        @Override
        public Connection getConnection() {
            asked.release();
            mayFail.acquireUninterruptibly();
            mayFail.release();
            throw new StackOverflowError("in a driver");
        }
    }

    private Channel underTransaction() {
        return ClientInterceptors.intercept(channel, new TrothClientInterceptor());
    }

    private Query opened() throws Exception {
        Query query = new Query();
        query.requests = scope.bind(io.grpc.Context.current())
                .call(() -> SqlServiceGrpc.newStub(underTransaction()).query(query));
        return query;
    }

    private static ExecuteRequest request(String sql, SqlParameter... parameters) {
        SqlStatement.Builder statement =
                SqlStatement.newBuilder().setResource("notes").setSql(sql);
        for (SqlParameter parameter : parameters) {
            statement.addParameters(parameter);
        }
        return ExecuteRequest.newBuilder().setStatement(statement).build();
    }

    private StatusRuntimeException failure(ExecuteRequest request) throws Exception {
        return scope.bind(io.grpc.Context.current())
                .call(() -> assertThrows(
                        StatusRuntimeException.class,
                        () -> SqlServiceGrpc.newBlockingStub(underTransaction())
                                .withDeadlineAfter(LIMIT_SECONDS, TimeUnit.SECONDS)
                                .execute(request)));
    }

    @Test
    void servesNobodyOutsideATransaction() {
        StatusRuntimeException refused = assertThrows(
                StatusRuntimeException.class,
                () -> SqlServiceGrpc.newBlockingStub(channel).execute(request("DELETE FROM t")));
        assertEquals(ErrorCode.NOT_IN_TRANSACTION, codeOf(refused));
        Exception alsoRefused = assertThrows(Exception.class, () -> {
            Query query = new Query();
            StreamObserver<QueryRequest> requests =
                    SqlServiceGrpc.newStub(channel).query(query);
            requests.onNext(Query.start("SELECT 1"));
            query.end.get(60, TimeUnit.SECONDS);
        });
        assertEquals(ErrorCode.NOT_IN_TRANSACTION, codeOf(alsoRefused.getCause()));
    }

    @Test
    void refusesMoreCallsThanItMayRemember() throws Exception {
        SqlServerSettings settings =
                new SqlServerSettings(new Endpoint("127.0.0.1", 0), null, null, false, false, 1, 1);
        try (SqlGatewayServer forgetful = SqlGatewayServer.start(
                settings, new SqlGateway(Map.of("notes", new BranchNoting()), SqlLimits.DEFAULTS))) {
            channel.shutdownNow();
            channel = NettyChannelBuilder.forAddress(
                            "127.0.0.1", forgetful.announced().port())
                    .usePlaintext()
                    .build();
            assertEquals(ErrorCode.STATEMENT_FAILED, codeOf(failure(request("DELETE FROM no_such_table"))));
            StatusRuntimeException refused = failure(request("DELETE FROM no_such_table"));
            assertEquals(ErrorCode.OVERLOADED, codeOf(refused));
            assertTrue(
                    refused.getMessage().contains("1 calls under transactions are remembered"), refused.getMessage());
        }
    }

    @Test
    void saysTheSameListInBodyAndTrailer() throws Exception {
        AtomicReference<Metadata> trailers = new AtomicReference<>(new Metadata());
        Channel recording = ClientInterceptors.intercept(
                underTransaction(), MetadataUtils.newCaptureMetadataInterceptor(new AtomicReference<>(), trailers));
        ExecuteResponse response = scope.bind(io.grpc.Context.current())
                .call(() -> SqlServiceGrpc.newBlockingStub(recording).execute(request("DO $$ BEGIN END $$")));
        assertEquals(scope.list().encode(), response.getBranches());
        assertEquals(
                trailers.get().get(Metadata.Key.of("troth-branches", Metadata.ASCII_STRING_MARSHALLER)),
                response.getBranches());
        assertEquals(1, scope.list().branches().size());
    }

    @Test
    void refusesOneCallTooManyAndTakesTheNext() throws Exception {
        Query open = opened();
        open.requests.onNext(Query.start("SELECT n FROM generate_series(1, 10) n"));
        open.columns.get(60, TimeUnit.SECONDS);
        open.end.get(60, TimeUnit.SECONDS);
        assertNull(scope.rollbackReason());

        mayFail.acquire();
        Query running = opened();
        running.requests.onNext(Query.start("SELECT 1", "broken"));
        // It has the only place.
        assertTrue(asked.tryAcquire(60, TimeUnit.SECONDS));
        scope = newScope();
        assertEquals(ErrorCode.OVERLOADED, codeOf(failure(request("DELETE FROM no_such_table"))));
        mayFail.release();
        assertThrows(ExecutionException.class, () -> running.end.get(60, TimeUnit.SECONDS));
        // Never started, which costs a place as well.
        Query idle = opened();
        idle.requests.onNext(QueryRequest.newBuilder()
                .setClose(CloseQuery.getDefaultInstance())
                .build());
        Exception nothing = assertThrows(ExecutionException.class, () -> idle.end.get(60, TimeUnit.SECONDS));
        assertEquals(ErrorCode.INVALID_ARGUMENT, codeOf(nothing.getCause()), "not as if something had run");
        scope = newScope();
        assertEquals(ErrorCode.STATEMENT_FAILED, codeOf(failure(request("DELETE FROM no_such_table"))));
    }

    @Test
    void hasRoomForTheNextCallWhenOneIsHeardToHaveEnded() throws Exception {
        SqlParameter untyped = SqlParameter.newBuilder()
                .setValue(SqlValue.newBuilder().setTextValue("x"))
                .build();
        try (SqlWorkers workers = new SqlWorkers(1)) {
            GrpcSqlService service = new GrpcSqlService(new SqlGateway(Map.of(), SqlLimits.DEFAULTS), workers);
            CompletableFuture<Boolean> room = new CompletableFuture<>();
            scope.bind(io.grpc.Context.current())
                    .run(() -> service.execute(request("SELECT ?", untyped), new Hearing(workers, room)));
            assertTrue(room.get(60, TimeUnit.SECONDS));
        }
    }

    @Test
    void anErrorInACallIsAnsweredAndCostsNoPlace() throws Exception {
        Query query = opened();
        query.requests.onNext(Query.start("SELECT 1", "broken"));
        Exception ended = assertThrows(Exception.class, () -> query.end.get(LIMIT_SECONDS, TimeUnit.SECONDS));
        assertEquals(ErrorCode.INTERNAL, codeOf(ended.getCause()));
        scope = newScope();
        SqlStatement statement = SqlStatement.newBuilder()
                .setResource("broken")
                .setSql("DELETE FROM t")
                .build();
        assertEquals(
                ErrorCode.INTERNAL,
                codeOf(failure(
                        ExecuteRequest.newBuilder().setStatement(statement).build())));
        scope = newScope();
        assertEquals(ErrorCode.STATEMENT_FAILED, codeOf(failure(request("DELETE FROM no_such_table"))));
    }

    @Test
    void namesWhatIsWrongWithAParameter() throws Exception {
        SqlValue text = SqlValue.newBuilder().setTextValue("x").build();
        SqlParameter wrongKind = SqlParameter.newBuilder()
                .setType(SqlType.SQL_TYPE_INT4)
                .setValue(text)
                .build();
        assertEquals(ErrorCode.INVALID_ARGUMENT, codeOf(failure(request("SELECT ?", wrongKind))));
        SqlParameter untyped = SqlParameter.newBuilder().setValue(text).build();
        assertEquals(ErrorCode.INVALID_ARGUMENT, codeOf(failure(request("SELECT ?", untyped))));
        SqlParameter unknown =
                SqlParameter.newBuilder().setTypeValue(99).setValue(text).build();
        assertEquals(ErrorCode.TYPE_NOT_SUPPORTED, codeOf(failure(request("SELECT ?", unknown))));
        SqlParameter badDate = SqlParameter.newBuilder()
                .setType(SqlType.SQL_TYPE_DATE)
                .setValue(text)
                .build();
        assertEquals(ErrorCode.INVALID_ARGUMENT, codeOf(failure(request("DELETE FROM t WHERE ? = 1", badDate))));
    }

    @Test
    void whatIsFarTooLargeIsRefusedWithoutAStackTraceInTheLog() throws Exception {
        assertEquals(List.of(), stackTracesOfTheTransport(() -> {
            String sql = "DELETE FROM t -- " + "x".repeat(SqlLimits.DEFAULTS.messageBytesMax());
            assertThrows(
                    StatusRuntimeException.class,
                    () -> SqlServiceGrpc.newBlockingStub(channel).execute(request(sql)));
            // The refusal is logged, if it is, before the next call on the connection is served.
            tellsItsHealth();
        }));
    }

    /** As of one who stood still, and makes a call on a connection that was given up meanwhile. */
    @Test
    void aStreamThatBreaksTheRulesIsEndedWithoutAStackTraceInTheLog() throws Exception {
        assertEquals(List.of(), stackTracesOfTheTransport(() -> {
            try (Socket rude = new Socket(
                    InetAddress.getLoopbackAddress(), server.announced().port())) {
                rude.setSoTimeout(LIMIT_SECONDS * 1_000);
                String windowOfNothing = "\0\0\4\10\0\0\0\0\1\0\0\0\0";
                rude.getOutputStream().write((PREFACE + windowOfNothing).getBytes(StandardCharsets.ISO_8859_1));
                rude.shutdownOutput();
                byte[] unused = rude.getInputStream().readAllBytes();
            }
        }));
    }

    private static List<Throwable> stackTracesOfTheTransport(Executable work) {
        List<Throwable> thrown = new CopyOnWriteArrayList<>();
        Handler handler = new Handler() {
            @Override
            public void publish(LogRecord line) {
                if (line.getThrown() != null) {
                    thrown.add(line.getThrown());
                }
            }

            @Override
            public void flush() {}

            @Override
            public void close() {}
        };
        Logger transport = Logger.getLogger("io.grpc");
        transport.addHandler(handler);
        try {
            assertDoesNotThrow(work);
        } finally {
            transport.removeHandler(handler);
        }
        return thrown;
    }

    @Test
    void aCallThatRunsWhenItClosesHearsItsAnswer() throws Exception {
        mayFail.acquire();
        Query running = opened();
        running.requests.onNext(Query.start("SELECT 1", "broken"));
        assertTrue(asked.tryAcquire(LIMIT_SECONDS, TimeUnit.SECONDS));
        Thread closing = new Thread(server::close, "closing");
        closing.start();
        Awaitility.await()
                .atMost(LIMIT_SECONDS, TimeUnit.SECONDS)
                .until(() -> WAITS_OR_HAS_ENDED.contains(closing.getState()));
        mayFail.release();
        Exception ended = assertThrows(Exception.class, () -> running.end.get(LIMIT_SECONDS, TimeUnit.SECONDS));
        Reason reason = TrothStatus.reasonOf(ended.getCause());
        assertNotNull(reason, () -> "cut: " + ended.getCause());
        assertEquals("java.lang.StackOverflowError", reason.detail());
    }

    @Test
    void tellsItsHealth() {
        assertEquals(
                ServingStatus.SERVING,
                HealthGrpc.newBlockingStub(channel)
                        .check(HealthCheckRequest.newBuilder()
                                .setService(SqlServiceGrpc.SERVICE_NAME)
                                .build())
                        .getStatus());
    }

    @Test
    void hangsUpOnWhoConnectsAndSaysNothing() throws Exception {
        SqlServerSettings settings = new SqlServerSettings(new Endpoint("127.0.0.1", 0), null, null, false, false, 1);
        try (SqlGatewayServer hasty = SqlGatewayServer.start(
                        settings,
                        new SqlGateway(Map.of(), SqlLimits.DEFAULTS),
                        new SqlGatewayServer.Patience(100, 60_000, 60_000));
                Socket nobody = new Socket(
                        InetAddress.getLoopbackAddress(), hasty.announced().port())) {
            nobody.setSoTimeout(LIMIT_SECONDS * 1_000);
            assertDoesNotThrow(() -> nobody.getInputStream().readAllBytes());
        }
    }

    /** It has sent the preface of HTTP/2 and its settings, and answers no ping. */
    @Test
    void hangsUpOnWhoHasVanished() throws Exception {
        SqlServerSettings settings = new SqlServerSettings(new Endpoint("127.0.0.1", 0), null, null, false, false, 1);
        try (SqlGatewayServer hasty = SqlGatewayServer.start(
                        settings,
                        new SqlGateway(Map.of(), SqlLimits.DEFAULTS),
                        new SqlGatewayServer.Patience(60_000, 100, 100));
                Socket vanished = new Socket(
                        InetAddress.getLoopbackAddress(), hasty.announced().port())) {
            vanished.setSoTimeout(LIMIT_SECONDS * 1_000);
            vanished.getOutputStream().write(PREFACE.getBytes(StandardCharsets.ISO_8859_1));
            assertDoesNotThrow(() -> vanished.getInputStream().readAllBytes());
        }
    }

    /** By a client that sets no deadline of its own, as one of another language may. */
    @Test
    void aQueryEndsWithTheTimeOfItsTransaction() throws Exception {
        Metadata header = new Metadata();
        header.put(
                Metadata.Key.of(TransactionContext.HEADER, Metadata.ASCII_STRING_MARSHALLER),
                new TransactionContext(Branches.CLUSTER, Branches.nextTx(), new SessionKey(1, 2), 5, 1_000).encode());
        Channel foreign = ClientInterceptors.intercept(channel, MetadataUtils.newAttachHeadersInterceptor(header));
        Query query = new Query();
        StreamObserver<QueryRequest> requests = SqlServiceGrpc.newStub(foreign).query(query);
        requests.onNext(Query.start("SELECT pg_sleep(300)::text"));
        Exception ended = assertThrows(Exception.class, () -> query.end.get(LIMIT_SECONDS, TimeUnit.SECONDS));
        assertEquals(ErrorCode.DEADLINE_EXCEEDED, codeOf(ended.getCause()));
        assertEquals(ErrorCode.STATEMENT_FAILED, codeOf(failure(request("DELETE FROM no_such_table"))));
    }

    @Test
    void isNotOpenToOtherMachinesByAccident() {
        Endpoint everywhere = new Endpoint("0.0.0.0", 0);
        assertThrows(
                IllegalArgumentException.class, () -> new SqlServerSettings(everywhere, null, null, false, false, 1));
        assertThrows(
                IllegalArgumentException.class, () -> new SqlServerSettings(everywhere, null, null, true, false, 1));
        assertNotNull(new SqlServerSettings(everywhere, "db1", null, true, true, 1));
        assertThrows(
                IllegalArgumentException.class,
                () -> new SqlServerSettings(new Endpoint("127.evil.example", 0), null, null, false, false, 1));
    }

    private static ErrorCode codeOf(Throwable error) {
        Reason reason = TrothStatus.reasonOf(error);
        return Objects.requireNonNull(reason, () -> "no reason in " + error).code();
    }

    /** Waits for the parts of an answer. */
    private static final class Query implements StreamObserver<QueryResponse> {

        private StreamObserver<QueryRequest> requests;
        private final CompletableFuture<QueryResponse> columns = new CompletableFuture<>();
        private final CompletableFuture<QueryResponse> end = new CompletableFuture<>();

        static QueryRequest start(String sql) {
            return start(sql, "notes");
        }

        static QueryRequest start(String sql, String resource) {
            return QueryRequest.newBuilder()
                    .setStart(StartQuery.newBuilder()
                            .setStatement(SqlStatement.newBuilder()
                                    .setResource(resource)
                                    .setSql(sql)))
                    .build();
        }

        @Override
        public void onNext(QueryResponse response) {
            if (response.hasColumns()) {
                columns.complete(response);
            } else if (response.hasEnd()) {
                end.complete(response);
            }
        }

        @Override
        public void onError(Throwable cause) {
            columns.completeExceptionally(cause);
            end.completeExceptionally(cause);
        }

        @Override
        public void onCompleted() {
            end.completeExceptionally(new IllegalStateException("no end"));
        }
    }
}
