package io.troth.client;

import static org.awaitility.Awaitility.await;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.grpc.Context;
import io.grpc.Server;
import io.grpc.ServerInterceptors;
import io.grpc.netty.shaded.io.grpc.netty.NettyServerBuilder;
import io.grpc.stub.StreamObserver;
import io.troth.client.grpc.TrothServerInterceptor;
import io.troth.proto.v1.ExecuteRequest;
import io.troth.proto.v1.ExecuteResponse;
import io.troth.proto.v1.SqlServiceGrpc;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.time.Duration;
import java.util.Objects;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;

/** Goal: a call takes no longer than it may. Method: a gateway that is found late, and says how long it was given. */
class RemoteSqlDeadlineTest {

    private static final Duration TIMEOUT = Duration.ofMinutes(5);

    private final CompletableFuture<Long> millisGiven = new CompletableFuture<>();

    private final class Gateway extends SqlServiceGrpc.SqlServiceImplBase {
        @Override
        public void execute(ExecuteRequest request, StreamObserver<ExecuteResponse> reply) {
            millisGiven.complete(
                    Objects.requireNonNull(Context.current().getDeadline()).timeRemaining(TimeUnit.MILLISECONDS));
            reply.onNext(ExecuteResponse.getDefaultInstance());
            reply.onCompleted();
        }
    }

    @Test
    void theSearchForTheGatewayIsPartOfTheCall() throws Exception {
        Server gateway = NettyServerBuilder.forAddress(new InetSocketAddress(InetAddress.getLoopbackAddress(), 0))
                .directExecutor()
                .addService(ServerInterceptors.intercept(new Gateway(), new TrothServerInterceptor()))
                .build()
                .start();
        try (SimulatedCoordinator coordinator = SimulatedCoordinator.started();
                TrothClient client = TrothClient.builder()
                        .endpoint(coordinator.endpoint())
                        .connectTimeout(TIMEOUT)
                        .transactionTimeout(TIMEOUT.multipliedBy(2))
                        .build()) {
            GlobalTransaction tx = client.begin();
            coordinator.offerSql("localhost:" + gateway.getPort());
            coordinator.follow("");
            long start = System.nanoTime();
            CompletableFuture<Long> statement = tx.sql("accounts")
                    .withTimeout(TIMEOUT)
                    .updateAsync("DELETE FROM account")
                    .toCompletableFuture();
            await().atMost(TIMEOUT).until(() -> coordinator.redirected() > 3);
            long searched = TimeUnit.NANOSECONDS.toMillis(System.nanoTime() - start);
            coordinator.follow(null);
            statement.get(60, TimeUnit.SECONDS);
            tx.close();
            long given = millisGiven.join();
            assertTrue(given <= TIMEOUT.toMillis() - searched, given + " ms after " + searched + " ms");
        } finally {
            gateway.shutdownNow().awaitTermination(30, TimeUnit.SECONDS);
        }
    }
}
