package io.troth.agent.server;

import io.troth.agent.ResourceOptions;
import io.troth.agent.engine.AgentEngine;
import io.troth.agent.engine.AgentListener;
import io.troth.agent.engine.BranchDatabase;
import io.troth.agent.engine.ScheduledTimers;
import io.troth.agent.engine.StepListener;
import io.troth.agent.grpc.GrpcCoordinatorLink;
import io.troth.agent.grpc.LinkSettings;
import io.troth.agent.jdbc.JdbcResource;
import io.troth.agent.metrics.AgentMetrics;
import io.troth.core.ClusterId;
import io.troth.core.ResourceName;
import io.troth.core.TransactionContext;
import io.troth.core.participant.AgentLimits;
import io.troth.core.participant.AgentNotice;
import io.troth.core.participant.AgentStateMachine;
import java.security.SecureRandom;
import java.time.Duration;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.atomic.AtomicBoolean;
import javax.sql.CommonDataSource;
import javax.sql.DataSource;
import org.jspecify.annotations.Nullable;

/**
 * One agent, put together: its databases, its engine and its stream. The public faces are {@code TrothAgent}, inside a
 * service, and {@link AgentServer}, as a process. Thread-safe.
 */
public final class AgentRuntime implements AutoCloseable {

    private static final Duration LINK_CLOSE_LIMIT = Duration.ofSeconds(2);

    private final Map<String, JdbcResource> resources;
    private final GrpcCoordinatorLink link;
    private final AgentEngine engine;
    private final @Nullable ClusterId cluster;
    private final Duration drain;
    private final CompletableFuture<RuntimeException> failure;
    private final AtomicBoolean closed = new AtomicBoolean();

    /** One database and how it is used. */
    public record Resource(String name, CommonDataSource source, ResourceOptions options) {
        public Resource {
            ResourceName.check(name);
        }
    }

    /**
     * What an agent is made of.
     *
     * @param cluster the only cluster it takes orders from; null for the one that is reached first
     * @param resources with different names, at least one
     * @param keptResultsMax how many results of finished branches are kept (protocol 8.3)
     * @param metrics null to count nothing
     */
    public record Settings(
            LinkSettings link,
            @Nullable ClusterId cluster,
            List<Resource> resources,
            Duration scanInterval,
            Duration drain,
            int keptResultsMax,
            @Nullable AgentMetrics metrics,
            StepListener steps) {
        public Settings {
            resources = List.copyOf(resources);
        }
    }

    private AgentRuntime(Settings settings, Map<String, JdbcResource> resources, GrpcCoordinatorLink link) {
        this.resources = resources;
        this.link = link;
        this.cluster = settings.cluster();
        this.drain = settings.drain();
        this.failure = new CompletableFuture<>();
        List<AgentListener> listeners = new ArrayList<>();
        listeners.add(new AgentLog(System::nanoTime));
        AgentMetrics metrics = settings.metrics();
        if (metrics != null) {
            resources.forEach((name, resource) -> metrics.watch(name, resource::stats));
            listeners.add(metrics);
        }
        listeners.add(new StopOnFailure());
        Map<String, BranchDatabase> databases = new LinkedHashMap<>();
        resources.forEach((name, resource) -> databases.put(name, resource.database()));
        this.engine = new AgentEngine(new AgentEngine.Parts(
                new SecureRandom().nextLong(),
                databases,
                link,
                new ScheduledTimers(),
                new Listeners(listeners),
                settings.steps(),
                limits(settings)));
        if (metrics != null) {
            metrics.watchKeptResults(() -> engine.look(AgentStateMachine::keptResults), settings.keptResultsMax());
        }
        resources
                .values()
                .forEach(resource -> resource.attach(engine, settings.link().connectTimeoutMillis()));
    }

    private static AgentLimits limits(Settings settings) {
        AgentLimits defaults = AgentLimits.DEFAULTS;
        return new AgentLimits(
                defaults.branchesMax(),
                defaults.branchesPerTransactionMax(),
                defaults.callsPerTransactionMax(),
                settings.keptResultsMax(),
                defaults.keptSweepMillis(),
                defaults.keptSweeps(),
                settings.scanInterval().toMillis(),
                defaults.phaseTwoRetryMillis(),
                defaults.phaseTwoRetryMaxMillis());
    }

    /**
     * Opens the databases, checks each of them and runs its canary (protocol 10.3). Starts nothing. Blocks.
     *
     * @throws io.troth.core.TrothException DATABASE_UNAVAILABLE, or DATABASE_MISCONFIGURED with what to change
     * @throws IllegalArgumentException when the settings contradict themselves or a TLS file cannot be read
     */
    public static AgentRuntime open(Settings settings) {
        Map<String, JdbcResource> opened = new LinkedHashMap<>();
        try {
            for (Resource resource : settings.resources()) {
                opened.put(
                        resource.name(),
                        JdbcResource.open(
                                resource.name(),
                                resource.source(),
                                resource.options(),
                                task -> Threads.daemon(task, "troth-agent-" + resource.name())));
            }
            return new AgentRuntime(settings, opened, new GrpcCoordinatorLink(settings.link()));
        } catch (RuntimeException e) {
            opened.values().forEach(JdbcResource::close);
            throw e;
        }
    }

    /**
     * Starts to work, and to dial the coordinator.
     *
     * @param sqlAddress {@code host:port} where SQL is taken for the resources; null when nowhere
     */
    public void start(@Nullable String sqlAddress) {
        engine.start(cluster, sqlAddress);
    }

    /** As {@code TrothAgent.dataSource}. */
    public DataSource dataSource(String resource) {
        JdbcResource known = resources.get(resource);
        if (known == null) {
            throw new IllegalArgumentException("this agent wraps " + resources.keySet() + ", not " + resource);
        }
        return known.dataSource();
    }

    /** By name. */
    public Map<String, DataSource> dataSources() {
        Map<String, DataSource> sources = new LinkedHashMap<>();
        resources.forEach((name, resource) -> sources.put(name, resource.dataSource()));
        return sources;
    }

    /** The random id of this agent, part of every branch id. */
    public long instance() {
        return engine.instance();
    }

    /** As {@code TrothAgent.knows}. */
    public boolean knows(TransactionContext context) {
        return engine.knows(context);
    }

    /** Whether branches may start. */
    public boolean isReady() {
        return engine.isReady();
    }

    /** Waits until branches may start. Returns false when the time is over first, or the agent has stopped. */
    public boolean awaitReady(Duration timeout) throws InterruptedException {
        return engine.awaitReady(timeout);
    }

    /** Why there is no stream to the coordinator, for people. */
    public String problem() {
        return link.problem();
    }

    /** Completed with the cause when the agent has stopped by itself: an invariant is broken, or a bug was met. */
    public CompletionStage<RuntimeException> failure() {
        return failure.copy();
    }

    /** Whether it has stopped by itself. */
    public boolean hasFailed() {
        return failure.isDone();
    }

    /** Drains within the limit of the settings, then frees everything. Closing again does nothing. */
    @Override
    public void close() {
        if (!closed.compareAndSet(false, true)) {
            return;
        }
        engine.close(drain);
        try {
            link.awaitClosed(LINK_CLOSE_LIMIT);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
        resources.values().forEach(JdbcResource::close);
    }

    /** Frees the locks of unprepared branches when the engine has stopped, since it cannot roll them back any more. */
    private final class StopOnFailure implements AgentListener {

        @Override
        public void heard(AgentNotice notice) {
            // Only the failure counts.
        }

        @Override
        public void failed(RuntimeException cause) {
            // First, since the system may have no thread to give: a process that hears of it ends.
            failure.complete(cause);
            Threads.daemon(() -> resources.values().forEach(JdbcResource::close), "troth-agent-stop")
                    .start();
        }
    }
}
