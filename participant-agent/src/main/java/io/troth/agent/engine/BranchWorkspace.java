package io.troth.agent.engine;

import io.troth.client.context.CallScope;
import io.troth.core.BranchId;
import io.troth.core.participant.StatementEnd;

/**
 * What the DataSource wrapper and the SQL gateway see of the engine. Thread-safe, called on application threads; apart
 * from the wait that {@link #join} is given, nothing blocks longer than a short lock.
 */
public interface BranchWorkspace {

    /**
     * A call scope uses a resource: gives the branch, a new one when T has none there or it is dead, and registers it
     * with the scope. Repeated joins of one scope give the same branch and count as one call (protocol 5.4).
     *
     * <p>A call may come before this agent has a stream to the leader of its transaction: a client that hears of a new
     * leader first begins there at once. Instead of being refused with NO_COORDINATOR it waits then, unless the
     * transaction's epoch is known to be over, which is LEADER_CHANGED.
     *
     * @param waitMillis how long, at most, and never beyond the transaction's deadline; 0 not to wait
     * @throws BranchRefusedException NO_COORDINATOR or LEADER_CHANGED (protocol 5.2), DUPLICATE_CALL,
     *     DEADLINE_EXCEEDED, TRANSACTION_PREPARING, SCOPE_CLOSED, WRONG_CLUSTER, OVERLOADED, UNKNOWN_RESOURCE
     */
    BranchId join(CallScope scope, String resource, long waitMillis) throws BranchRefusedException;

    /**
     * Must be called before every statement or fetch, under the branch's own lock, before anything is sent to the
     * database.
     *
     * @throws BranchRefusedException when the branch is not active, or the scope has ended
     */
    void statementBegins(CallScope scope, BranchId branch) throws BranchRefusedException;

    /** Must be called after every statement or fetch that was admitted, however it ended. */
    void statementEnds(BranchId branch, StatementEnd end);

    /** Whether the branch takes work; a hint, since it may end at any time. */
    boolean isActive(BranchId branch);
}
