package io.troth.chaos.sim.database;

import org.jspecify.annotations.Nullable;

/** One session at a server, as the server sees it: it may live on for a while when its client is gone. */
final class ServerSession {

    final long id;
    boolean open = true;

    /** What runs in it, or is prepared and tied to it; null when nothing does. */
    @Nullable
    ServerTransaction transaction;

    /** The end of what waits for a lock in it, called with an error; null when nothing waits. */
    @Nullable
    Waiting waiting;

    // What PostgreSQL keeps for the transaction that runs.
    @Nullable
    String marker;

    long startMicros;

    /** The driver's prepared statement, as it was sent; null when there is none. */
    @Nullable
    String probe;

    /** Hears that the session was ended from outside. */
    Runnable ended = () -> {};

    ServerSession(long id) {
        this.id = id;
    }

    /** A statement that waits for a lock. */
    interface Waiting {
        void fails(ServerError why);
    }
}
