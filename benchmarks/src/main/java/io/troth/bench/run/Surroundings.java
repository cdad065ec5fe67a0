package io.troth.bench.run;

import io.troth.bench.contender.Contender;
import io.troth.bench.contender.Database;
import io.troth.bench.contender.Environment;
import io.troth.chaos.process.Children;
import java.nio.file.Path;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * What one contender finds in a run.
 *
 * @param servers null where there is no database
 */
record Surroundings(
        Contender contender,
        Plan plan,
        Scratch scratch,
        @Nullable Servers servers) implements Environment {

    @Override
    public List<Database> databases() {
        return servers == null ? List.of() : servers.databases(contender.name());
    }

    @Override
    public int inFlight() {
        return plan.inFlightMax();
    }

    @Override
    public int connections() {
        return Plan.CONNECTIONS;
    }

    @Override
    public Path newDirectory(String name) {
        return scratch.newDirectory("logs-" + contender.name() + "-" + name);
    }

    @Override
    public Path newMemoryDirectory() {
        return scratch.newMemoryDirectory();
    }

    @Override
    public Children children() {
        return scratch.children();
    }
}
