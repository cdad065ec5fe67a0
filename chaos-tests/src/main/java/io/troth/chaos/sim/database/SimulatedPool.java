package io.troth.chaos.sim.database;

import java.sql.Connection;
import java.sql.SQLException;
import java.sql.SQLTransientConnectionException;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;
import java.util.function.Consumer;
import javax.sql.DataSource;
import org.jspecify.annotations.Nullable;

/** A pool of connections as the agent's: bounded, and whoever finds none waits for one, or for the server to be there. */
final class SimulatedPool {

    private static final long RETRY_NANOS = TimeUnit.MILLISECONDS.toNanos(100);

    /** One who waits. */
    private static final class Waiter {
        final Consumer<Connection> got;
        final Consumer<SQLException> failed;
        boolean over;

        Waiter(Consumer<Connection> got, Consumer<SQLException> failed) {
            this.got = got;
            this.failed = failed;
        }
    }

    private final DataSource source;
    private final int size;
    private final Surroundings process;
    private final ArrayDeque<Connection> idle = new ArrayDeque<>();
    private final List<Connection> open = new ArrayList<>();
    private final ArrayDeque<Waiter> waiters = new ArrayDeque<>();

    SimulatedPool(DataSource source, int size, Surroundings process) {
        this.source = source;
        this.size = size;
        this.process = process;
    }

    /** Gives a connection, perhaps at once; exactly one of the two hears of it. */
    void take(long waitMillis, Consumer<Connection> got, Consumer<SQLException> failed) {
        Waiter waiter = new Waiter(got, failed);
        waiters.add(waiter);
        serve();
        if (!waiter.over) {
            process.schedule(TimeUnit.MILLISECONDS.toNanos(waitMillis), () -> giveUp(waiter));
        }
    }

    private void giveUp(Waiter waiter) {
        if (!waiter.over) {
            waiter.over = true;
            waiters.remove(waiter);
            waiter.failed.accept(
                    new SQLTransientConnectionException("no connection is free or can be opened", "08001"));
        }
    }

    private void serve() {
        while (!waiters.isEmpty()) {
            Connection connection = next();
            if (connection == null) {
                return;
            }
            Waiter waiter = waiters.remove();
            waiter.over = true;
            waiter.got.accept(connection);
        }
    }

    /** Null when there is none, or the server refuses; then it is asked again. */
    private @Nullable Connection next() {
        while (!idle.isEmpty()) {
            Connection connection = idle.remove();
            if (endOf(connection).isWhole()) {
                return connection;
            }
            close(connection);
        }
        if (open.size() >= size) {
            return null;
        }
        try {
            Connection connection = source.getConnection();
            open.add(connection);
            return connection;
        } catch (SQLException e) {
            process.schedule(RETRY_NANOS, this::serve);
            return null;
        }
    }

    static ClientEnd endOf(Connection connection) {
        try {
            return connection.unwrap(ClientEnd.class);
        } catch (SQLException e) {
            throw new IllegalStateException("not a simulated connection", e);
        }
    }

    void giveBack(Connection connection) {
        if (open.contains(connection)) {
            idle.add(connection);
            serve();
        }
    }

    void evict(Connection connection) {
        close(connection);
        serve();
    }

    private void close(Connection connection) {
        if (open.remove(connection)) {
            endOf(connection).close();
        }
    }

    int inUse() {
        return open.size() - idle.size();
    }

    /** Its process is gone: nobody says good-bye. */
    void cutAll() {
        open.forEach(connection -> endOf(connection).cut());
        open.clear();
        idle.clear();
        waiters.clear();
    }
}
