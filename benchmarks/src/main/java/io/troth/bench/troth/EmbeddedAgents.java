package io.troth.bench.troth;

import io.troth.agent.ResourceOptions;
import io.troth.agent.TrothAgent;
import io.troth.agent.TrothAgentBuilder;
import io.troth.agent.metrics.Prometheus;
import io.troth.bench.contender.Database;
import io.troth.bench.contender.Environment;
import io.troth.bench.contender.Running;
import io.troth.bench.contender.Step;
import io.troth.bench.contender.Work;
import io.troth.client.GlobalTransaction;
import io.troth.client.TransactionOptions;
import io.troth.client.TrothClient;
import java.sql.Connection;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import javax.sql.DataSource;
import org.postgresql.xa.PGXADataSource;

/** Each database's agent is inside this process, as in a service; JDBC under a transaction, blocking callers. */
final class EmbeddedAgents implements Running {

    private static final Duration READY_LIMIT = Duration.ofSeconds(60);

    private final ProductProcess coordinator;
    private final TrothClient client;
    private final TransactionOptions options;
    private final List<TrothAgent> agents = new ArrayList<>();
    private final List<Prometheus> meters = new ArrayList<>();
    private final List<DataSource> sources = new ArrayList<>();

    private EmbeddedAgents(ProductProcess coordinator, TransactionOptions options) {
        this.coordinator = coordinator;
        this.options = options;
        this.client = TrothClient.connect(coordinator.said("grpc"));
    }

    static EmbeddedAgents open(String name, Environment environment, TransactionOptions options) throws Exception {
        EmbeddedAgents result = new EmbeddedAgents(
                ProductProcess.coordinator(
                        environment.children(), name + "-coordinator", environment.newDirectory("decisions")),
                options);
        for (Database database : environment.databases()) {
            result.add(database, environment.connections());
        }
        return result;
    }

    private void add(Database database, int connections) throws Exception {
        PGXADataSource source = new PGXADataSource();
        source.setUrl(database.url());
        Prometheus prometheus = new Prometheus();
        meters.add(prometheus);
        TrothAgentBuilder builder = TrothAgent.builder()
                .coordinator(coordinator.said("grpc"))
                .resource(database.name(), source, ResourceOptions.DEFAULTS.withPoolSize(connections))
                .metrics(prometheus.metrics())
                .drain(Duration.ofSeconds(5));
        TrothAgent agent = builder.start();
        agents.add(agent);
        if (!agent.awaitReady(READY_LIMIT)) {
            throw new IllegalStateException("the agent of " + database.name() + " found no coordinator");
        }
        sources.add(agent.dataSource(database.name()));
    }

    @Override
    public void run(Work work) throws Exception {
        try (GlobalTransaction tx = client.begin(options)) {
            for (int resource : work.resources()) {
                try (Connection connection = sources.get(resource).getConnection()) {
                    for (Step step : work.steps()) {
                        if (step.resource() == resource) {
                            Database.run(step, connection);
                        }
                    }
                }
            }
            tx.commit();
        }
    }

    @Override
    public long forcedWrites() {
        return coordinator.forcedWrites();
    }

    @Override
    public Map<String, Long> processes() {
        return Map.of("coordinator", coordinator.pid());
    }

    @Override
    public void close() {
        client.close();
        agents.forEach(TrothAgent::close);
        meters.forEach(Prometheus::close);
        coordinator.close();
    }
}
