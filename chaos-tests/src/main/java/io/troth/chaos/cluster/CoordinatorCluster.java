package io.troth.chaos.cluster;

import io.troth.chaos.process.ChildProcess;
import io.troth.chaos.process.Ports;
import io.troth.chaos.proxy.Direction;
import io.troth.chaos.proxy.TcpProxy;
import io.troth.coordinator.config.ConfigKey;
import io.troth.coordinator.config.ConfigLoader;
import io.troth.coordinator.log.LogObserver;
import io.troth.coordinator.log.raft.RaftMember;
import io.troth.coordinator.server.ProcessEnvironment;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.net.HttpURLConnection;
import java.net.URI;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Random;
import java.util.TreeMap;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.TimeUnit;
import java.util.function.BooleanSupplier;
import java.util.function.Function;
import java.util.regex.Pattern;
import java.util.stream.Collectors;

/**
 * The members of a cluster on this machine, each a process that can be killed, stopped and started again on its data and
 * ports; where it is asked for, members reach each other through proxies, one for each of them and each other one, so that
 * one can be cut off. Not thread-safe, except where a method says so.
 */
public final class CoordinatorCluster implements AutoCloseable {

    /** A member that leads an epoch. */
    public record Lead(String node, long epoch) {}

    /** Starts the process of a member. */
    @FunctionalInterface
    public interface Starter {
        /** Starts it without waiting; the settings are its whole configuration, by key. */
        ChildProcess start(String node, Map<String, String> settings);
    }

    private static final String CLUSTER = "00000000000faded";
    private static final String LOOPBACK = "127.0.0.1:";
    private static final Duration LIMIT = Duration.ofSeconds(90);
    private static final long POLL_MILLIS = 10;
    private static final int HTTP_MILLIS = 5_000;
    private static final int HTTP_REFUSED = 400;

    private static final Pattern NOT_LEADING = Pattern.compile("503 NOT_LEADER.*");
    private static final Pattern FOLLOWS = Pattern.compile("503 NOT_LEADER.* leads, at .*");

    private record Listens(int grpc, int http, int raft) {}

    private record Way(String from, String to) {}

    private final Path directory;
    private final Map<String, String> more;
    private final Map<String, Listens> ports = new TreeMap<>();
    /** By which way a member reaches another one; empty when it does so directly. */
    private final Map<Way, TcpProxy> proxies = new HashMap<>();

    private final Map<String, TrothProcess> processes = new TreeMap<>();
    /** The highest epoch that each has said it leads. */
    private final Map<String, Long> led = new ConcurrentHashMap<>();

    /**
     * Makes the members, and starts all of them without waiting.
     *
     * @param directory below which each has its data
     * @param more settings that are not the defaults, by key
     * @param proxied whether members can be cut off
     */
    public CoordinatorCluster(
            Path directory, List<String> nodes, Map<String, String> more, boolean proxied, Starter starter) {
        this.directory = directory;
        this.more = Map.copyOf(more);
        Random random = new Random();
        nodes.forEach(node -> ports.put(node, new Listens(Ports.free(random), Ports.free(random), Ports.free(random))));
        if (proxied) {
            for (String from : nodes) {
                others(from)
                        .forEach(to -> proxies.put(
                                new Way(from, to), TcpProxy.toPort(listens(to).raft())));
            }
        }
        for (String node : nodes) {
            make(node);
            Map<String, String> settings = settings(node);
            processes.put(node, new TrothProcess(node, () -> starter.start(node, settings)));
            hear(node);
        }
    }

    private void make(String node) {
        Map<ConfigKey<?>, String> flags = new HashMap<>();
        Map<String, String> settings = settings(node);
        for (ConfigKey<?> key : ConfigKey.all()) {
            String text = settings.get(key.keyName());
            if (text != null) {
                flags.put(key, text);
            }
        }
        try {
            RaftMember.create(
                    Objects.requireNonNull(
                            new ConfigLoader().flags(flags).load().member()),
                    ProcessEnvironment.log(LogObserver.NONE));
        } catch (IOException e) {
            throw new UncheckedIOException("cannot make the member " + node, e);
        }
    }

    private Listens listens(String node) {
        return Objects.requireNonNull(ports.get(node), node);
    }

    private Map<String, String> settings(String node) {
        Map<String, String> settings = new TreeMap<>(more);
        settings.put(ConfigKey.DATA_DIRECTORY.keyName(), data(node).toString());
        settings.put(
                ConfigKey.GRPC_PORT.keyName(), Integer.toString(listens(node).grpc()));
        settings.put(
                ConfigKey.HTTP_PORT.keyName(), Integer.toString(listens(node).http()));
        settings.put(ConfigKey.CLUSTER_ID.keyName(), CLUSTER);
        settings.put(ConfigKey.CLUSTER_NODE.keyName(), node);
        settings.put(ConfigKey.CLUSTER_NODES.keyName(), all(to -> raftPort(node, to)));
        settings.put(
                ConfigKey.CLUSTER_ENDPOINTS.keyName(), all(to -> listens(to).grpc()));
        return settings;
    }

    /** Where a member finds another one, or listens itself. Raft stays with the address that its own file says. */
    private int raftPort(String from, String to) {
        TcpProxy proxy = proxies.get(new Way(from, to));
        return proxy == null ? listens(to).raft() : proxy.port();
    }

    private String all(Function<String, Integer> port) {
        return ports.keySet().stream()
                .map(node -> node + "=" + LOOPBACK + port.apply(node))
                .collect(Collectors.joining(","));
    }

    private void hear(String node) {
        process(node).child().onLine(line -> {
            if (line.startsWith(TrothProcess.READY + " ")) {
                led.merge(node, Long.parseLong(line.replaceAll(".* epoch=([0-9]+) .*", "$1")), Math::max);
            }
        });
    }

    /** Where clients and agents find the members, each {@code host:port}. */
    public List<String> endpoints() {
        return ports.values().stream().map(each -> LOOPBACK + each.grpc()).toList();
    }

    /** Where a member serves HTTP, as {@code host:port}. */
    public String http(String node) {
        return LOOPBACK + listens(node).http();
    }

    /** The names of all members. */
    public List<String> nodes() {
        return List.copyOf(ports.keySet());
    }

    /** All but this one. */
    public List<String> others(String node) {
        return ports.keySet().stream().filter(each -> !each.equals(node)).toList();
    }

    /** The data directory of a member. */
    public Path data(String node) {
        return directory.resolve(node);
    }

    /** The process of a member, which runs or ran last. */
    public TrothProcess process(String node) {
        return Objects.requireNonNull(processes.get(node), node);
    }

    /** Starts a member again that does not run, and does not wait. */
    public void restart(String node) {
        process(node).restart();
        hear(node);
    }

    /** Cuts a member off from the others: what is said waits and comes later, as in a network that loses packets. */
    public void cutOff(String node) {
        set(node, TcpProxy.Mode.HOLD);
    }

    /** Ends {@link #cutOff}. */
    public void heal(String node) {
        set(node, TcpProxy.Mode.PASS);
    }

    private void set(String node, TcpProxy.Mode mode) {
        if (proxies.isEmpty()) {
            throw new IllegalStateException("the members are not proxied");
        }
        proxies.forEach((way, proxy) -> {
            if (way.from().equals(node) || way.to().equals(node)) {
                for (Direction direction : Direction.values()) {
                    proxy.set(direction, mode);
                }
            }
        });
    }

    /** Who leads, as far as anybody has said so; epoch 0 when nobody has. Thread-safe. */
    public Lead lead() {
        return led.entrySet().stream()
                .max(Map.Entry.comparingByValue())
                .map(each -> new Lead(each.getKey(), each.getValue()))
                .orElse(new Lead("", 0));
    }

    /** Waits until somebody leads a later epoch. */
    public Lead awaitLeadAbove(long epoch) {
        await("nobody leads after epoch " + epoch, () -> lead().epoch() > epoch);
        return lead();
    }

    /**
     * What a member says at {@code /readyz}: the status and the text.
     *
     * @throws IOException when it does not answer
     */
    public String readyz(String node) throws IOException {
        return get(node, "/readyz");
    }

    /** Waits until a member says that another one leads, and which. */
    public void awaitFollows(String node) {
        await(node + " follows nobody", () -> says(node, FOLLOWS));
    }

    /** Waits until a member says that another one leads, or nobody. */
    public void awaitNotLeading(String node) {
        await(node + " still leads", () -> says(node, NOT_LEADING));
    }

    private boolean says(String node, Pattern what) {
        try {
            return what.matcher(readyz(node)).matches();
        } catch (IOException e) {
            return false;
        }
    }

    /**
     * The sum of all series of a member's metric.
     *
     * @throws IOException when it does not answer
     */
    public long metric(String node, String name) throws IOException {
        return get(node, "/metrics")
                .lines()
                .filter(line -> line.startsWith(name + " ") || line.startsWith(name + "{"))
                .mapToLong(line -> (long) Double.parseDouble(line.substring(line.lastIndexOf(' ') + 1)))
                .sum();
    }

    private String get(String node, String path) throws IOException {
        HttpURLConnection connection = (HttpURLConnection)
                URI.create("http://" + http(node) + path).toURL().openConnection();
        connection.setConnectTimeout(HTTP_MILLIS);
        connection.setReadTimeout(HTTP_MILLIS);
        int status = connection.getResponseCode();
        try (var in = status < HTTP_REFUSED ? connection.getInputStream() : connection.getErrorStream()) {
            return status + " " + new String(in.readAllBytes(), StandardCharsets.UTF_8).strip();
        }
    }

    private static void await(String otherwise, BooleanSupplier condition) {
        long deadline = System.nanoTime() + LIMIT.toNanos();
        while (!condition.getAsBoolean()) {
            if (System.nanoTime() - deadline > 0) {
                throw new IllegalStateException(otherwise);
            }
            try {
                TimeUnit.MILLISECONDS.sleep(POLL_MILLIS);
            } catch (InterruptedException e) {
                Thread.currentThread().interrupt();
                throw new IllegalStateException("interrupted while waiting", e);
            }
        }
    }

    /** Kills all of them; one that stands still, too. */
    @Override
    public void close() {
        new ArrayList<>(processes.values()).forEach(TrothProcess::close);
        proxies.values().forEach(TcpProxy::close);
    }
}
