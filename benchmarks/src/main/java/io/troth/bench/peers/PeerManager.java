package io.troth.bench.peers;

import java.sql.Connection;

/** A transaction manager that runs, with its pools. Thread-safe; a transaction stays on the thread that began it. */
public interface PeerManager {

    /** Begins a transaction on the calling thread. */
    PeerTransaction begin() throws Exception;

    /** How often its log was forced so far by means that the JVM records no event for. */
    default long unrecordedForces() {
        return 0;
    }

    /** Ends it; its transactions are over by then. */
    void stop() throws Exception;

    /** A transaction on the thread that began it; ends with the first call of {@link #commit} or {@link #rollback}. */
    interface PeerTransaction {

        /** The connection for a database, enlisted with the first call; the caller does not close it. */
        Connection connection(int resource) throws Exception;

        /** Commits at every database; a failure leaves nothing open. */
        void commit() throws Exception;

        void rollback() throws Exception;
    }
}
