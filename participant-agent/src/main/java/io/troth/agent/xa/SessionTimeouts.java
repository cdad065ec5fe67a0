package io.troth.agent.xa;

/**
 * The timeouts that a PostgreSQL session has by its role, its database or its server, in ms; 0 for none. They are those of
 * the login, like all that a role has: read once per connection, so that a branch's begin need not compare them.
 *
 * @param lock {@code lock_timeout}
 * @param idle {@code idle_in_transaction_session_timeout}
 * @param transaction {@code transaction_timeout}, of version 17 and later
 */
record SessionTimeouts(long lock, long idle, long transaction) {

    static final SessionTimeouts NONE = new SessionTimeouts(0, 0, 0);

    /** Columns for all three, in this order. */
    static final String COLUMNS = millis("lock_timeout") + ", " + millis("idle_in_transaction_session_timeout") + ", "
            + millis("transaction_timeout");

    private static String millis(String name) {
        return "(EXTRACT(EPOCH FROM COALESCE(pg_catalog.current_setting('" + name
                + "', true), '0')::pg_catalog.interval) OPERATOR(pg_catalog.*) 1000)::pg_catalog.int8";
    }

    /** What a branch is to have that needs a limit: an administrator's stricter one stays. */
    static long stricter(long session, long ours) {
        return session == 0 ? ours : Math.min(session, ours);
    }
}
