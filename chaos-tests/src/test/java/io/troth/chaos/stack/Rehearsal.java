package io.troth.chaos.stack;

import io.troth.agent.config.AgentConfigLoader;
import io.troth.agent.config.AgentKey;
import io.troth.agent.server.AgentServer;
import io.troth.chaos.bank.Transfer;
import io.troth.client.TrothClient;
import io.troth.coordinator.config.CoordinatorConfig;
import io.troth.coordinator.server.CoordinatorServer;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Map;

/** A coordinator, an agent of two banks and a client in one JVM: a transaction commits and one rolls back, and it ends. */
final class Rehearsal {

    private static final Duration LIMIT = Duration.ofMinutes(2);

    private Rehearsal() {}

    public static void main(String[] arguments) throws InterruptedException {
        List<String> words = List.of(arguments);
        CoordinatorConfig config = CoordinatorConfig.onFreePorts(Path.of(words.get(0)), Map.of());
        try (CoordinatorServer coordinator = CoordinatorServer.start(config);
                AgentServer agent = AgentServer.start(
                        new AgentConfigLoader()
                                .flags(Map.of(
                                        AgentKey.COORDINATORS, "localhost:" + coordinator.grpcPort(),
                                        AgentKey.SQL_PORT, "0",
                                        AgentKey.HTTP_PORT, "0"))
                                .resource(Banks.A, Map.of(AgentKey.URL, words.get(1)))
                                .resource(Banks.B, Map.of(AgentKey.URL, words.get(2)))
                                .load(),
                        (point, tx, branch) -> {});
                TrothClient client = TrothClient.connect("localhost:" + coordinator.grpcPort())) {
            if (!agent.runtime().awaitReady(LIMIT)) {
                throw new IllegalStateException("no coordinator");
            }
            client.inTransaction(tx -> {
                for (String bank : List.of(Banks.A, Banks.B)) {
                    tx.sql(bank).update(Transfer.INSERT_ROW, 1L, 1, 1L);
                }
            });
            client.begin().close();
        }
        System.exit(0);
    }
}
