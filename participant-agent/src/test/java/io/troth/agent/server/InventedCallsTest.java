package io.troth.agent.server;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.grpc.ManagedChannel;
import io.grpc.netty.shaded.io.grpc.netty.NettyChannelBuilder;
import io.troth.agent.config.AgentConfig;
import io.troth.agent.config.AgentConfigLoader;
import io.troth.agent.config.AgentKey;
import io.troth.agent.database.PostgresExtension;
import io.troth.agent.engine.StepListener;
import io.troth.agent.grpc.SimulatedAgentService;
import io.troth.core.ClusterId;
import io.troth.core.EpochId;
import io.troth.core.GlobalTxId;
import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.net.URI;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;

/**
 * Goal: whoever reaches the SQL gateway's port and makes transactions up does not keep the real ones out, which are still
 * served once. Method: an agent that remembers ten calls, and a hundred headers of epochs that there are not.
 */
class InventedCallsTest {

    @RegisterExtension
    static final PostgresExtension POSTGRES = new PostgresExtension();

    private final SimulatedAgentService coordinator = SimulatedAgentService.start();
    private AgentServer agent;
    private ManagedChannel channel;

    @BeforeEach
    void start() throws InterruptedException {
        AgentConfig config = new AgentConfigLoader()
                .flags(Map.of(
                        AgentKey.COORDINATORS, coordinator.endpoint(),
                        AgentKey.CONNECT_TIMEOUT, "0ms",
                        AgentKey.SQL_PORT, "0",
                        AgentKey.HTTP_PORT, "0",
                        AgentKey.SQL_SERVED_CALLS_MAX, "10",
                        AgentKey.SHUTDOWN_DRAIN_LIMIT, "0ms"))
                .resource(
                        "stock",
                        Map.of(
                                AgentKey.URL,
                                "jdbc:postgresql://localhost:"
                                        + POSTGRES.server().port() + "/postgres?user=postgres",
                                AgentKey.POOL_SIZE,
                                "3"))
                .load();
        agent = AgentServer.start(config, StepListener.NONE);
        assertTrue(agent.runtime().awaitReady(Duration.ofSeconds(60)));
        channel = NettyChannelBuilder.forAddress("127.0.0.1", agent.sqlPort())
                .usePlaintext()
                .build();
    }

    @AfterEach
    void stop() {
        channel.shutdownNow();
        agent.close();
        coordinator.close();
    }

    private String page() {
        URI metrics = URI.create("http://127.0.0.1:" + agent.httpPort() + "/metrics");
        try (InputStream body = metrics.toURL().openStream()) {
            return new String(body.readAllBytes(), StandardCharsets.UTF_8);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    @Test
    void takeNobodysRoom() {
        GlobalTxId real = coordinator.transaction(1);
        List<String> said = new ArrayList<>();
        for (int i = 1; i <= 50; i++) {
            EpochId other = new EpochId(real.epoch().number() + i % 2, 77L + i);
            said.add(SqlCalls.execute(channel, SimulatedAgentService.CLUSTER, new GlobalTxId(0, other, 1, i), i));
            said.add(SqlCalls.execute(channel, new ClusterId(i), new GlobalTxId(0, real.epoch(), 1, 1_000 + i), i));
        }
        assertEquals("NO_COORDINATOR", said.get(0));
        assertEquals(99, said.stream().filter("OVERLOADED"::equals).count(), () -> "said " + said);
        for (int i = 1; i <= 9; i++) {
            assertEquals("", SqlCalls.execute(channel, SimulatedAgentService.CLUSTER, real, i));
        }
        assertTrue(page().contains("troth_agent_served_calls{server=\"sql\"} 10.0\n"), this::page);
        assertTrue(page().contains("troth_agent_served_calls_max{server=\"sql\"} 10.0\n"), this::page);
        assertEquals("DUPLICATE_CALL", SqlCalls.execute(channel, SimulatedAgentService.CLUSTER, real, 1));
        assertEquals(
                "OVERLOADED", SqlCalls.execute(channel, SimulatedAgentService.CLUSTER, real, 10), "ten are remembered");
    }
}
