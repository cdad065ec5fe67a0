package io.troth.agent.server;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.grpc.Grpc;
import io.grpc.InsecureChannelCredentials;
import io.grpc.ManagedChannel;
import io.grpc.Metadata;
import io.grpc.StatusRuntimeException;
import io.grpc.stub.MetadataUtils;
import io.troth.agent.config.AgentConfig;
import io.troth.agent.config.AgentConfigLoader;
import io.troth.agent.config.AgentKey;
import io.troth.agent.database.PostgresExtension;
import io.troth.agent.engine.StepListener;
import io.troth.agent.grpc.SimulatedAgentService;
import io.troth.client.grpc.TrothStatus;
import io.troth.core.GlobalTxId;
import io.troth.core.Reason;
import io.troth.core.SessionKey;
import io.troth.core.TransactionContext;
import io.troth.proto.v1.ExecuteRequest;
import io.troth.proto.v1.SqlServiceGrpc;
import io.troth.proto.v1.SqlStatement;
import java.time.Duration;
import java.util.Map;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicReference;
import org.awaitility.Awaitility;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;

/** Goal: what has begun at an agent's SQL gateway can be brought to its end there while the agent drains. */
class DrainingTest {

    @RegisterExtension
    static final PostgresExtension POSTGRES = new PostgresExtension();

    private static final Duration LIMIT = Duration.ofSeconds(60);

    private long calls;

    @Test
    void theGatewayServesRunningTransactionsUntilTheyEnd() throws Exception {
        try (SimulatedAgentService coordinator = SimulatedAgentService.start()) {
            AgentServer agent = AgentServer.start(config(coordinator), StepListener.NONE);
            assertTrue(agent.runtime().awaitReady(LIMIT));
            ManagedChannel channel = Grpc.newChannelBuilder(
                            "127.0.0.1:" + agent.sqlPort(), InsecureChannelCredentials.create())
                    .build();
            Thread closing = new Thread(agent::close, "closing");
            try {
                GlobalTxId running = coordinator.transaction(1);
                assertEquals("", call(channel, running));
                closing.start();
                AtomicReference<String> refusal = new AtomicReference<>("");
                Awaitility.await().atMost(LIMIT).until(() -> {
                    refusal.set(call(channel, coordinator.transaction(2)));
                    return !refusal.get().isEmpty();
                });
                assertEquals("DRAINING", refusal.get());
                assertEquals("", call(channel, running));
                assertTrue(closing.isAlive());
            } finally {
                // Which ends what runs.
                coordinator.stop();
                closing.join(LIMIT.toMillis());
                channel.shutdownNow();
            }
            assertFalse(closing.isAlive());
        }
    }

    private static AgentConfig config(SimulatedAgentService coordinator) {
        return new AgentConfigLoader()
                .flags(Map.of(
                        AgentKey.COORDINATORS, coordinator.endpoint(),
                        AgentKey.SQL_PORT, "0",
                        AgentKey.HTTP_PORT, "0",
                        AgentKey.SHUTDOWN_DRAIN_LIMIT, "60s"))
                .resource(
                        "stock",
                        Map.of(
                                AgentKey.URL,
                                "jdbc:postgresql://localhost:"
                                        + POSTGRES.server().port() + "/postgres?user=postgres",
                                AgentKey.POOL_SIZE,
                                "3"))
                .load();
    }

    /** The code of the refusal, "" when it was executed. */
    private String call(ManagedChannel channel, GlobalTxId tx) {
        Metadata headers = new Metadata();
        headers.put(
                Metadata.Key.of(TransactionContext.HEADER, Metadata.ASCII_STRING_MARSHALLER),
                new TransactionContext(SimulatedAgentService.CLUSTER, tx, new SessionKey(1, 2), ++calls, 60_000)
                        .encode());
        try {
            var unused = SqlServiceGrpc.newBlockingStub(channel)
                    .withDeadlineAfter(LIMIT.toSeconds(), TimeUnit.SECONDS)
                    .withInterceptors(MetadataUtils.newAttachHeadersInterceptor(headers))
                    .execute(ExecuteRequest.newBuilder()
                            .setStatement(SqlStatement.newBuilder()
                                    .setResource("stock")
                                    .setSql("DO $$ BEGIN END $$"))
                            .build());
            return "";
        } catch (StatusRuntimeException refused) {
            Reason reason = TrothStatus.reasonOf(refused);
            return reason == null ? refused.toString() : reason.code().name();
        }
    }
}
