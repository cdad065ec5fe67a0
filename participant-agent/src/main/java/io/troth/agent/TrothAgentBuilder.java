package io.troth.agent;

import io.troth.agent.engine.StepListener;
import io.troth.agent.grpc.LinkSettings;
import io.troth.agent.metrics.AgentMetrics;
import io.troth.agent.server.AgentRuntime;
import io.troth.client.grpc.Endpoint;
import io.troth.client.grpc.TlsFiles;
import io.troth.core.ClusterId;
import io.troth.core.participant.AgentLimits;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import javax.sql.CommonDataSource;
import org.jspecify.annotations.Nullable;

/** Collects what a {@link TrothAgent} is started with. Not thread-safe. */
public final class TrothAgentBuilder {

    private final List<Endpoint> coordinators = new ArrayList<>();
    private final Map<String, AgentRuntime.Resource> resources = new LinkedHashMap<>();
    private @Nullable TlsFiles tls;
    private boolean insecure;
    private @Nullable ClusterId cluster;
    private Duration connectTimeout = Duration.ofMillis(LinkSettings.CONNECT_TIMEOUT_MILLIS);
    private Duration scanInterval = Duration.ofSeconds(30);
    private Duration drain = Duration.ofSeconds(30);
    private int keptResultsMax = AgentLimits.DEFAULTS.keptResultsMax();
    private @Nullable AgentMetrics metrics;

    TrothAgentBuilder() {}

    /**
     * Adds {@code host:port} of a coordinator; several are tried in turn.
     *
     * @throws IllegalArgumentException when it is not well-formed
     */
    public TrothAgentBuilder coordinator(String endpoint) {
        coordinators.add(Endpoint.parse(endpoint));
        return this;
    }

    /** As {@link #resource(String, CommonDataSource, ResourceOptions)} with default options. */
    public TrothAgentBuilder resource(String name, CommonDataSource source) {
        return resource(name, source, ResourceOptions.DEFAULTS);
    }

    /**
     * Adds a database.
     *
     * @param name what transactions call it: 1 to 255 of {@code A-Z a-z 0-9 . _ -}
     * @param source an {@link javax.sql.XADataSource}, or for PostgreSQL also a {@link javax.sql.DataSource}, that opens
     *     unpooled connections, always of the same role and database; the agent has a pool of its own
     * @throws IllegalArgumentException when the name is not well-formed or is used already
     */
    public TrothAgentBuilder resource(String name, CommonDataSource source, ResourceOptions options) {
        AgentRuntime.Resource resource = new AgentRuntime.Resource(name, source, options);
        if (resources.putIfAbsent(name, resource) != null) {
            throw new IllegalArgumentException("resource " + name + " is there already");
        }
        return this;
    }

    /** Speaks TLS and trusts the authorities in this PEM file. */
    public TrothAgentBuilder tls(Path authorities) {
        tls = new TlsFiles(authorities, null, null);
        return this;
    }

    /** Speaks TLS, trusts the authorities, and proves itself with a certificate and its key; all PEM files. */
    public TrothAgentBuilder tls(Path authorities, Path certificate, Path key) {
        tls = new TlsFiles(authorities, certificate, key);
        return this;
    }

    /** Allows plaintext to other machines: session keys can then be read on the way. */
    public TrothAgentBuilder insecure() {
        insecure = true;
        return this;
    }

    /** Takes orders only from coordinators of this cluster; without it, of the cluster that is reached first. */
    public TrothAgentBuilder cluster(ClusterId pinned) {
        cluster = pinned;
        return this;
    }

    /**
     * How long {@code getConnection()} inside a transaction waits when the agent has no stream to the transaction's
     * leader, before it throws NO_COORDINATOR; never beyond the deadline. 10 s by default. Right after a change of the
     * leader a client may be there first.
     */
    public TrothAgentBuilder connectTimeout(Duration timeout) {
        connectTimeout = timeout;
        return this;
    }

    /** How often the lists of prepared branches are read; 30 s by default. */
    public TrothAgentBuilder scanInterval(Duration interval) {
        scanInterval = interval;
        return this;
    }

    /** How long {@link TrothAgent#close()} waits for running transactions; 30 s by default. */
    public TrothAgentBuilder drain(Duration limit) {
        drain = limit;
        return this;
    }

    /**
     * How many results are kept of branches that committed alone, or were rolled back before they were prepared: each for
     * ten minutes, because the coordinator may ask. 1,000,000 by default, which is 1,500 a second and 115 MB; beyond it new
     * branches are refused as OVERLOADED.
     */
    public TrothAgentBuilder keptResultsMax(int results) {
        keptResultsMax = results;
        return this;
    }

    /** Counts what happens: {@code metrics(new AgentMetrics(meterRegistry))}. Needs Micrometer on the class path. */
    public TrothAgentBuilder metrics(AgentMetrics meters) {
        metrics = meters;
        return this;
    }

    /**
     * Checks the databases, and starts. Returns also when no coordinator is reachable: see {@link TrothAgent#awaitReady}.
     *
     * @throws IllegalArgumentException when there is no coordinator or no resource, a limit is not positive, a TLS file
     *     cannot be read, or plaintext would leave this machine without {@link #insecure()}
     * @throws io.troth.core.TrothException DATABASE_UNAVAILABLE when a database does not answer, DATABASE_MISCONFIGURED
     *     when one must not take part as it is; the message says what to change
     */
    public TrothAgent start() {
        if (resources.isEmpty()) {
            throw new IllegalArgumentException("name at least one resource");
        }
        for (Endpoint endpoint : coordinators) {
            if (tls == null && !insecure && !endpoint.isLoopback()) {
                throw new IllegalArgumentException(
                        endpoint + " is not a loopback address: use tls(..), or insecure() in a network you trust");
            }
        }
        AgentRuntime runtime = AgentRuntime.open(new AgentRuntime.Settings(
                LinkSettings.of(coordinators, tls).withConnectTimeout(connectTimeout),
                cluster,
                List.copyOf(resources.values()),
                scanInterval,
                drain,
                keptResultsMax,
                metrics,
                StepListener.NONE));
        runtime.start(null);
        return new TrothAgent(runtime);
    }
}
