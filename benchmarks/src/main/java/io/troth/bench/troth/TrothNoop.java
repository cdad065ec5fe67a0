package io.troth.bench.troth;

import io.troth.bench.contender.Contender;
import io.troth.bench.contender.Environment;
import io.troth.bench.contender.NoopContender;
import io.troth.bench.contender.Running;
import io.troth.chaos.process.WorkDirectory;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;

/**
 * Troth's coordinator with two agents whose databases do nothing.
 *
 * @param async whether the callers wait on threads
 * @param inMemory whether the log is on a file system in memory, where a forced write costs nothing: not durable, and
 *     only there to see what forcing costs
 * @param members how many coordinators there are: more than one are a cluster
 */
public record TrothNoop(String name, String description, boolean async, boolean inMemory, int members)
        implements NoopContender {

    private static final Path MEMORY = Path.of("/dev/shm");

    /** Asynchronous and blocking callers, and a log that costs nothing to force. */
    public static List<Contender> all() {
        return List.of(
                new TrothNoop("troth-noop", "asynchronous callers", true, false, 1),
                new TrothNoop("troth-noop-blocking", "blocking callers, a thread each", false, false, 1),
                new TrothNoop("troth-noop-ram", "as troth-noop, with its log in memory: not durable", true, true, 1),
                new TrothNoop("troth-noop-cluster", "asynchronous callers, three coordinators", true, false, 3));
    }

    @Override
    public Running open(Environment environment) throws Exception {
        if (!inMemory) {
            return new NoopAgents(
                    TrothPostgres.coordinators(members, name, environment, environment.newDirectory("decisions")),
                    async,
                    () -> {});
        }
        Path directory = Files.createTempDirectory(MEMORY, "troth-bench-");
        return new NoopAgents(
                TrothPostgres.coordinators(1, name, environment, directory.resolve("decisions")),
                async,
                () -> WorkDirectory.delete(directory));
    }
}
