package io.troth.bench.troth;

import io.troth.bench.contender.JavaProcess;
import io.troth.chaos.cluster.CoordinatorChild;
import io.troth.chaos.process.ChildProcess;
import io.troth.chaos.process.Children;
import io.troth.chaos.process.Ports;
import java.io.IOException;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Objects;
import java.util.Random;
import java.util.TreeMap;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.TimeUnit;
import java.util.function.ToIntFunction;
import java.util.stream.Collectors;

/** A cluster of coordinators on this machine, each a process as the launcher starts one. Not thread-safe. */
public final class CoordinatorCluster implements Coordinators {

    private static final String LOOPBACK = "127.0.0.1:";
    private static final Duration LIMIT = Duration.ofSeconds(90);
    private static final long PAUSE_MILLIS = 10;
    private static final String CLUSTER = "00000000000faded";

    private record Listens(int grpc, int http, int raft) {}

    private final Children children;
    private final Path directory;
    private final Map<String, String> more;
    private final boolean parkable;
    private final Map<String, Listens> ports = new TreeMap<>();
    private final Map<String, ChildProcess> processes = new TreeMap<>();
    /** The highest epoch that each has begun to lead. */
    private final Map<String, Long> epochs = new ConcurrentHashMap<>();

    /**
     * Makes the members and starts all of them.
     *
     * @param more settings that are not the defaults, by key
     * @param parkable whether they stop where they are told to; only for tests of failures, since it is not free
     */
    public CoordinatorCluster(
            Children children, Path directory, int count, Map<String, String> more, boolean parkable) {
        this.parkable = parkable;
        this.more = Map.copyOf(more);
        this.children = children;
        this.directory = directory;
        Random random = new Random();
        for (int i = 0; i < count; i++) {
            ports.put("node-" + (i + 1), new Listens(Ports.free(random), Ports.free(random), Ports.free(random)));
        }
        for (String node : ports.keySet()) {
            ChildProcess init =
                    JavaProcess.start(children, "init-" + node, ChildMain.class, arguments("cluster init", node));
            init.awaitLine("Made member ", LIMIT);
            init.awaitExit(LIMIT);
        }
        ports.keySet().forEach(this::start);
    }

    private List<String> arguments(String command, String node) {
        List<String> arguments = new ArrayList<>(List.of(command.split(" ")));
        settings(node).forEach((key, value) -> arguments.addAll(List.of(flag(key), value)));
        return arguments;
    }

    private static String flag(String key) {
        return "--" + key.replaceAll("([A-Z])", "-$1").replace('.', '-').toLowerCase(Locale.ROOT);
    }

    private Listens ports(String node) {
        return Objects.requireNonNull(ports.get(node), node);
    }

    private Map<String, String> settings(String node) {
        Map<String, String> settings = new TreeMap<>(more);
        settings.put("data.directory", directory.resolve(node).toString());
        settings.put("grpc.port", Integer.toString(ports(node).grpc()));
        settings.put("http.port", Integer.toString(ports(node).http()));
        settings.put("cluster.id", CLUSTER);
        settings.put("cluster.node", node);
        settings.put("cluster.nodes", all(each -> each.raft()));
        settings.put("cluster.endpoints", all(each -> each.grpc()));
        return settings;
    }

    private String all(ToIntFunction<Listens> port) {
        return ports.entrySet().stream()
                .map(entry -> entry.getKey() + "=" + LOOPBACK + port.applyAsInt(entry.getValue()))
                .collect(Collectors.joining(","));
    }

    @Override
    public List<String> endpoints() {
        return ports.values().stream().map(each -> LOOPBACK + each.grpc()).toList();
    }

    /** Starts one that does not run, without waiting. */
    public void start(String node) {
        List<String> arguments = parkable
                ? settings(node).entrySet().stream()
                        .map(entry -> entry.getKey() + "=" + entry.getValue())
                        .toList()
                : arguments("coordinator", node);
        Class<?> main = parkable ? CoordinatorChild.class : ChildMain.class;
        ChildProcess child = JavaProcess.start(children, node, main, arguments);
        child.onLine(line -> {
            if (line.startsWith("READY ")) {
                epochs.put(node, Long.parseLong(line.replaceAll(".* epoch=([0-9]+) .*", "$1")));
            }
        });
        processes.put(node, child);
    }

    /** Waits until somebody leads an epoch above this one, and returns who. */
    public String awaitLeaderAbove(long epoch) throws InterruptedException {
        long deadline = System.nanoTime() + LIMIT.toNanos();
        while (true) {
            for (Map.Entry<String, Long> each : epochs.entrySet()) {
                if (each.getValue() > epoch && process(each.getKey()).isAlive()) {
                    return each.getKey();
                }
            }
            pause(deadline, "nobody leads");
        }
    }

    /** The highest epoch that anybody has begun to lead. */
    public long highestEpoch() {
        return epochs.values().stream().mapToLong(Long::longValue).max().orElse(0);
    }

    /** Waits until this member follows a leader that it knows. */
    public void awaitFollows(String node) throws InterruptedException {
        long deadline = System.nanoTime() + LIMIT.toNanos();
        while (!readiness(node).endsWith(" leads")) {
            pause(deadline, node + " follows nobody: " + readiness(node));
        }
    }

    private String readiness(String node) {
        try {
            return look(node).get("/readyz").body().strip();
        } catch (IOException e) {
            return e.toString();
        }
    }

    private HttpLook look(String node) {
        return new HttpLook(LOOPBACK + ports(node).http());
    }

    private static void pause(long deadline, String what) throws InterruptedException {
        if (System.nanoTime() - deadline > 0) {
            throw new IllegalStateException(what);
        }
        TimeUnit.MILLISECONDS.sleep(PAUSE_MILLIS);
    }

    /** The process of a member that runs or ran last. */
    public ChildProcess process(String node) {
        return Objects.requireNonNull(processes.get(node), node);
    }

    @Override
    public long forcedWrites() {
        // Each member forces each entry; the one that leads counts it.
        long forced = 0;
        for (String node : ports.keySet()) {
            try {
                forced += look(node).metric(ProductProcess.FORCES);
            } catch (IOException e) {
                throw new IllegalStateException(node + " does not answer", e);
            }
        }
        return forced;
    }

    @Override
    public Map<String, Long> processes() {
        Map<String, Long> pids = new TreeMap<>();
        processes.forEach((node, process) -> pids.put("coordinator-" + node, process.pid()));
        return pids;
    }

    /** SIGKILL. */
    public void kill(String node) {
        process(node).kill();
    }

    @Override
    public void close() {
        processes.values().forEach(ChildProcess::close);
    }
}
