package io.troth.chaos.sim.database;

import java.sql.SQLException;
import java.sql.SQLNonTransientConnectionException;
import java.util.List;
import java.util.concurrent.TimeUnit;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;

/**
 * The client's end of one connection. A connection dies here first, at the server a little later: what was sent before is
 * carried out there, perhaps long after the client has given up.
 */
final class ClientEnd {

    private static final long NOTICE_NANOS_MAX = TimeUnit.MILLISECONDS.toNanos(400);
    /** How long a server may go on with a request whose client is gone. */
    static final long LATE_NANOS_MAX = TimeUnit.SECONDS.toNanos(5);

    /** What is done at the server in a round trip. */
    @FunctionalInterface
    interface Request<T> {
        T run() throws SQLException;
    }

    final SimulatedServer server;
    final ServerSession session;
    private boolean closed;
    private Runnable answered = () -> {};

    private ClientEnd(SimulatedServer server, ServerSession session) {
        this.server = server;
        this.session = session;
    }

    static ClientEnd open(SimulatedServer server) throws SQLException {
        if (server.strikes(DatabaseFault.CONNECT_REFUSED)) {
            throw new SQLNonTransientConnectionException("connection refused", "08001");
        }
        return new ClientEnd(server, server.connect());
    }

    /** Hears of every answer to a statement of the application. */
    void onAnswer(Runnable listener) {
        answered = listener;
    }

    boolean isClosed() {
        return closed;
    }

    /** What a ping would tell. */
    boolean isWhole() {
        return !closed && session.open;
    }

    /** Sends a request and waits for its answer; the connection may die in between. */
    <T> T send(Trip trip, Request<T> request) throws SQLException {
        ensureAlive();
        DatabaseFault fault = faultOf(trip);
        if (fault == null) {
            return request.run();
        }
        if (fault == trip.before) {
            cut();
        } else if (fault == trip.after) {
            carryOut(request);
            cut();
        } else {
            closed = true;
            server.world.schedule(1 + server.world.random().nextLong(LATE_NANOS_MAX), () -> {
                if (session.open) {
                    carryOut(request);
                    server.end(session);
                }
            });
        }
        throw new SQLNonTransientConnectionException("an I/O error occurred while talking to the server", "08006");
    }

    /** How the connection dies in this round trip; null when it does not. */
    private @Nullable DatabaseFault faultOf(Trip trip) {
        for (DatabaseFault fault : trip.faults()) {
            if (server.strikes(fault)) {
                return fault;
            }
        }
        return null;
    }

    /** Runs a statement of the application, which may have to wait for a lock; exactly one of the two hears of its end. */
    void execute(
            SqlOperation operation, long lockWaitMillis, Consumer<List<Long>> done, Consumer<SQLException> failed) {
        try {
            ensureAlive();
        } catch (SQLException e) {
            failed.accept(e);
            return;
        }
        DatabaseFault fault = faultOf(Trip.STATEMENT);
        if (fault != null) {
            if (server.world.random().nextBoolean()) {
                new ServerStatement(server, session, operation, row -> {}, error -> {}).start(lockWaitMillis);
            }
            cut();
            failed.accept(new SQLNonTransientConnectionException("an I/O error occurred", "08006"));
            return;
        }
        ServerStatement statement = new ServerStatement(
                server,
                session,
                operation,
                row -> {
                    answered.run();
                    done.accept(row);
                },
                error -> {
                    closed |= !session.open;
                    answered.run();
                    failed.accept(error.toException());
                });
        statement.start(lockWaitMillis);
    }

    /** The answer has nowhere to go, good or bad. */
    private static <T> void carryOut(Request<T> request) {
        try {
            T unused = request.run();
        } catch (SQLException unheard) {
            // The client is not there to hear it.
        }
    }

    /** Notices an end that came from the server. */
    void ensureAlive() throws SQLException {
        if (!closed && !session.open) {
            closed = true;
            throw new SQLNonTransientConnectionException(
                    "terminating connection due to administrator command", "57P01");
        }
        if (closed) {
            throw new SQLNonTransientConnectionException("this connection has been closed", "08003");
        }
    }

    /** An orderly close, which the server hears at once. */
    void close() {
        if (!closed) {
            closed = true;
            server.end(session);
        }
    }

    /** Lost, cut, or its process is gone: the server notices a little later. */
    void cut() {
        if (!closed) {
            closed = true;
            server.world.schedule(server.world.random().nextLong(NOTICE_NANOS_MAX), () -> server.end(session));
        }
    }
}
