package io.troth.bench.troth;

import io.troth.agent.jdbc.PoolSettings;
import io.troth.bench.contender.Contender;
import io.troth.bench.contender.Environment;
import io.troth.bench.contender.Running;
import io.troth.bench.contender.Suite;
import io.troth.client.TransactionOptions;
import io.troth.client.WaitFor;
import java.nio.file.Path;
import java.util.List;

/**
 * Troth over PostgreSQL.
 *
 * @param separate whether the agents are processes of their own, reached by SQL over gRPC; else they are inside the
 *     callers' process, as in a service
 * @param waitFor when commit returns
 * @param members how many coordinators there are: more than one are a cluster
 */
public record TrothPostgres(String name, String description, boolean separate, WaitFor waitFor, int members)
        implements Contender {

    /** Embedded and separate, the first also without waiting for phase 2. */
    public static List<Contender> all() {
        return List.of(
                new TrothPostgres(
                        "troth",
                        "agents in the callers' process, the coordinator its own",
                        false,
                        WaitFor.COMPLETED,
                        1),
                new TrothPostgres("troth-decided", "as troth, with wait=DECIDED", false, WaitFor.DECIDED, 1),
                new TrothPostgres(
                        "troth-processes",
                        "an agent process for each database, asynchronous callers, SQL over gRPC",
                        true,
                        WaitFor.COMPLETED,
                        1),
                new TrothPostgres("troth-cluster", "as troth, with three coordinators", false, WaitFor.COMPLETED, 3));
    }

    @Override
    public Suite suite() {
        return Suite.POSTGRES;
    }

    @Override
    public int logForcesClaimed() {
        return 1;
    }

    @Override
    public int databaseForcesClaimed() {
        return 2;
    }

    @Override
    public Running open(Environment environment) throws Exception {
        TransactionOptions options = TransactionOptions.DEFAULTS.withWaitFor(waitFor);
        return separate
                ? SeparateAgents.open(name, environment, options)
                : EmbeddedAgents.open(
                        coordinators(members, name, environment, environment.newDirectory("decisions")),
                        environment,
                        options);
    }

    /** The coordinator, or a cluster of them, with their logs in the directory. */
    static Coordinators coordinators(int members, String name, Environment environment, Path directory) {
        if (members == 1) {
            return ProductProcess.coordinator(environment.children(), name + "-coordinator", directory);
        }
        return ClusterCoordinators.start(environment.children(), directory, members);
    }

    /** How many branches may be open at a database, so that an agent has no more connections to it than these. */
    static int branches(int connections) {
        int branches = connections;
        while (branches > 1 && branches + PoolSettings.ofSize(branches).finishers() > connections) {
            branches--;
        }
        return branches;
    }
}
