package io.troth.bench.postgres;

import io.troth.bench.contender.Database;
import java.sql.Connection;
import java.sql.SQLException;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.List;
import java.util.concurrent.Semaphore;

/** A pool that does nothing but hand out: the connection returned last goes first. Thread-safe. */
final class ConnectionShelf implements AutoCloseable {

    private final Database database;
    private final Semaphore permits;
    private final Deque<Connection> free = new ArrayDeque<>();
    private final List<Connection> all = new ArrayList<>();

    ConnectionShelf(Database database, int connections) {
        this.database = database;
        this.permits = new Semaphore(connections);
    }

    /** Waits while all are in use. */
    Connection take() throws SQLException, InterruptedException {
        permits.acquire();
        synchronized (free) {
            Connection connection = free.pollLast();
            if (connection != null) {
                return connection;
            }
        }
        boolean opened = false;
        try {
            Connection connection = database.connect();
            synchronized (free) {
                all.add(connection);
            }
            opened = true;
            return connection;
        } finally {
            if (!opened) {
                permits.release();
            }
        }
    }

    void giveBack(Connection connection) {
        synchronized (free) {
            free.addLast(connection);
        }
        permits.release();
    }

    @Override
    public void close() throws SQLException {
        synchronized (free) {
            for (Connection connection : all) {
                connection.close();
            }
        }
    }
}
