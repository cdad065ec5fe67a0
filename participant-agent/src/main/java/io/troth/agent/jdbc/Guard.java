package io.troth.agent.jdbc;

import java.sql.SQLException;
import java.sql.Statement;
import org.jspecify.annotations.Nullable;

/** Through what every call on a wrapped JDBC object goes. One for each connection handle; thread-safe. */
interface Guard {

    /** A call into the driver. */
    @FunctionalInterface
    interface Call<T> {
        @Nullable
        T run() throws SQLException;
    }

    /** Throws when the handle may not be used here and now. Speaks to nobody. */
    void check() throws SQLException;

    /**
     * Makes a call that may speak to the database.
     *
     * @param statement what to cancel when the branch has to end meanwhile
     */
    <T> @Nullable T run(Use use, @Nullable Statement statement, Call<T> call) throws SQLException;

    /** The failure of a call in memory, or why the object of the call was taken from the application. */
    default SQLException explained(SQLException failure) {
        return failure;
    }

    /** Lets go of a driver's object; does nothing when the connection is no longer the handle's. */
    void release(Call<Void> call) throws SQLException;

    /** Whether the application may reach the driver's own object. */
    boolean mayUnwrap();
}
