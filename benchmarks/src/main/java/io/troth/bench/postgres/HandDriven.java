package io.troth.bench.postgres;

import io.troth.bench.contender.Contender;
import io.troth.bench.contender.Environment;
import io.troth.bench.contender.Running;
import io.troth.bench.contender.Suite;
import java.util.List;

/**
 * One of the floors; each has one more thing that a truthful coordinator cannot leave out.
 *
 * @param prepares in two phases; else each branch commits by itself
 * @param probes asks for the transaction's id in the message of the prepare, which a failed transaction refuses
 * @param logs forces the decision between the phases
 */
public record HandDriven(String name, String description, boolean prepares, boolean probes, boolean logs)
        implements Contender {

    /** The name of the last one, which does everything that an agent and a coordinator have to do. */
    public static final String COMPLETE = "2pc-log-probe";

    /** From the lowest to the highest. */
    public static List<Contender> all() {
        return List.of(
                new HandDriven("local", "independent local commits, in parallel; not atomic", false, false, false),
                new HandDriven("2pc", "PREPARE TRANSACTION, COMMIT PREPARED, in parallel; no log", true, false, false),
                new HandDriven("2pc-log", "the same with one group-committed fdatasync between", true, false, true),
                new HandDriven(COMPLETE, "the same with the probe in the message of the prepare", true, true, true));
    }

    @Override
    public Suite suite() {
        return Suite.POSTGRES;
    }

    @Override
    public int logForcesClaimed() {
        return logs ? 1 : 0;
    }

    @Override
    public int databaseForcesClaimed() {
        return prepares ? 2 : 1;
    }

    @Override
    public Running open(Environment environment) throws Exception {
        return new HandDrivenRunning(this, environment);
    }
}
