package io.troth.bench.troth;

import io.troth.agent.engine.AgentEngine;
import io.troth.agent.engine.BranchDatabase;
import io.troth.agent.engine.ScheduledTimers;
import io.troth.agent.engine.StepListener;
import io.troth.agent.grpc.GrpcCoordinatorLink;
import io.troth.agent.grpc.LinkSettings;
import io.troth.agent.metrics.Prometheus;
import io.troth.client.grpc.Endpoint;
import io.troth.core.participant.AgentLimits;
import java.security.SecureRandom;
import java.time.Duration;
import java.util.List;
import java.util.Map;

/** The product's agent, with its stream and metrics, in this process and over databases that need no JDBC. */
public final class InProcessAgent implements AutoCloseable {

    private static final Duration READY_LIMIT = Duration.ofSeconds(60);

    private final Prometheus meters = new Prometheus();
    private final AgentEngine engine;

    private InProcessAgent(Map<String, BranchDatabase> databases, List<String> endpoints) {
        List<Endpoint> targets = endpoints.stream().map(Endpoint::parse).toList();
        engine = new AgentEngine(new AgentEngine.Parts(
                new SecureRandom().nextLong(),
                databases,
                new GrpcCoordinatorLink(LinkSettings.of(targets, null)),
                new ScheduledTimers(),
                meters.metrics(),
                StepListener.NONE,
                AgentLimits.DEFAULTS));
    }

    /**
     * Starts one; it looks for a coordinator at once.
     *
     * @param databases by resource name
     * @param endpoints of the coordinators, {@code host:port} each
     */
    public static InProcessAgent start(Map<String, BranchDatabase> databases, List<String> endpoints) {
        InProcessAgent agent = new InProcessAgent(databases, endpoints);
        agent.engine.start(null, null);
        return agent;
    }

    /** Waits until branches may start; a minute without a coordinator is an error. */
    public void awaitReady() throws InterruptedException {
        if (!engine.awaitReady(READY_LIMIT)) {
            throw new IllegalStateException("an agent found no coordinator");
        }
    }

    /** Where transactions join. */
    public AgentEngine engine() {
        return engine;
    }

    @Override
    public void close() {
        engine.close(Duration.ofSeconds(1));
        meters.close();
    }
}
