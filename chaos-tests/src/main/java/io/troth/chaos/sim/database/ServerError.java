package io.troth.chaos.sim.database;

import java.sql.SQLException;

/** An error that the server has answered, so that its session lives on. */
record ServerError(String sqlState, String message) {

    static final String CANCELLED = "57014";
    static final String DEADLOCK = "40P01";

    SQLException toException() {
        return new SQLException(message, sqlState);
    }
}
