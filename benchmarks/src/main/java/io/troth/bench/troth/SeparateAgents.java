package io.troth.bench.troth;

import io.troth.bench.contender.Database;
import io.troth.bench.contender.Environment;
import io.troth.bench.contender.Running;
import io.troth.bench.contender.Step;
import io.troth.bench.contender.Work;
import io.troth.client.CommitResult;
import io.troth.client.GlobalTransaction;
import io.troth.client.TransactionOptions;
import io.troth.client.TransactionSql;
import io.troth.client.TrothClient;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionException;
import java.util.concurrent.CompletionStage;
import org.jspecify.annotations.Nullable;

/** Each database has an agent process; statements go there over gRPC, and nobody here waits on a thread. */
final class SeparateAgents implements Running {

    private static final String WRITE = "UPDATE account SET balance = balance + ? WHERE id = ?";
    private static final String READ = "SELECT balance FROM account WHERE id = ?";

    private final ProductProcess coordinator;
    private final Map<String, ProductProcess> agents = new LinkedHashMap<>();
    private final List<String> resources = new ArrayList<>();
    private final TransactionOptions options;
    private final TrothClient client;

    private SeparateAgents(ProductProcess coordinator, TransactionOptions options) {
        this.coordinator = coordinator;
        this.options = options;
        this.client = TrothClient.connect(coordinator.said("grpc"));
    }

    static SeparateAgents open(String name, Environment environment, TransactionOptions options) throws Exception {
        SeparateAgents result = new SeparateAgents(
                ProductProcess.coordinator(
                        environment.children(), name + "-coordinator", environment.newDirectory("decisions")),
                options);
        Path directory = environment.newDirectory("agents");
        for (Database database : environment.databases()) {
            Path configuration = directory.resolve(database.name() + ".conf");
            Files.writeString(configuration, configuration(database, environment, result.coordinator.said("grpc")));
            String agent = "agent-" + database.name();
            result.agents.put(
                    agent,
                    ProductProcess.start(
                            environment.children(),
                            name + "-" + agent,
                            List.of("agent", "-c", configuration.toString())));
            result.resources.add(database.name());
        }
        result.agents.values().forEach(ProductProcess::awaitReady);
        return result;
    }

    private static String configuration(Database database, Environment environment, String coordinator) {
        return """
                agent {
                  coordinators = "%s"
                  sql.port = 0
                  sql.callsMax = %d
                  http.port = 0
                  resources.%s { url = "%s", poolSize = %d }
                }
                """.formatted(
                        coordinator,
                        Math.max(256, environment.inFlight()),
                        database.name(),
                        database.url(),
                        TrothPostgres.branches(environment.connections()));
    }

    @Override
    public boolean isAsync() {
        return true;
    }

    @Override
    public CompletionStage<?> submit(Work work) {
        return client.beginAsync(options).thenCompose(tx -> {
            CompletionStage<Long> steps = CompletableFuture.completedFuture(0L);
            for (Step step : work.steps()) {
                steps = steps.thenCompose(before -> run(step, tx.sql(resources.get(step.resource()))));
            }
            return steps.<@Nullable Throwable>handle((done, failure) -> failure)
                    .thenCompose(failure -> failure == null ? tx.commitAsync() : rolledBack(tx, failure));
        });
    }

    private static CompletionStage<Long> run(Step step, TransactionSql sql) {
        CompletionStage<Long> rows = step.isRead()
                ? sql.forEachAsync(row -> {}, READ, step.account())
                : sql.updateAsync(WRITE, step.amount(), step.account());
        return rows.thenApply(count -> {
            if (count != 1) {
                throw new CompletionException(new IllegalStateException("there is no account " + step.account()));
            }
            return count;
        });
    }

    private static CompletionStage<CommitResult> rolledBack(GlobalTransaction tx, Throwable failure) {
        return tx.rollbackAsync().thenCompose(done -> CompletableFuture.failedFuture(failure));
    }

    @Override
    public long forcedWrites() {
        return coordinator.forcedWrites();
    }

    @Override
    public Map<String, Long> processes() {
        Map<String, Long> processes = new LinkedHashMap<>();
        processes.put("coordinator", coordinator.pid());
        agents.forEach((name, agent) -> processes.put(name, agent.pid()));
        return processes;
    }

    @Override
    public void close() {
        client.close();
        agents.values().forEach(ProductProcess::close);
        coordinator.close();
    }
}
