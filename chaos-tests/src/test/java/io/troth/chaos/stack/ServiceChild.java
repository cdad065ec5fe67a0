package io.troth.chaos.stack;

import io.troth.agent.config.AgentConfigLoader;
import io.troth.agent.config.AgentKey;
import io.troth.agent.server.AgentServer;
import io.troth.chaos.bank.Transfer;
import io.troth.chaos.cluster.TrothProcess;
import io.troth.chaos.process.Failpoints;
import io.troth.chaos.process.Lifeline;
import io.troth.client.GlobalTransaction;
import io.troth.client.TrothClient;
import java.io.PrintStream;
import java.sql.Connection;
import java.time.Duration;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;

/**
 * A service with both banks, and so a client and an agent in one process, whose points can be armed. It makes the transfers
 * that its parent orders by {@code transfer NUMBER ACCOUNT}, and ends when that does.
 */
final class ServiceChild {

    private static final Duration COORDINATOR_LIMIT = Duration.ofSeconds(90);

    private ServiceChild() {}

    /** What {@link #main} takes: {@code host:port} of the coordinator and the URLs of the banks. */
    static List<String> arguments(String coordinator, String urlOfA, String urlOfB) {
        return List.of(coordinator, urlOfA, urlOfB);
    }

    public static void main(String[] arguments) throws Exception {
        PrintStream parent = System.out;
        Failpoints failpoints = new Failpoints(parent);
        AgentServer agent = AgentServer.start(
                new AgentConfigLoader()
                        .flags(flags(arguments[0]))
                        .resource(Banks.A, Map.of(AgentKey.URL, arguments[1]))
                        .resource(Banks.B, Map.of(AgentKey.URL, arguments[2]))
                        .load(),
                (point, tx, branch) -> failpoints.reached(point.name(), tx.toString()));
        if (!agent.runtime().awaitReady(COORDINATOR_LIMIT)) {
            throw new IllegalStateException("no coordinator at " + arguments[0]);
        }
        TrothClient client = TrothClient.connect(arguments[0]);
        ExecutorService orders = Executors.newSingleThreadExecutor();
        Lifeline.attach(order -> {
            if (Failpoints.isCommand(order)) {
                failpoints.command(order);
            } else {
                orders.execute(() -> transfer(client, agent, List.of(order.split(" "))));
            }
        });
        parent.println(TrothProcess.READY);
        parent.flush();
        // Everything else may run on daemon threads.
        new CountDownLatch(1).await();
    }

    private static Map<AgentKey<?>, String> flags(String coordinator) {
        Map<AgentKey<?>, String> flags = new HashMap<>();
        flags.put(AgentKey.COORDINATORS, coordinator);
        flags.put(AgentKey.HTTP_PORT, "0");
        return flags;
    }

    private static void transfer(TrothClient client, AgentServer agent, List<String> words) {
        int account = Integer.parseInt(words.get(2));
        Transfer transfer = new Transfer(Long.parseLong(words.get(1)), account, account, 1);
        try (GlobalTransaction tx = client.begin()) {
            for (String bank : List.of(Banks.A, Banks.B)) {
                try (Connection connection = agent.runtime().dataSource(bank).getConnection()) {
                    Banks.apply(connection, transfer, bank);
                }
            }
            System.out.println("ENDED " + tx.commit().outcome());
        } catch (Exception e) {
            System.out.println("ENDED " + e);
        }
        System.out.flush();
    }
}
