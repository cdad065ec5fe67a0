package io.troth.bench.troth;

import io.troth.agent.engine.AgentEngine;
import io.troth.agent.engine.BranchRefusedException;
import io.troth.bench.contender.Running;
import io.troth.bench.contender.Work;
import io.troth.client.GlobalTransaction;
import io.troth.client.Transaction;
import io.troth.client.TransactionOptions;
import io.troth.client.TrothClient;
import io.troth.client.TrothClientBuilder;
import io.troth.client.context.CallScope;
import io.troth.core.BranchId;
import io.troth.core.participant.StatementEnd;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.stream.Collectors;

/**
 * The product's agent, with its engine, stream and metrics, over two databases that do nothing. It is in the callers'
 * process, as in a service, or there are two of it, as in two services: a transaction joins both databases and runs one
 * statement that takes no time at each.
 */
public final class NoopAgents implements Running {

    /** Those of a {@link io.troth.bench.contender.Step}. */
    private static final List<String> RESOURCES = List.of("noop-0", "noop-1");

    private final Coordinators coordinator;
    private final TrothClient client;
    private final boolean async;
    /** One that has all resources, or one for each. */
    private final List<InProcessAgent> agents = new ArrayList<>();

    /** One agent, with callers that have no threads. The coordinator is closed with this. */
    public NoopAgents(ProductProcess coordinator) throws Exception {
        this(coordinator, true, false);
    }

    /**
     * Agents of a coordinator.
     *
     * @param coordinator closed with this
     * @param async whether nobody waits: else each transaction in flight has a thread that does
     * @param apart whether each database has an agent of its own, with a stream of its own
     */
    NoopAgents(Coordinators coordinator, boolean async, boolean apart) throws Exception {
        this.async = async;
        this.coordinator = coordinator;
        TrothClientBuilder builder = TrothClient.builder();
        coordinator.endpoints().forEach(builder::endpoint);
        this.client = builder.build();
        if (apart) {
            RESOURCES.forEach(resource -> agents.add(agent(List.of(resource))));
        } else {
            agents.add(agent(RESOURCES));
        }
        for (InProcessAgent agent : agents) {
            agent.awaitReady();
        }
    }

    private InProcessAgent agent(List<String> resources) {
        return InProcessAgent.start(
                resources.stream().collect(Collectors.toMap(resource -> resource, NoopDatabase::new)),
                coordinator.endpoints());
    }

    @Override
    public boolean isAsync() {
        return async;
    }

    @Override
    public void run(Work work) throws Exception {
        try (GlobalTransaction tx = client.begin()) {
            join(work);
            tx.commit();
        }
    }

    @Override
    public CompletionStage<?> submit(Work work) {
        return client.beginAsync(TransactionOptions.DEFAULTS).thenCompose(tx -> {
            try (Transaction.Binding bound = tx.bind()) {
                Objects.requireNonNull(bound);
                join(work);
            } catch (BranchRefusedException e) {
                return CompletableFuture.failedFuture(e);
            }
            return tx.commitAsync();
        });
    }

    private void join(Work work) throws BranchRefusedException {
        CallScope scope = Objects.requireNonNull(CallScope.current());
        for (int resource : work.resources()) {
            AgentEngine engine = agents.get(resource % agents.size()).engine();
            BranchId branch = engine.join(scope, RESOURCES.get(resource));
            engine.statementBegins(scope, branch);
            engine.statementEnds(branch, StatementEnd.completed());
        }
    }

    @Override
    public long forcedWrites() {
        return coordinator.forcedWrites();
    }

    @Override
    public Map<String, Long> processes() {
        return coordinator.processes();
    }

    @Override
    public void close() {
        client.close();
        agents.forEach(InProcessAgent::close);
        coordinator.close();
    }
}
