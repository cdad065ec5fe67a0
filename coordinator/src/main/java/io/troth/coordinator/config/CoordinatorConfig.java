package io.troth.coordinator.config;

import io.troth.coordinator.log.LogSettings;
import io.troth.coordinator.log.raft.RaftSettings;
import io.troth.core.ClusterId;
import io.troth.core.coordinator.CoordinatorLimits;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/** What one coordinator runs with: every key has a valid value. Immutable. */
public final class CoordinatorConfig {

    private static final String MASK = "********";

    private static final List<ConfigKey<Path>> MEMBER_FILES =
            List.of(ConfigKey.CLUSTER_TLS_CERTIFICATE, ConfigKey.CLUSTER_TLS_KEY, ConfigKey.CLUSTER_TLS_AUTHORITIES);

    /** A value as it was written, and where. */
    record Setting(String text, String origin) {}

    private final Map<ConfigKey<?>, Setting> settings;
    private final Map<ConfigKey<?>, Object> values;

    CoordinatorConfig(Map<ConfigKey<?>, Setting> settings, Map<ConfigKey<?>, Object> values) {
        this.settings = Map.copyOf(settings);
        this.values = Map.copyOf(values);
    }

    /** The defaults with {@code --dev}: loopback, and data below the current directory. */
    public static Map<ConfigKey<?>, String> devDefaults() {
        return Map.of(ConfigKey.DATA_DIRECTORY, Path.of(".troth", "coordinator").toString());
    }

    /** The defaults on a data directory, with loopback and any free ports: for tests and for programs that embed it. */
    public static CoordinatorConfig onFreePorts(Path dataDirectory, Map<ConfigKey<?>, String> others) {
        Map<ConfigKey<?>, String> texts = new HashMap<>(others);
        texts.put(ConfigKey.DATA_DIRECTORY, dataDirectory.toString());
        texts.putIfAbsent(ConfigKey.GRPC_PORT, "0");
        texts.putIfAbsent(ConfigKey.HTTP_PORT, "0");
        return new ConfigLoader().flags(texts).load();
    }

    /**
     * The value of a key.
     *
     * @throws IllegalStateException when the key was left empty: ask {@link #find} for those that may be
     */
    public <T> T get(ConfigKey<T> key) {
        T value = find(key);
        if (value == null) {
            throw new IllegalStateException(key + " has no value");
        }
        return value;
    }

    /** The value of a key, null when it was left empty. */
    @SuppressWarnings("unchecked") // The loader stored what this key's own parser gave.
    public <T> @Nullable T find(ConfigKey<T> key) {
        return (T) values.get(key);
    }

    /** The core's limits. */
    public CoordinatorLimits limits() {
        return new CoordinatorLimits(
                get(ConfigKey.TRANSACTIONS_OPEN_MAX),
                get(ConfigKey.TRANSACTIONS_OPEN_PER_SESSION_MAX),
                // No key: clients keep to the protocol's window, whatever is set here.
                CoordinatorLimits.DEFAULTS.sequenceWindowMax(),
                get(ConfigKey.TRANSACTIONS_BRANCHES_MAX),
                get(ConfigKey.SESSIONS_MAX),
                get(ConfigKey.AGENTS_MAX),
                get(ConfigKey.TRANSACTIONS_TIMEOUT_MAX),
                get(ConfigKey.TRANSACTIONS_COMPLETION_LIMIT),
                get(ConfigKey.TRANSACTIONS_PHASE_TWO_RETRY),
                get(ConfigKey.TRANSACTIONS_INSTANCE_GONE),
                get(ConfigKey.TRANSACTIONS_FATE_RETRY),
                get(ConfigKey.SESSIONS_GRACE),
                get(ConfigKey.SESSIONS_AGE_MAX),
                get(ConfigKey.TRANSACTIONS_OUTCOME_RETENTION));
    }

    /** The settings of the decision log. */
    public LogSettings log() {
        ClusterId cluster = find(ConfigKey.CLUSTER_ID);
        return new LogSettings(
                get(ConfigKey.DATA_DIRECTORY),
                cluster,
                get(ConfigKey.LOG_RECORDS_PER_BATCH_MAX),
                get(ConfigKey.LOG_LAZY_IDLE),
                get(ConfigKey.LOG_STALL_LIMIT),
                get(ConfigKey.LOG_FREE_FLOOR));
    }

    /** The settings of this member of a cluster; null for a single coordinator. */
    public @Nullable RaftSettings member() {
        String node = find(ConfigKey.CLUSTER_NODE);
        Map<String, String> nodes = find(ConfigKey.CLUSTER_NODES);
        if (node == null || nodes == null) {
            return null;
        }
        Map<String, String> endpoints = find(ConfigKey.CLUSTER_ENDPOINTS);
        return RaftSettings.defaults(
                log(),
                node,
                nodes,
                endpoints == null ? Map.of() : endpoints,
                memberTls(),
                Math.toIntExact(get(ConfigKey.CLUSTER_ELECTION_TIMEOUT)));
    }

    /** The check has seen to it that they come together. */
    private RaftSettings.@Nullable Tls memberTls() {
        Path certificate = find(ConfigKey.CLUSTER_TLS_CERTIFICATE);
        Path key = find(ConfigKey.CLUSTER_TLS_KEY);
        Path authorities = find(ConfigKey.CLUSTER_TLS_AUTHORITIES);
        return certificate == null || key == null || authorities == null
                ? null
                : new RaftSettings.Tls(certificate, key, authorities);
    }

    /** Whether gRPC speaks TLS. */
    public boolean isEncrypted() {
        return find(ConfigKey.TLS_CERTIFICATE) != null;
    }

    /** Every key with its value and where it comes from, as lines that are a configuration file; secrets are masked. */
    public List<String> lines() {
        List<String> lines = new ArrayList<>();
        for (ConfigKey<?> key : ConfigKey.all()) {
            Setting setting = settings.get(key);
            if (setting != null) {
                String text = key.isSecret() && !setting.text().isEmpty() ? MASK : setting.text();
                lines.add(
                        key + " = \"" + text.replace("\\", "\\\\").replace("\"", "\\\"") + "\"  # " + setting.origin());
            }
        }
        return lines;
    }

    /** What is valid by itself and wrong together. */
    List<String> contradictions() {
        List<String> problems = new ArrayList<>();
        if ((find(ConfigKey.TLS_CERTIFICATE) == null) != (find(ConfigKey.TLS_KEY) == null)) {
            problems.add("tls.certificate and tls.key belong together: set both or none");
        }
        if (find(ConfigKey.TLS_AUTHORITIES) != null && !isEncrypted()) {
            problems.add("tls.authorities is set, but gRPC is plaintext: set tls.certificate and tls.key, too");
        }
        long memberFiles =
                MEMBER_FILES.stream().filter(key -> find(key) != null).count();
        if (memberFiles != 0 && memberFiles != MEMBER_FILES.size()) {
            problems.add(
                    "cluster.tls.certificate, cluster.tls.key and cluster.tls.authorities belong together: set all or"
                            + " none");
        }
        List<ConfigKey<Path>> files = new ArrayList<>(MEMBER_FILES);
        files.addAll(List.of(ConfigKey.TLS_CERTIFICATE, ConfigKey.TLS_KEY, ConfigKey.TLS_AUTHORITIES));
        for (ConfigKey<Path> key : files) {
            Path file = find(key);
            if (file != null && !Files.isReadable(file)) {
                problems.add(key + " is \"" + file + "\": there is no such file, or it cannot be read");
            }
        }
        if (get(ConfigKey.GRPC_ENTRY_MAX) > get(ConfigKey.GRPC_BATCH_MAX)) {
            problems.add("grpc.entryMax is larger than grpc.batchMax: an entry travels in a batch");
        }
        if (get(ConfigKey.TRANSACTIONS_TIMEOUT) > get(ConfigKey.TRANSACTIONS_TIMEOUT_MAX)) {
            problems.add("transactions.timeout is longer than transactions.timeoutMax");
        }
        checkCluster(problems);
        checkPlaintext(ConfigKey.GRPC_ADDRESS, isEncrypted(), problems);
        checkPlaintext(ConfigKey.HTTP_ADDRESS, false, problems);
        return problems;
    }

    private void checkCluster(List<String> problems) {
        String node = find(ConfigKey.CLUSTER_NODE);
        Map<String, String> nodes = find(ConfigKey.CLUSTER_NODES);
        Map<String, String> endpoints = find(ConfigKey.CLUSTER_ENDPOINTS);
        if (node == null && nodes == null && endpoints == null) {
            return;
        }
        if (node == null || nodes == null || find(ConfigKey.CLUSTER_ID) == null) {
            problems.add(
                    "cluster.node, cluster.nodes and cluster.id belong together: set all of them, the id and the nodes"
                            + " alike on every member");
            return;
        }
        if (!nodes.containsKey(node)) {
            problems.add("cluster.node is " + node + ", which is not one of cluster.nodes: " + nodes.keySet());
        }
        if (endpoints != null && !endpoints.keySet().equals(nodes.keySet())) {
            problems.add("cluster.endpoints names " + endpoints.keySet() + ", cluster.nodes " + nodes.keySet()
                    + ": both name all members");
        }
        Map<String, String> nodesByAddress = new HashMap<>();
        nodes.forEach((name, address) -> {
            String before = nodesByAddress.putIfAbsent(address, name);
            if (before != null) {
                problems.add("cluster.nodes has " + address + " twice, for " + before + " and for " + name
                        + ": each member listens on an address of its own");
            }
        });
        for (String address : nodes.values()) {
            boolean open = memberTls() == null && !get(ConfigKey.INSECURE);
            if (open && !isLoopback(address.substring(0, address.lastIndexOf(':')))) {
                problems.add(
                        "cluster.nodes has " + address + ", which is not loopback, and members speak plaintext with"
                                + " each other. Set cluster.tls.certificate, key and authorities, or allow it with --insecure"
                                + " in a network of their own.");
            }
        }
    }

    private void checkPlaintext(ConfigKey<String> key, boolean encrypted, List<String> problems) {
        String address = get(key);
        if (!encrypted && !get(ConfigKey.INSECURE) && !isLoopback(address)) {
            String instead = key.equals(ConfigKey.GRPC_ADDRESS)
                    ? "Set tls.certificate and tls.key, or"
                    : "Put a proxy with TLS before it, or";
            problems.add(key + " is " + address + ", which is not loopback, and it is plaintext. " + instead
                    + " allow it with --insecure.");
        }
    }

    /** True for names and addresses that never leave this machine; no name is looked up. */
    private static boolean isLoopback(String address) {
        return address.equals("localhost") || address.matches("127\\.[0-9.]+") || address.equals("::1");
    }
}
