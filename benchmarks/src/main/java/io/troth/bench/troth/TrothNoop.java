package io.troth.bench.troth;

import io.troth.bench.contender.Contender;
import io.troth.bench.contender.Environment;
import io.troth.bench.contender.NoopContender;
import io.troth.bench.contender.Running;
import java.nio.file.Path;
import java.util.List;

/**
 * Troth's coordinator over two databases that do nothing.
 *
 * @param async whether nobody waits: else each transaction in flight has a thread that does
 * @param apart whether each database has an agent of its own, as in two services, instead of one agent that has both, as
 *     in one
 * @param inMemory whether the log is on a file system in memory, where a forced write costs nothing: not durable, and
 *     only there to see what forcing costs
 * @param members how many coordinators there are: more than one are a cluster
 */
public record TrothNoop(String name, String description, boolean async, boolean apart, boolean inMemory, int members)
        implements NoopContender {

    /** Asynchronous and blocking callers, and a log that costs nothing to force. */
    public static List<Contender> all() {
        return List.of(
                new TrothNoop("troth-noop", "one agent, asynchronous callers", true, false, false, 1),
                new TrothNoop(
                        "troth-noop-blocking",
                        "as troth-noop, with blocking callers, a thread each",
                        false,
                        false,
                        false,
                        1),
                new TrothNoop(
                        "troth-noop-agents", "as troth-noop, with an agent for each database", true, true, false, 1),
                new TrothNoop(
                        "troth-noop-ram", "as troth-noop, with its log in memory: not durable", true, false, true, 1),
                new TrothNoop("troth-noop-cluster", "as troth-noop, with three coordinators", true, false, false, 3));
    }

    @Override
    public Running open(Environment environment) throws Exception {
        Path directory = inMemory ? environment.newMemoryDirectory() : environment.newDirectory("decisions");
        return new NoopAgents(TrothPostgres.coordinators(members, name, environment, directory), async, apart);
    }
}
