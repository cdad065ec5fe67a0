package io.troth.chaos.sim;

import io.troth.chaos.sim.database.SqlOperation;
import io.troth.core.BranchId;
import io.troth.core.BranchList;
import io.troth.core.TransactionContext;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * A call of a service.
 *
 * @param context what travels with it
 * @param script what the service does
 */
record Call(TransactionContext context, Script script) {

    /** One statement on a resource. */
    record Statement(String resource, SqlOperation operation) {}

    /**
     * What a service does: its statements, and then perhaps a call of another service.
     *
     * @param inner what that one does; null when there is none
     */
    record Script(List<Statement> statements, @Nullable Script inner) {
        Script {
            statements = List.copyOf(statements);
        }
    }

    /**
     * What the caller hears.
     *
     * @param list what was done under T
     * @param done for the ledger: the calls, the nested ones included, of each branch
     */
    record Reply(BranchList list, Map<BranchId, List<Long>> done) {}
}
