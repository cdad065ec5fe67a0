package io.troth.agent.server;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.grpc.Grpc;
import io.grpc.InsecureChannelCredentials;
import io.grpc.ManagedChannel;
import io.troth.agent.config.AgentConfig;
import io.troth.agent.config.AgentConfigLoader;
import io.troth.agent.config.AgentKey;
import io.troth.agent.database.PostgresExtension;
import io.troth.agent.engine.StepListener;
import io.troth.agent.grpc.SimulatedAgentService;
import io.troth.core.GlobalTxId;
import java.time.Duration;
import java.util.Map;
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
                assertEquals("", SqlCalls.execute(channel, SimulatedAgentService.CLUSTER, running, ++calls));
                closing.start();
                AtomicReference<String> refusal = new AtomicReference<>("");
                Awaitility.await().atMost(LIMIT).until(() -> {
                    refusal.set(SqlCalls.execute(
                            channel, SimulatedAgentService.CLUSTER, coordinator.transaction(2), ++calls));
                    return !refusal.get().isEmpty();
                });
                assertEquals("DRAINING", refusal.get());
                assertEquals("", SqlCalls.execute(channel, SimulatedAgentService.CLUSTER, running, ++calls));
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
}
