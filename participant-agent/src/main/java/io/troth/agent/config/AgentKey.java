package io.troth.agent.config;

import io.troth.client.grpc.Endpoint;
import io.troth.core.ClusterId;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;

/**
 * One key of the agent's configuration. The constants are the whole table; docs/CONFIGURATION.md is generated from it.
 * {@code agent.http.port} in a file is {@code TROTH_AGENT_HTTP_PORT} in the environment and {@code --http-port} on the
 * command line. The keys of a resource stand below {@code agent.resources.NAME}; in the environment the name is in
 * capitals, with {@code _} for every other character.
 *
 * @param <T> the type of its values
 */
public final class AgentKey<T> {

    /** What every name in a file begins with. */
    static final String BLOCK = "agent.";

    private static final Duration HOUR = Duration.ofHours(1);
    private static final Duration MILLI = Duration.ofMillis(1);

    private static final List<AgentKey<?>> TABLE = new ArrayList<>();
    private static final List<AgentKey<?>> RESOURCE_TABLE = new ArrayList<>();
    private static final Pattern HUMP = Pattern.compile("(?<=[a-z])(?=[A-Z])");

    public static final AgentKey<List<Endpoint>> COORDINATORS =
            of("coordinators", ValueForm.endpoints(), "localhost:7700", "Where the coordinator may be; tried in turn.");
    public static final AgentKey<Duration> CONNECT_TIMEOUT = of(
            "connectTimeout",
            ValueForm.duration(Duration.ZERO, HOUR),
            "10s",
            "How long a call waits when the agent has no connection to the leader of its transaction.");
    public static final AgentKey<ClusterId> CLUSTER_ID = of(
            "cluster.id",
            ValueForm.clusterId(),
            "",
            "The cluster the agent belongs to. Empty: the one of the first coordinator it reaches.");
    public static final AgentKey<Boolean> INSECURE = of(
            "insecure",
            ValueForm.flag(),
            "false",
            "Allow plaintext to and on addresses other than loopback. Everyone there can read and decide.");
    public static final AgentKey<Path> TLS_AUTHORITIES = of(
            "tls.authorities",
            ValueForm.path(),
            "",
            "PEM file of the authorities the agent trusts. Empty: the coordinator is spoken to in plaintext.");
    public static final AgentKey<Path> TLS_CERTIFICATE = of(
            "tls.certificate", ValueForm.path(), "", "PEM file of the certificate by which the agent proves itself.");
    public static final AgentKey<Path> TLS_KEY =
            of("tls.key", ValueForm.path(), "", "PEM file of the certificate's private key (PKCS#8).");

    public static final AgentKey<SqlSwitch> SQL_ENABLED = of(
            "sql.enabled",
            ValueForm.choice(
                    Map.of("auto", SqlSwitch.AUTO, "on", SqlSwitch.ON, "off", SqlSwitch.OFF), "auto, on or off"),
            "auto",
            "Whether the SQL gateway runs. auto: only on a loopback address.");
    public static final AgentKey<String> SQL_ADDRESS =
            of("sql.address", ValueForm.host(), "127.0.0.1", "Where the SQL gateway listens.");
    public static final AgentKey<Integer> SQL_PORT =
            of("sql.port", ValueForm.port(), "7710", "The port of the SQL gateway.");
    public static final AgentKey<Endpoint> SQL_ANNOUNCE = of(
            "sql.announce",
            ValueForm.endpoint(),
            "",
            "How clients reach the SQL gateway. Empty: at the address and port it listens on.");
    public static final AgentKey<Path> SQL_TLS_CERTIFICATE = of(
            "sql.tls.certificate",
            ValueForm.path(),
            "",
            "PEM file of the SQL gateway's certificate chain. Empty: it speaks plaintext.");
    public static final AgentKey<Path> SQL_TLS_KEY =
            of("sql.tls.key", ValueForm.path(), "", "PEM file of that certificate's private key (PKCS#8).");
    public static final AgentKey<Path> SQL_TLS_AUTHORITIES = of(
            "sql.tls.authorities",
            ValueForm.path(),
            "",
            "PEM file of the authorities whose certificates clients must show. Empty: they need none.");
    public static final AgentKey<Integer> SQL_CALLS_MAX = of(
            "sql.callsMax", ValueForm.count(1, 10_000), "256", "The most calls of the SQL gateway at the same time.");
    public static final AgentKey<Integer> SQL_SERVED_CALLS_MAX = of(
            "sql.servedCallsMax",
            ValueForm.count(1, 10_000_000),
            "200000",
            "The most calls of the SQL gateway that are remembered, each until its transaction's time is over, so that none"
                    + " is executed twice; beyond it calls are refused, and those of another epoch than the agent's beyond a"
                    + " tenth of it. 175 bytes each.");
    public static final AgentKey<String> HTTP_ADDRESS =
            of("http.address", ValueForm.host(), "127.0.0.1", "Where /metrics, /livez and /readyz are served.");
    public static final AgentKey<Integer> HTTP_PORT =
            of("http.port", ValueForm.port(), "8710", "The port of /metrics, /livez and /readyz.");

    public static final AgentKey<Duration> SCAN_INTERVAL = of(
            "scanInterval",
            ValueForm.duration(Duration.ofMillis(100), HOUR),
            "30s",
            "How often the databases' lists of prepared branches are read.");
    public static final AgentKey<Integer> KEPT_RESULTS_MAX = of(
            "keptResultsMax",
            ValueForm.count(1, 10_000_000),
            "1000000",
            "The most results of branches that committed alone, or were rolled back before they were prepared, which are"
                    + " kept for ten minutes in case the coordinator asks; beyond it new branches are refused. 115 bytes"
                    + " each.");
    public static final AgentKey<Duration> START_DATABASE_WAIT = of(
            "start.databaseWait",
            ValueForm.duration(Duration.ZERO, HOUR),
            "60s",
            "How long the start waits for a database that does not answer.");
    public static final AgentKey<Duration> SHUTDOWN_DRAIN_LIMIT = of(
            "shutdown.drainLimit",
            ValueForm.duration(Duration.ZERO, HOUR),
            "30s",
            "After SIGTERM, how long running transactions may take to end.");

    public static final AgentKey<String> URL = ofResource(
            "url", ValueForm.text(), null, false, "JDBC URL of the database, such as jdbc:postgresql://host/name.");
    public static final AgentKey<String> USER =
            ofResource("user", ValueForm.text(), "", false, "The role; one for all instances of the resource.");
    public static final AgentKey<String> PASSWORD = ofResource(
            "password", ValueForm.text(), "", true, "Its password. Not on the command line: others can read that.");
    public static final AgentKey<Path> PASSWORD_FILE = ofResource(
            "passwordFile", ValueForm.path(), "", false, "A file that holds the password, instead of the password.");
    public static final AgentKey<Integer> POOL_SIZE = ofResource(
            "poolSize", ValueForm.count(1, 10_000), "10", false, "How many branches may work at the same time.");
    public static final AgentKey<Duration> ANSWER_TIMEOUT = ofResource(
            "answerTimeout",
            ValueForm.duration(MILLI, HOUR),
            "30s",
            false,
            "How long prepare, commit and rollback wait for the database.");

    /** Whether the SQL gateway runs. */
    public enum SqlSwitch {
        /** Only on a loopback address. */
        AUTO,
        ON,
        OFF
    }

    private final String path;
    private final ValueForm<T> form;
    private final @Nullable String defaultText;
    private final boolean secret;
    private final String documentation;

    private AgentKey(
            String path, ValueForm<T> form, @Nullable String defaultText, boolean secret, String documentation) {
        this.path = path;
        this.form = form;
        this.defaultText = defaultText;
        this.secret = secret;
        this.documentation = documentation;
    }

    private static <T> AgentKey<T> of(String path, ValueForm<T> form, String defaultText, String documentation) {
        AgentKey<T> key = new AgentKey<>(path, form, defaultText, false, documentation);
        TABLE.add(key);
        return key;
    }

    private static <T> AgentKey<T> ofResource(
            String path, ValueForm<T> form, @Nullable String defaultText, boolean secret, String documentation) {
        AgentKey<T> key = new AgentKey<>(path, form, defaultText, secret, documentation);
        RESOURCE_TABLE.add(key);
        return key;
    }

    /** Every key of the process, in the order in which people read them. */
    public static List<AgentKey<?>> all() {
        return Collections.unmodifiableList(TABLE);
    }

    /** Every key of one resource. */
    public static List<AgentKey<?>> ofResources() {
        return Collections.unmodifiableList(RESOURCE_TABLE);
    }

    /** The name in the agent's block of a file, such as {@code http.port}. */
    public String path() {
        return path;
    }

    /** The name in a file, such as {@code agent.http.port}. */
    public String keyName() {
        return BLOCK + path;
    }

    /** The name in the environment, such as {@code TROTH_AGENT_HTTP_PORT}. */
    public String variable() {
        return "TROTH_AGENT_" + words();
    }

    /** The path in capitals, such as {@code HTTP_PORT}. */
    String words() {
        return HUMP.matcher(path).replaceAll("_").replace('.', '_').toUpperCase(Locale.ROOT);
    }

    /** The name on the command line, such as {@code --http-port}. */
    public String option() {
        return "--" + words().replace('_', '-').toLowerCase(Locale.ROOT);
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
        return path;
    }
}
