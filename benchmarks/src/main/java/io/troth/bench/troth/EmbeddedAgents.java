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
import io.troth.client.TrothClientBuilder;
import java.sql.Connection;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import javax.sql.DataSource;
import org.postgresql.xa.PGXADataSource;

/** The databases' agent is inside this process, as in a service that has both; JDBC under a transaction, blocking callers. */
final class EmbeddedAgents implements Running {

    private static final Duration READY_LIMIT = Duration.ofSeconds(60);

    private final Coordinators coordinator;
    private final TrothClient client;
    private final TransactionOptions options;
    private final Prometheus meters = new Prometheus();
    private final TrothAgent agent;
    private final List<DataSource> sources = new ArrayList<>();

    private EmbeddedAgents(Coordinators coordinator, TransactionOptions options, Environment environment)
            throws Exception {
        this.coordinator = coordinator;
        this.options = options;
        TrothClientBuilder clients = TrothClient.builder();
        coordinator.endpoints().forEach(clients::endpoint);
        this.client = clients.build();
        TrothAgentBuilder builder =
                TrothAgent.builder().metrics(meters.metrics()).drain(Duration.ofSeconds(5));
        coordinator.endpoints().forEach(builder::coordinator);
        ResourceOptions pool = ResourceOptions.DEFAULTS.withPoolSize(TrothPostgres.branches(environment.connections()));
        for (Database database : environment.databases()) {
            PGXADataSource source = new PGXADataSource();
            source.setUrl(database.url());
            builder.resource(database.name(), source, pool);
        }
        this.agent = builder.start();
        if (!agent.awaitReady(READY_LIMIT)) {
            throw new IllegalStateException("the agent found no coordinator");
        }
        for (Database database : environment.databases()) {
            sources.add(agent.dataSource(database.name()));
        }
    }

    static EmbeddedAgents open(Coordinators coordinator, Environment environment, TransactionOptions options)
            throws Exception {
        return new EmbeddedAgents(coordinator, options, environment);
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
        return coordinator.processes();
    }

    @Override
    public void close() {
        client.close();
        agent.close();
        meters.close();
        coordinator.close();
    }
}
