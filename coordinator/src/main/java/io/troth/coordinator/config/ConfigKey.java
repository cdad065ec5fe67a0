package io.troth.coordinator.config;

import io.troth.core.BranchList;
import io.troth.core.ClusterId;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Set;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;

/**
 * One key of the coordinator's configuration. The constants are the whole table; docs/CONFIGURATION.md is generated from
 * it. {@code log.stallLimit} in a file is {@code TROTH_LOG_STALL_LIMIT} in the environment and {@code --log-stall-limit}
 * on the command line.
 *
 * @param <T> the type of its values; durations are milliseconds, sizes bytes
 */
public final class ConfigKey<T> {

    private static final List<ConfigKey<?>> TABLE = new ArrayList<>();
    private static final Pattern HUMP = Pattern.compile("(?<=[a-z])(?=[A-Z])");

    public static final ConfigKey<Path> DATA_DIRECTORY = required(
            "data.directory",
            ValueForm.path(),
            "Where the decision log lies. Belongs to one coordinator. --dev: .troth/coordinator.");
    public static final ConfigKey<ClusterId> CLUSTER_ID = of(
            "cluster.id",
            ValueForm.clusterId(),
            "",
            "The cluster the log must belong to. Empty: whichever it belongs to; a new log then draws one.");

    public static final ConfigKey<String> CLUSTER_NODE = of(
            "cluster.node",
            ValueForm.node(),
            "",
            "The name of this member of a cluster. Empty: a single coordinator. Wants cluster.id and cluster.nodes, too.");
    public static final ConfigKey<Map<String, String>> CLUSTER_NODES = of(
            "cluster.nodes",
            ValueForm.nodes(),
            "",
            "Where all members listen for each other, this one included; the same on each.");
    public static final ConfigKey<Map<String, String>> CLUSTER_ENDPOINTS = of(
            "cluster.endpoints",
            ValueForm.nodes(),
            "",
            "Where clients and agents reach each member, in the words of their own configuration; the same on each. A"
                    + " member that does not lead sends them to the leader's. Empty: they try the members in turn.");
    public static final ConfigKey<Path> CLUSTER_TLS_CERTIFICATE = of(
            "cluster.tls.certificate",
            ValueForm.path(),
            "",
            "PEM file of the chain that this member shows the others; it has the URI troth://CLUSTER.ID/NODE as a subject"
                    + " alternative name. Empty: members speak plaintext.");
    public static final ConfigKey<Path> CLUSTER_TLS_KEY =
            of("cluster.tls.key", ValueForm.path(), "", "PEM file of its private key (PKCS#8).");
    public static final ConfigKey<Path> CLUSTER_TLS_AUTHORITIES = of(
            "cluster.tls.authorities",
            ValueForm.path(),
            "",
            "PEM file of the authorities that sign the members' certificates.");
    public static final ConfigKey<Long> CLUSTER_ELECTION_TIMEOUT = of(
            "cluster.electionTimeout",
            ValueForm.duration("100ms", "1m"),
            "500ms",
            "A member that has not heard of its leader for this time, and up to twice of it, wants to lead.");

    public static final ConfigKey<String> GRPC_ADDRESS =
            of("grpc.address", ValueForm.host(), "127.0.0.1", "Where clients and agents connect to.");
    public static final ConfigKey<Integer> GRPC_PORT =
            of("grpc.port", ValueForm.port(), "7700", "The port for clients and agents.");
    public static final ConfigKey<String> HTTP_ADDRESS =
            of("http.address", ValueForm.host(), "127.0.0.1", "Where /metrics, /livez and /readyz are served.");
    public static final ConfigKey<Integer> HTTP_PORT =
            of("http.port", ValueForm.port(), "8700", "The port of /metrics, /livez and /readyz.");
    public static final ConfigKey<Boolean> INSECURE = of(
            "insecure",
            ValueForm.flag(),
            "false",
            "Allow plaintext on addresses other than loopback. Everyone there can read and decide.");

    public static final ConfigKey<Path> TLS_CERTIFICATE = of(
            "tls.certificate",
            ValueForm.path(),
            "",
            "PEM file of the server's certificate chain. Empty: gRPC is plaintext.");
    public static final ConfigKey<Path> TLS_KEY =
            of("tls.key", ValueForm.path(), "", "PEM file of the private key (PKCS#8).");
    public static final ConfigKey<String> TLS_KEY_PASSWORD =
            secret("tls.keyPassword", ValueForm.text(), "The password of the private key, when it has one.");
    public static final ConfigKey<Path> TLS_AUTHORITIES = of(
            "tls.authorities",
            ValueForm.path(),
            "",
            "PEM file of the authorities whose certificates clients and agents must show. Empty: they need none.");

    public static final ConfigKey<Long> GRPC_ENTRY_MAX = of(
            "grpc.entryMax",
            // Less would cut the stream of a client with a commit of many branches, again and again.
            ValueForm.size("64KiB", "1MiB"),
            "64KiB",
            "The largest entry of a stream, and the largest unary request.");
    public static final ConfigKey<Long> GRPC_BATCH_MAX =
            of("grpc.batchMax", ValueForm.size("64KiB", "64MiB"), "4MiB", "The largest batch of entries.");
    public static final ConfigKey<Long> GRPC_METADATA_MAX =
            of("grpc.metadataMax", ValueForm.size("8KiB", "1MiB"), "64KiB", "The most header bytes of a call.");
    public static final ConfigKey<Long> GRPC_HANDSHAKE_TIMEOUT = of(
            "grpc.handshakeTimeout",
            ValueForm.duration("100ms", "1m"),
            "5s",
            "How long a new connection may take to say hello.");
    public static final ConfigKey<Long> GRPC_KEEP_ALIVE = of(
            "grpc.keepAlive",
            ValueForm.duration("1s", "1h"),
            "10s",
            "A connection silent for so long is asked whether it lives.");
    public static final ConfigKey<Long> GRPC_KEEP_ALIVE_TIMEOUT = of(
            "grpc.keepAliveTimeout",
            ValueForm.duration("100ms", "10m"),
            "5s",
            "How long it may take to answer that before it is cut.");

    public static final ConfigKey<Integer> GRPC_IO_THREADS = of(
            "grpc.ioThreads",
            ValueForm.count(1, 64),
            "1",
            "Event loops; each stream stays on one of them, and the first runs the engine, too."
                    + " More than one: where hundreds of TLS connections come at once, since the engine would wait for"
                    + " their handshakes.");
    public static final ConfigKey<Integer> GRPC_ENTRIES_PER_BATCH_MAX =
            of("grpc.entriesPerBatchMax", ValueForm.count(1, 65_536), "4096", "The most entries of one batch.");
    public static final ConfigKey<Integer> GRPC_CLIENT_STREAMS_MAX =
            of("grpc.clientStreamsMax", ValueForm.count(1, 1_000_000), "10000", "Connected client processes.");
    public static final ConfigKey<Integer> GRPC_FACADE_TRANSACTIONS_MAX = of(
            "grpc.facadeTransactionsMax",
            ValueForm.count(1, 1_000_000),
            "5000",
            "Open transactions of the unary facade; each has a session of its own.");
    public static final ConfigKey<Integer> GRPC_UNSENT_ENTRIES_MAX = of(
            "grpc.unsentEntriesMax",
            ValueForm.count(100, 10_000_000),
            "100000",
            "What may wait for one peer that does not read; with more its stream is cut.");
    public static final ConfigKey<Long> GRPC_UNSTEPPED_MAX = of(
            "grpc.unsteppedMax",
            ValueForm.size("64KiB", "64MiB"),
            "1MiB",
            "What one stream may have handed over and not yet worked off; above it nothing more is read from it.");

    public static final ConfigKey<Integer> TRANSACTIONS_OPEN_MAX =
            of("transactions.openMax", ValueForm.count(1, 10_000_000), "100000", "Open transactions in total.");
    public static final ConfigKey<Integer> TRANSACTIONS_OPEN_PER_SESSION_MAX = of(
            "transactions.openPerSessionMax",
            ValueForm.count(1, 10_000),
            "10000",
            "Open transactions of one client session.");
    public static final ConfigKey<Integer> TRANSACTIONS_BRANCHES_MAX = of(
            "transactions.branchesMax",
            ValueForm.count(1, BranchList.BRANCHES_MAX),
            "64",
            "Branches of one transaction.");
    public static final ConfigKey<Long> TRANSACTIONS_TIMEOUT = of(
            "transactions.timeout",
            ValueForm.duration("1ms", "24h"),
            "1m",
            "The timeout of a transaction of the unary facade that does not say; client libraries always say.");
    public static final ConfigKey<Long> TRANSACTIONS_TIMEOUT_MAX = of(
            "transactions.timeoutMax",
            ValueForm.duration("1s", "24h"),
            "1h",
            "The longest time a transaction may ask for.");
    public static final ConfigKey<Long> TRANSACTIONS_COMPLETION_LIMIT = of(
            "transactions.completionLimit",
            ValueForm.duration("1ms", "1h"),
            "1s",
            "How long a client waits for phase 2 before it hears committed, completing.");
    public static final ConfigKey<Long> TRANSACTIONS_PHASE_TWO_RETRY = of(
            "transactions.phaseTwoRetry",
            ValueForm.duration("10ms", "1h"),
            "1s",
            "After so long without an answer, commit is sent to a branch again.");
    public static final ConfigKey<Long> TRANSACTIONS_INSTANCE_GONE = of(
            "transactions.instanceGone",
            ValueForm.duration("100ms", "1h"),
            "10s",
            "An agent instance without a stream for so long is gone; its lost one-phase branches are asked for elsewhere.");
    public static final ConfigKey<Long> TRANSACTIONS_FATE_RETRY = of(
            "transactions.fateRetry",
            ValueForm.duration("10ms", "1h"),
            "1s",
            "How often a database is asked for the fate of a lost one-phase branch.");
    public static final ConfigKey<Long> TRANSACTIONS_OUTCOME_RETENTION = of(
            "transactions.outcomeRetention",
            ValueForm.duration("1s", "3650d"),
            "24h",
            "How long the outcome of a committed transaction is kept after its end.");

    public static final ConfigKey<Integer> SESSIONS_MAX = of(
            "sessions.max",
            ValueForm.count(1, 1_000_000),
            "10000",
            "Open client sessions in total. No client opens another one when it has more than are left for all others.");
    public static final ConfigKey<Long> SESSIONS_GRACE = of(
            "sessions.grace",
            ValueForm.duration("1ms", "10m"),
            "5s",
            "How long a client whose connection broke may take to come back for its session.");
    public static final ConfigKey<Long> SESSIONS_AGE_MAX = of(
            "sessions.ageMax",
            ValueForm.duration("1s", "24h"),
            "1h",
            "A session older than this takes no new transaction.");
    public static final ConfigKey<Integer> AGENTS_MAX =
            of("agents.max", ValueForm.count(1, 100_000), "1000", "Connected agent instances.");

    public static final ConfigKey<Long> AGENTS_HELLO_TIMEOUT = of(
            "agents.helloTimeout",
            ValueForm.duration("100ms", "10m"),
            "10s",
            "How long an agent that has connected may take to say who it is.");

    public static final ConfigKey<Set<String>> RESOURCES_ON_HOLD = of(
            "resources.onHold",
            ValueForm.resources(),
            "",
            "Resources on hold from the start of each leadership on, as by troth admin hold, which ends with the"
                    + " leadership.");
    public static final ConfigKey<Integer> LOG_RECORDS_PER_BATCH_MAX = of(
            "log.recordsPerBatchMax",
            ValueForm.count(1, 65_536),
            "1024",
            "The most records that share one write and flush.");
    public static final ConfigKey<Long> LOG_LAZY_IDLE = of(
            "log.lazyIdle",
            ValueForm.duration("1ms", "1h"),
            "1s",
            "A record that need not be forced and finds no forced one to go with is written after this time.");
    public static final ConfigKey<Long> LOG_STALL_LIMIT = of(
            "log.stallLimit",
            ValueForm.duration("10ms", "1h"),
            "10s",
            "A write that takes longer makes the coordinator not ready until it returns.");
    public static final ConfigKey<Long> LOG_FREE_FLOOR = of(
            "log.freeFloor",
            ValueForm.size("0B", "1024GiB"),
            "256MiB",
            "With less free disk space than this, new transactions are refused so that running ones can end.");
    public static final ConfigKey<Long> SHUTDOWN_DRAIN_LIMIT = of(
            "shutdown.drainLimit",
            ValueForm.duration("0ms", "1h"),
            "30s",
            "After SIGTERM, how long running transactions may take to end.");

    private final String keyName;
    private final ValueForm<T> form;
    private final @Nullable String defaultText;
    private final boolean secret;
    private final String documentation;

    private ConfigKey(
            String keyName, ValueForm<T> form, @Nullable String defaultText, boolean secret, String documentation) {
        this.keyName = keyName;
        this.form = form;
        this.defaultText = defaultText;
        this.secret = secret;
        this.documentation = documentation;
        TABLE.add(this);
    }

    private static <T> ConfigKey<T> of(String name, ValueForm<T> form, String defaultText, String documentation) {
        return new ConfigKey<>(name, form, defaultText, false, documentation);
    }

    private static <T> ConfigKey<T> required(String name, ValueForm<T> form, String documentation) {
        return new ConfigKey<>(name, form, null, false, documentation);
    }

    private static <T> ConfigKey<T> secret(String name, ValueForm<T> form, String documentation) {
        return new ConfigKey<>(name, form, "", true, documentation);
    }

    /** Every key, in the order in which people read them. */
    public static List<ConfigKey<?>> all() {
        return Collections.unmodifiableList(TABLE);
    }

    /** The name in a file, such as {@code log.stallLimit}. */
    public String keyName() {
        return keyName;
    }

    /** The name in the environment, such as {@code TROTH_LOG_STALL_LIMIT}. */
    public String variable() {
        return "TROTH_" + words('_').toUpperCase(Locale.ROOT);
    }

    /** The name on the command line, such as {@code --log-stall-limit}. */
    public String option() {
        return "--" + words('-');
    }

    private String words(char separator) {
        String humps = HUMP.matcher(keyName).replaceAll(String.valueOf(separator));
        return humps.replace('.', separator).toLowerCase(Locale.ROOT);
    }

    /** Null when there is none: the key must be set. Empty: no value. */
    public @Nullable String defaultText() {
        return defaultText;
    }

    /** Whether the value is a secret, and never printed. */
    public boolean isSecret() {
        return secret;
    }

    /** Whether it can be left without a value. */
    boolean mayBeEmpty() {
        return "".equals(defaultText);
    }

    /** What is allowed, to complete a sentence. */
    public String allowed() {
        return form.allowed() + (mayBeEmpty() ? ", or empty" : "");
    }

    /** One line for people. */
    public String documentation() {
        return documentation;
    }

    T parse(String text) {
        return form.parse(text);
    }

    @Override
    public String toString() {
        return keyName;
    }
}
