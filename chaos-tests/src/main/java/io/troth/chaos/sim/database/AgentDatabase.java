package io.troth.chaos.sim.database;

import io.troth.agent.engine.BranchDatabase;
import io.troth.core.BranchId;
import io.troth.core.GlobalTxId;
import java.util.function.Consumer;

/** A database as one agent process has it open: what the engine needs of it, and the statements of its services. */
public interface AgentDatabase extends BranchDatabase {

    /**
     * Runs one statement of a branch on the branch's own connection. The engine has admitted it, and no other statement of
     * the branch runs.
     *
     * @param remainingMillis what is left of the transaction's time
     * @param done called exactly once, later, unless the process dies
     */
    void execute(
            GlobalTxId tx,
            BranchId branch,
            long remainingMillis,
            SqlOperation operation,
            Consumer<StatementResult> done);
}
