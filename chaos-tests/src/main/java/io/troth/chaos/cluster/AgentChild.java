package io.troth.chaos.cluster;

import io.troth.agent.config.AgentConfigLoader;
import io.troth.agent.config.AgentKey;
import io.troth.agent.server.AgentServer;
import io.troth.chaos.process.Failpoints;
import io.troth.chaos.process.Lifeline;
import java.io.PrintStream;
import java.time.Duration;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CountDownLatch;

/** An agent with one resource in a process of its own, whose points can be armed. Ends when its parent does. */
public final class AgentChild {

    private static final Duration COORDINATOR_LIMIT = Duration.ofSeconds(90);

    private AgentChild() {}

    /**
     * What {@link #main} takes.
     *
     * @param coordinators {@code host:port}, or several with commas between
     * @param sqlPort the port of its SQL gateway
     */
    public static List<String> arguments(String coordinators, String resource, String url, int sqlPort) {
        return List.of(coordinators, resource, url, Integer.toString(sqlPort));
    }

    public static void main(String[] arguments) throws Exception {
        PrintStream parent = System.out;
        Failpoints failpoints = new Failpoints(parent);
        Lifeline.attach(failpoints::command);
        List<String> words = List.of(arguments);
        Map<AgentKey<?>, String> flags = new HashMap<>();
        flags.put(AgentKey.COORDINATORS, words.get(0));
        flags.put(AgentKey.SQL_PORT, words.get(3));
        flags.put(AgentKey.HTTP_PORT, "0");
        AgentServer server = AgentServer.start(
                new AgentConfigLoader()
                        .flags(flags)
                        .resource(words.get(1), Map.of(AgentKey.URL, words.get(2)))
                        .load(),
                (point, tx, branch) -> failpoints.reached(point.name(), tx.toString()));
        Runtime.getRuntime().addShutdownHook(new Thread(server::close, "stop"));
        if (!server.runtime().awaitReady(COORDINATOR_LIMIT)) {
            throw new IllegalStateException("no coordinator at " + words.get(0));
        }
        parent.println(TrothProcess.READY);
        parent.flush();
        // Everything else may run on daemon threads.
        new CountDownLatch(1).await();
    }
}
