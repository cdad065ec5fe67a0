package io.troth.agent.config;

import io.troth.agent.config.AgentKey.SqlSwitch;
import io.troth.agent.grpc.LinkSettings;
import io.troth.agent.grpc.SqlServerSettings;
import io.troth.agent.grpc.SqlServerSettings.ServerTls;
import io.troth.client.grpc.Endpoint;
import io.troth.client.grpc.TlsFiles;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import org.jspecify.annotations.Nullable;

/** What one agent process runs with: every key has a valid value. Immutable. */
public final class AgentConfig {

    private static final List<String> ANY_ADDRESS = List.of("0.0.0.0", "::");
    private static final List<AgentKey<Path>> FILES = List.of(
            AgentKey.TLS_AUTHORITIES,
            AgentKey.TLS_CERTIFICATE,
            AgentKey.TLS_KEY,
            AgentKey.SQL_TLS_CERTIFICATE,
            AgentKey.SQL_TLS_KEY,
            AgentKey.SQL_TLS_AUTHORITIES);

    private final Settings process;
    private final Map<String, Settings> resources;

    /**
     * One database.
     *
     * @param user empty when the URL or the environment says it
     * @param password a secret; null when there is none
     */
    public record Resource(
            String name, String url, String user, @Nullable String password, int poolSize, Duration answerTimeout) {

        /** Without secrets. */
        @Override
        public String toString() {
            return name + "=" + Secrets.url(url);
        }
    }

    AgentConfig(Settings process, Map<String, Settings> resources) {
        this.process = process;
        this.resources = new TreeMap<>(resources);
    }

    /**
     * The value of a key of the process.
     *
     * @throws IllegalStateException when the key was left empty: ask {@link #find} for those that may be
     */
    public <T> T get(AgentKey<T> key) {
        return process.get(key);
    }

    /** The value of a key of the process, null when it was left empty. */
    public <T> @Nullable T find(AgentKey<T> key) {
        return process.find(key);
    }

    /**
     * The databases, in the order of their names; reads the password files.
     *
     * @throws ConfigRefusedException when a password file cannot be read
     */
    public List<Resource> resources() {
        List<Resource> list = new ArrayList<>();
        resources.forEach((name, settings) -> {
            String user = settings.find(AgentKey.USER);
            list.add(new Resource(
                    name,
                    settings.get(AgentKey.URL),
                    user == null ? "" : user,
                    password(name, settings),
                    settings.get(AgentKey.POOL_SIZE),
                    settings.get(AgentKey.ANSWER_TIMEOUT)));
        });
        return list;
    }

    private static @Nullable String password(String name, Settings settings) {
        Path file = settings.find(AgentKey.PASSWORD_FILE);
        if (file == null) {
            return settings.find(AgentKey.PASSWORD);
        }
        try {
            return Files.readString(file, StandardCharsets.UTF_8).stripTrailing();
        } catch (IOException e) {
            throw new ConfigRefusedException(
                    List.of("the password file of resource " + name + " cannot be read: " + e));
        }
    }

    /** How the coordinator is reached. */
    public LinkSettings link() {
        Path authorities = find(AgentKey.TLS_AUTHORITIES);
        TlsFiles tls = authorities == null
                ? null
                : new TlsFiles(authorities, find(AgentKey.TLS_CERTIFICATE), find(AgentKey.TLS_KEY));
        return LinkSettings.of(get(AgentKey.COORDINATORS), tls).withConnectTimeout(get(AgentKey.CONNECT_TIMEOUT));
    }

    /** Whether the SQL gateway runs: on loopback by default, elsewhere only when it is asked for. */
    public boolean servesSql() {
        return switch (get(AgentKey.SQL_ENABLED)) {
            case ON -> true;
            case OFF -> false;
            case AUTO -> isLoopback(get(AgentKey.SQL_ADDRESS));
        };
    }

    /** Where and how the SQL gateway listens; only when {@link #servesSql()}. */
    public SqlServerSettings sql() {
        Path certificate = find(AgentKey.SQL_TLS_CERTIFICATE);
        Path key = find(AgentKey.SQL_TLS_KEY);
        ServerTls tls = certificate == null || key == null
                ? null
                : new ServerTls(certificate, key, find(AgentKey.SQL_TLS_AUTHORITIES));
        Endpoint announce = find(AgentKey.SQL_ANNOUNCE);
        return new SqlServerSettings(
                new Endpoint(get(AgentKey.SQL_ADDRESS), get(AgentKey.SQL_PORT)),
                announce == null ? null : announce.host(),
                tls,
                get(AgentKey.SQL_ENABLED) == SqlSwitch.ON,
                get(AgentKey.INSECURE),
                get(AgentKey.SQL_CALLS_MAX),
                get(AgentKey.SQL_SERVED_CALLS_MAX));
    }

    /** Every key with its value and where it comes from, as lines that are a configuration file; secrets are masked. */
    public List<String> lines() {
        List<String> lines = new ArrayList<>();
        process.print(lines);
        resources.values().forEach(settings -> settings.print(lines));
        return lines;
    }

    /** What is valid by itself and wrong together. */
    List<String> contradictions() {
        List<String> problems = new ArrayList<>();
        boolean encrypted = find(AgentKey.TLS_AUTHORITIES) != null;
        checkPair(AgentKey.TLS_CERTIFICATE, AgentKey.TLS_KEY, problems);
        checkPair(AgentKey.SQL_TLS_CERTIFICATE, AgentKey.SQL_TLS_KEY, problems);
        checkNeeds(AgentKey.TLS_CERTIFICATE, AgentKey.TLS_AUTHORITIES, problems);
        checkNeeds(AgentKey.SQL_TLS_AUTHORITIES, AgentKey.SQL_TLS_CERTIFICATE, problems);
        for (AgentKey<Path> key : FILES) {
            Path file = find(key);
            if (file != null && !Files.isReadable(file)) {
                problems.add(key.keyName() + " is \"" + file + "\": there is no such file, or it cannot be read");
            }
        }
        for (Endpoint endpoint : get(AgentKey.COORDINATORS)) {
            if (!encrypted && !get(AgentKey.INSECURE) && !endpoint.isLoopback()) {
                problems.add("agent.coordinators names " + endpoint + ", which is not loopback, and it is plaintext."
                        + " Set agent.tls.authorities, or allow it with --insecure.");
            }
        }
        checkListeners(problems);
        checkResources(problems);
        return problems;
    }

    private void checkPair(AgentKey<Path> certificate, AgentKey<Path> key, List<String> problems) {
        if ((find(certificate) == null) != (find(key) == null)) {
            problems.add(certificate.keyName() + " and " + key.keyName() + " belong together: set both or none");
        }
    }

    private void checkNeeds(AgentKey<Path> set, AgentKey<Path> needed, List<String> problems) {
        if (find(set) != null && find(needed) == null) {
            problems.add(set.keyName() + " is set, but nothing is encrypted there: set " + needed.keyName() + ", too");
        }
    }

    private void checkListeners(List<String> problems) {
        boolean insecure = get(AgentKey.INSECURE);
        if (!isLoopback(get(AgentKey.HTTP_ADDRESS)) && !insecure) {
            problems.add("agent.http.address is " + get(AgentKey.HTTP_ADDRESS) + ", which is not loopback, and it is"
                    + " plaintext. Put a proxy with TLS before it, or allow it with --insecure.");
        }
        String address = get(AgentKey.SQL_ADDRESS);
        boolean plaintext = find(AgentKey.SQL_TLS_CERTIFICATE) == null;
        if (servesSql() && !isLoopback(address) && plaintext && !insecure) {
            problems.add("agent.sql.address is " + address + ", which is not loopback, and it is plaintext. Set"
                    + " agent.sql.tls.certificate and agent.sql.tls.key, or allow it with --insecure.");
        }
        if (servesSql() && ANY_ADDRESS.contains(address) && find(AgentKey.SQL_ANNOUNCE) == null) {
            problems.add("agent.sql.address is " + address
                    + ": set agent.sql.announce to the host:port by which clients" + " reach it");
        }
    }

    private void checkResources(List<String> problems) {
        resources.forEach((name, settings) -> {
            if (settings.find(AgentKey.PASSWORD) != null && settings.find(AgentKey.PASSWORD_FILE) != null) {
                problems.add("resource " + name + " has a password and a passwordFile: set one of them");
            }
            Path file = settings.find(AgentKey.PASSWORD_FILE);
            if (file != null && !Files.isReadable(file)) {
                problems.add("the password file of resource " + name + " is \"" + file
                        + "\": there is no such file, or it cannot be read");
            }
        });
    }

    /** True for names and addresses that never leave this machine; no name is looked up. */
    private static boolean isLoopback(String address) {
        return address.equals("localhost") || address.matches("127\\.[0-9.]+") || address.equals("::1");
    }
}
