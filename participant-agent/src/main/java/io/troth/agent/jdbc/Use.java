package io.troth.agent.jdbc;

/** What a call on a connection, statement or result set means for its branch. */
enum Use {
    /** Runs a query or fetches rows: its failure counts. */
    QUERY(true, false),
    /** Runs anything, or writes: its failure counts. */
    EXECUTE(true, true),
    /** Makes objects or reads metadata: may speak to the database, but its failure undoes nothing. */
    OTHER(false, false);

    private final boolean failureCounts;
    private final boolean mayWrite;

    Use(boolean failureCounts, boolean mayWrite) {
        this.failureCounts = failureCounts;
        this.mayWrite = mayWrite;
    }

    /** Whether a failure makes the branch rollback-only, where the database does not know better. */
    boolean failureCounts() {
        return failureCounts;
    }

    boolean mayWrite() {
        return mayWrite;
    }
}
