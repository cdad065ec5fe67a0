package io.troth.chaos.sim.database;

import javax.transaction.xa.XAException;

/**
 * The kinds of databases, by what they do differently. "Measured" and "read" as in the project's notes on XA; what
 * nobody measured is not made up: there is no flavour for Db2.
 */
public enum Flavour {
    /** Version 18, through the agent's own SQL. Measured. */
    POSTGRESQL("PostgreSQL", Prepared.FREE, false, XAException.XAER_RMFAIL, XAException.XAER_NOTA),
    /** Measured, 10.11 and 11.4: a prepared branch is its session's; socket errors come with error code 0. */
    MARIADB("MariaDB", Prepared.TIED, false, 0, XAException.XAER_NOTA),
    /** Read: MySQL up to 8.0.28, or with {@code xa_detach_on_prepare=OFF}. */
    MYSQL_ATTACHED("MySQL", Prepared.TIED, false, XAException.XAER_RMFAIL, XAException.XAER_NOTA),
    /** Read: MySQL 8.0.29 and later. */
    MYSQL_DETACHED("MySQL", Prepared.FREE, false, XAException.XAER_RMFAIL, XAException.XAER_NOTA),
    /** Read: answers a branch that wrote nothing with XA_RDONLY and then knows nothing of it; error code 0. */
    ORACLE("Oracle", Prepared.FREE, true, 0, XAException.XAER_NOTA),
    /** Read: XAER_RMERR where the outcome is unknown. */
    SQL_SERVER("Microsoft SQL Server", Prepared.FREE, true, XAException.XAER_RMERR, XAException.XAER_NOTA),
    /** Measured, 10.16: the one embedded engine that was right in every row. */
    DERBY("Apache Derby", Prepared.FREE, true, XAException.XAER_RMFAIL, XAException.XAER_NOTA),
    /** Measured, 2.5: rolls a prepared branch back with its session. Its canary must die. */
    H2("H2", Prepared.ROLLED_BACK_AT_CLOSE, false, 0, 0),
    /** Measured, 2.7: lists a prepared branch after its session, says "committed", and has lost the work. */
    HSQLDB("HSQL Database Engine", Prepared.LOST_AT_CLOSE, false, 0, 0);

    /** What a prepared branch has to do with the session that prepared it. */
    enum Prepared {
        /** Nothing: any session finishes it. */
        FREE,
        /** Only that session finishes it as long as it lives. */
        TIED,
        ROLLED_BACK_AT_CLOSE,
        LOST_AT_CLOSE
    }

    private final String product;
    private final Prepared prepared;
    private final boolean honestReadOnly;
    private final int connectionCode;
    private final int unknownCode;

    Flavour(String product, Prepared prepared, boolean honestReadOnly, int connectionCode, int unknownCode) {
        this.product = product;
        this.prepared = prepared;
        this.honestReadOnly = honestReadOnly;
        this.connectionCode = connectionCode;
        this.unknownCode = unknownCode;
    }

    String product() {
        return product;
    }

    /** A failed statement spoils the transaction; else only the statement is undone. */
    boolean failedStatementFailsTransaction() {
        return this == POSTGRESQL;
    }

    Prepared prepared() {
        return prepared;
    }

    /** Only the session that prepared a branch can finish it as long as it lives. */
    public boolean tiesPreparedToSession() {
        return prepared == Prepared.TIED;
    }

    /** A branch that wrote nothing is answered with XA_RDONLY and is over. */
    boolean honestReadOnly() {
        return honestReadOnly;
    }

    /** The {@code XAException.errorCode} of a broken connection. */
    int connectionCode() {
        return connectionCode;
    }

    /** The {@code XAException.errorCode} for a branch that the server does not know. */
    int unknownCode() {
        return unknownCode;
    }
}
