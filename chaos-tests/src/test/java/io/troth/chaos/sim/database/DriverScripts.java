package io.troth.chaos.sim.database;

import io.troth.agent.xa.TrothXid;
import io.troth.chaos.sim.check.BranchFacts.State;
import io.troth.core.participant.PhaseTwoCompletion;
import io.troth.core.participant.PrepareResult;
import org.jspecify.annotations.Nullable;

/** Short scripts for seeded bugs of the drivers; each returns what is violated, null when nothing is. */
public final class DriverScripts {

    private DriverScripts() {}

    /** Phase 2 comes from another process while the session that prepared the branch lives. */
    public static @Nullable String heldByAnotherSession() {
        Bench bench = new Bench(Flavour.MARIADB, 1);
        Bench.Prepared branch = bench.prepared("a");
        bench.agent = bench.process();
        boolean done = bench.commit(branch, true).kind() != PhaseTwoCompletion.Kind.NOT_YET;
        return done && bench.state(branch.xid()) == State.PREPARED
                ? "Done is said of a branch that is still prepared"
                : null;
    }

    /** A statement rolls the branch's transaction back and begins another one. */
    public static @Nullable String transactionEndedInside() {
        Bench bench = new Bench(Flavour.POSTGRESQL, 1);
        TrothXid xid = bench.wrote("a");
        bench.server.provoke(DatabaseFault.TRANSACTION_CONTROL_BYPASSED);
        bench.execute(xid, SqlOperation.add(2, "b", 1));
        return bench.prepare(xid).kind() == PrepareResult.Kind.PREPARED
                ? "Exactly the seen work: YES for a transaction that has lost part of the branch's work"
                : null;
    }

    /** A statement fails, and nobody undoes it. */
    public static @Nullable String failedTransaction() {
        Bench bench = new Bench(Flavour.POSTGRESQL, 1);
        TrothXid xid = bench.wrote("a");
        bench.server.provoke(DatabaseFault.STATEMENT_REFUSED);
        bench.execute(xid, SqlOperation.add(2, "b", 1));
        boolean yes = bench.prepare(xid).kind() == PrepareResult.Kind.PREPARED;
        return yes && bench.state(xid) != State.PREPARED ? "Record truth: YES for a branch that is rolled back" : null;
    }
}
