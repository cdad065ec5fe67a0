package io.troth.bench.troth;

import io.troth.bench.contender.JavaProcess;
import io.troth.chaos.cluster.CoordinatorChild;
import io.troth.chaos.cluster.CoordinatorCluster;
import io.troth.chaos.process.Children;
import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.TreeMap;
import java.util.stream.IntStream;

/** A cluster of coordinators as a contender's coordinator, each a process as the launcher starts one. */
public final class ClusterCoordinators implements Coordinators {

    private final CoordinatorCluster members;

    private ClusterCoordinators(CoordinatorCluster members) {
        this.members = members;
    }

    /** Starts so many, and returns when one of them leads. */
    static ClusterCoordinators start(Children children, Path directory, int count) {
        CoordinatorCluster members = new CoordinatorCluster(
                directory,
                nodes(count),
                Map.of(),
                false,
                (node, settings) -> JavaProcess.start(children, node, ChildMain.class, flags(settings)));
        members.awaitLeadAbove(0);
        return new ClusterCoordinators(members);
    }

    /**
     * A cluster of so many that stop where they are told to; only for tests of failures, since that is not free.
     *
     * @param more settings that are not the defaults, by key
     */
    public static CoordinatorCluster parkable(Children children, Path directory, int count, Map<String, String> more) {
        return new CoordinatorCluster(
                directory,
                nodes(count),
                more,
                false,
                (node, settings) -> JavaProcess.start(
                        children, node, CoordinatorChild.class, CoordinatorChild.arguments(settings)));
    }

    private static List<String> nodes(int count) {
        return IntStream.rangeClosed(1, count)
                .mapToObj(number -> "node-" + number)
                .toList();
    }

    private static List<String> flags(Map<String, String> settings) {
        List<String> arguments = new ArrayList<>(List.of("coordinator"));
        settings.forEach((key, value) -> arguments.addAll(List.of(flag(key), value)));
        return arguments;
    }

    private static String flag(String key) {
        return "--" + key.replaceAll("([A-Z])", "-$1").replace('.', '-').toLowerCase(Locale.ROOT);
    }

    @Override
    public List<String> endpoints() {
        return members.endpoints();
    }

    @Override
    public long forcedWrites() {
        // Each member forces each entry; the one that leads counts it.
        long forced = 0;
        for (String node : members.nodes()) {
            try {
                forced += members.metric(node, ProductProcess.FORCES);
            } catch (IOException e) {
                throw new IllegalStateException(node + " does not answer", e);
            }
        }
        return forced;
    }

    @Override
    public Map<String, Long> processes() {
        Map<String, Long> pids = new TreeMap<>();
        members.nodes()
                .forEach(node -> pids.put(
                        "coordinator-" + node, members.process(node).child().pid()));
        return pids;
    }

    @Override
    public void close() {
        members.close();
    }
}
