package io.troth.client;

import io.troth.core.Reason;
import io.troth.core.TrothException;

/** The database did not execute a statement of remote SQL. The transaction is rollback-only. */
public final class SqlFailedException extends TrothException {

    private final String sqlState;

    /** Made by the library. */
    public SqlFailedException(Reason reason, String sqlState, Throwable cause) {
        super(reason, cause);
        this.sqlState = sqlState;
    }

    /** The database's own state, five characters. */
    public String sqlState() {
        return sqlState;
    }
}
