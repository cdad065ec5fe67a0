package io.troth.client;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertInstanceOf;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.grpc.Server;
import io.grpc.ServerInterceptors;
import io.grpc.netty.shaded.io.grpc.netty.NettyServerBuilder;
import io.grpc.stub.StreamObserver;
import io.troth.client.grpc.TrothServerInterceptor;
import io.troth.core.Outcome;
import io.troth.proto.v1.ExecuteRequest;
import io.troth.proto.v1.ExecuteResponse;
import io.troth.proto.v1.SqlServiceGrpc;
import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.time.Duration;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/** Goal: nobody waits on the thread that brings what is waited for. Method: a gateway that answers when the test says so. */
class RemoteSqlThreadTest {

    private final Map<String, CompletableFuture<Void>> answers =
            new ConcurrentHashMap<>(Map.of("first", new CompletableFuture<>(), "second", new CompletableFuture<>()));

    private SimulatedCoordinator coordinator;
    private Server gateway;
    private TrothClient client;

    @BeforeEach
    void start() throws IOException {
        gateway = NettyServerBuilder.forAddress(new InetSocketAddress(InetAddress.getLoopbackAddress(), 0))
                .directExecutor()
                .addService(ServerInterceptors.intercept(new Gateway(), new TrothServerInterceptor()))
                .build()
                .start();
        coordinator = SimulatedCoordinator.started();
        coordinator.offerSql("localhost:" + gateway.getPort());
        client = TrothClient.builder()
                .endpoint(coordinator.endpoint())
                .transactionTimeout(Duration.ofSeconds(30))
                .build();
    }

    @AfterEach
    void stop() throws InterruptedException {
        client.close();
        coordinator.close();
        gateway.shutdownNow().awaitTermination(30, TimeUnit.SECONDS);
    }

    private final class Gateway extends SqlServiceGrpc.SqlServiceImplBase {
        @Override
        public void execute(ExecuteRequest request, StreamObserver<ExecuteResponse> reply) {
            var unused = answers.get(request.getStatement().getSql()).thenRun(() -> {
                reply.onNext(ExecuteResponse.getDefaultInstance());
                reply.onCompleted();
            });
        }
    }

    @Test
    void refusesACommitThatWouldWaitForAStatementOnItsThread() throws Exception {
        GlobalTransaction tx = client.beginAsync(TransactionOptions.DEFAULTS)
                .toCompletableFuture()
                .join();
        CompletableFuture<Long> first = tx.sql("accounts").updateAsync("first").toCompletableFuture();
        CompletableFuture<Void> second = tx.sql("accounts")
                .updateAsync("second")
                .thenAccept(touched -> tx.commit())
                .toCompletableFuture();
        answers.get("second").complete(null);
        ExecutionException refused = assertThrows(ExecutionException.class, () -> second.get(60, TimeUnit.SECONDS));
        assertInstanceOf(IllegalStateException.class, refused.getCause());
        answers.get("first").complete(null);
        assertEquals(0, first.get(60, TimeUnit.SECONDS));
        assertEquals(Outcome.READ_ONLY, tx.commit().outcome(), "what was refused has changed nothing");
    }

    @Test
    void commitsNoStatementThatItsCallerHasGivenUp() {
        GlobalTransaction tx = client.begin();
        CompletableFuture<Long> first = tx.sql("accounts").updateAsync("first").toCompletableFuture();
        CompletableFuture<Long> second =
                tx.sql("accounts").updateAsync("second").toCompletableFuture();
        assertTrue(first.cancel(true));
        answers.values().forEach(answer -> answer.complete(null));
        second.join();
        assertTrue(assertThrows(RolledBackException.class, tx::commit)
                .getMessage()
                .contains("a statement on accounts was given up by its caller"));
    }
}
