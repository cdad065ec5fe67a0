package io.troth.agent.sql;

import io.troth.core.Reason;
import io.troth.core.TrothException;

/** The database, or the branch, did not execute a statement. */
public final class SqlFailedException extends TrothException {

    private final String sqlState;

    SqlFailedException(Reason reason, String sqlState, Throwable cause) {
        super(reason, cause);
        this.sqlState = sqlState;
    }

    /** The database's own state, five characters. */
    public String sqlState() {
        return sqlState;
    }
}
