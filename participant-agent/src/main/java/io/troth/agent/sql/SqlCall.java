package io.troth.agent.sql;

import com.google.errorprone.annotations.concurrent.GuardedBy;
import java.sql.SQLException;
import java.sql.Statement;
import org.jspecify.annotations.Nullable;

/** One call at the gateway, which may be given up from another thread while its statement runs. Thread-safe. */
public final class SqlCall {

    private static final String QUERY_CANCELED = "57014";

    @GuardedBy("this")
    private @Nullable Statement running;

    @GuardedBy("this")
    private boolean cancelled;

    /**
     * Nobody waits for the call any more: stops its statement, and lets no other one start. May block for a moment.
     *
     * @return whether the statement has not ended: a driver takes no cancel for one that it has not sent yet, so come again
     */
    public boolean cancel() {
        Statement statement;
        synchronized (this) {
            cancelled = true;
            statement = running;
        }
        if (statement == null) {
            return false;
        }
        try {
            statement.cancel();
        } catch (SQLException | RuntimeException | Error e) {
            // It has ended or lost its connection; its own thread says so.
        }
        synchronized (this) {
            return running != null;
        }
    }

    /** Whether anybody waits for it. */
    public synchronized boolean isCancelled() {
        return cancelled;
    }

    /** The statement is about to run, or to fetch. */
    synchronized void runs(Statement statement) throws SQLException {
        if (cancelled) {
            throw new SQLException("the call was given up", QUERY_CANCELED);
        }
        running = statement;
    }

    /** The statement has ended, or its fetch has. */
    synchronized void ended() {
        running = null;
    }
}
