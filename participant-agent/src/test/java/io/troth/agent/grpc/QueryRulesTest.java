package io.troth.agent.grpc;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;

import io.grpc.Channel;
import io.grpc.ClientInterceptors;
import io.grpc.Grpc;
import io.grpc.InsecureChannelCredentials;
import io.grpc.ManagedChannel;
import io.grpc.Metadata;
import io.grpc.health.v1.HealthCheckRequest;
import io.grpc.health.v1.HealthGrpc;
import io.grpc.stub.MetadataUtils;
import io.grpc.stub.StreamObserver;
import io.troth.agent.database.Branches;
import io.troth.agent.database.PostgresExtension;
import io.troth.agent.sql.SqlGateway;
import io.troth.agent.sql.SqlLimits;
import io.troth.client.grpc.TrothStatus;
import io.troth.core.ErrorCode;
import io.troth.core.Reason;
import io.troth.core.SessionKey;
import io.troth.core.TransactionContext;
import io.troth.proto.v1.CloseQuery;
import io.troth.proto.v1.QueryEnd;
import io.troth.proto.v1.QueryRequest;
import io.troth.proto.v1.QueryResponse;
import io.troth.proto.v1.SqlServiceGrpc;
import io.troth.proto.v1.SqlStatement;
import io.troth.proto.v1.StartQuery;
import java.sql.Connection;
import java.sql.Statement;
import java.util.Map;
import java.util.Objects;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;

/**
 * Goal: a query that is answered is one that has run, and says how many rows it sent. Method: the stream of a client of
 * another language, which may say what it should not.
 */
class QueryRulesTest {

    @RegisterExtension
    static final PostgresExtension POSTGRES = new PostgresExtension();

    private static final int LIMIT_SECONDS = 60;

    private SqlGatewayServer server;
    private ManagedChannel channel;
    private StreamObserver<QueryRequest> requests;
    private final CompletableFuture<QueryEnd> end = new CompletableFuture<>();

    @BeforeEach
    void open() throws Exception {
        server = SqlGatewayServer.start(
                SqlServerSettings.loopback(0),
                new SqlGateway(Map.of("notes", POSTGRES.server().dataSource()), SqlLimits.DEFAULTS));
        channel = Grpc.newChannelBuilder(server.announced().toString(), InsecureChannelCredentials.create())
                .build();
        Metadata header = new Metadata();
        header.put(
                Metadata.Key.of(TransactionContext.HEADER, Metadata.ASCII_STRING_MARSHALLER),
                new TransactionContext(Branches.CLUSTER, Branches.nextTx(), new SessionKey(1, 2), 5, 300_000).encode());
        Channel foreign = ClientInterceptors.intercept(channel, MetadataUtils.newAttachHeadersInterceptor(header));
        requests = SqlServiceGrpc.newStub(foreign).query(new Replies());
    }

    @AfterEach
    void close() {
        channel.shutdownNow();
        server.close();
    }

    private final class Replies implements StreamObserver<QueryResponse> {

        @Override
        public void onNext(QueryResponse response) {
            if (response.hasEnd()) {
                end.complete(response.getEnd());
            }
        }

        @Override
        public void onError(Throwable cause) {
            end.completeExceptionally(cause);
        }

        @Override
        public void onCompleted() {
            end.completeExceptionally(new IllegalStateException("no end"));
        }
    }

    private void start(String sql) {
        requests.onNext(QueryRequest.newBuilder()
                .setStart(StartQuery.newBuilder()
                        .setStatement(
                                SqlStatement.newBuilder().setResource("notes").setSql(sql)))
                .build());
    }

    private void assertRefused() {
        ExecutionException e = assertThrows(ExecutionException.class, () -> end.get(LIMIT_SECONDS, TimeUnit.SECONDS));
        Reason reason = TrothStatus.reasonOf(e.getCause());
        assertEquals(
                ErrorCode.INVALID_ARGUMENT,
                Objects.requireNonNull(reason, () -> "no reason in " + e.getCause())
                        .code());
    }

    @Test
    void countsWhatItSent() throws Exception {
        start("SELECT n FROM generate_series(1, 1000) n");
        assertEquals(1_000, end.get(LIMIT_SECONDS, TimeUnit.SECONDS).getRowCount());
    }

    @Test
    void aSecondStartIsRefusedAlsoWhenTheFirstHasRunMeanwhile() throws Exception {
        try (Connection holder = POSTGRES.server().dataSource().getConnection();
                Statement lock = holder.createStatement()) {
            holder.setAutoCommit(false);
            lock.execute("SELECT pg_advisory_xact_lock(5401)");
            start("SELECT pg_advisory_xact_lock(5401)::text");
            start("SELECT 2");
            // Behind both on the connection.
            var unused = HealthGrpc.newBlockingStub(channel).check(HealthCheckRequest.getDefaultInstance());
            holder.rollback();
        }
        assertRefused();
    }

    @Test
    void aCloseBeforeTheStartIsRefused() {
        requests.onNext(QueryRequest.newBuilder()
                .setClose(CloseQuery.getDefaultInstance())
                .build());
        start("SELECT 1");
        assertRefused();
    }

    @Test
    void theEndOfTheRequestsBeforeTheStartIsRefused() {
        requests.onCompleted();
        assertRefused();
    }

    @Test
    void aRequestThatSaysNothingIsRefused() {
        requests.onNext(QueryRequest.getDefaultInstance());
        assertRefused();
    }
}
