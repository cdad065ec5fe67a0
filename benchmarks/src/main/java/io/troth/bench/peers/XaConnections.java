package io.troth.bench.peers;

import io.troth.bench.contender.Database;
import java.sql.Connection;
import java.sql.SQLException;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.ArrayBlockingQueue;
import java.util.concurrent.BlockingQueue;
import javax.sql.XAConnection;
import javax.transaction.xa.XAResource;
import org.postgresql.xa.PGXADataSource;

/**
 * A pool of XA connections for a transaction manager that comes without one: fixed size, no validation, the open handle of
 * each connection is kept, so that nothing a pool might do costs the manager anything. Thread-safe.
 */
public final class XaConnections implements AutoCloseable {

    private final PGXADataSource source;
    private final BlockingQueue<Pooled> free;

    public XaConnections(Database database, int size) throws SQLException {
        source = dataSource(database);
        free = new ArrayBlockingQueue<>(size);
        for (int i = 0; i < size; i++) {
            free.add(open());
        }
    }

    /** What every peer's pool stands on. Its settings, such as the cache of prepared statements, are the driver's defaults. */
    static PGXADataSource dataSource(Database database) {
        PGXADataSource source = new PGXADataSource();
        source.setUrl(database.url());
        return source;
    }

    /** Waits until one is free. */
    public Pooled take() throws InterruptedException {
        return free.take();
    }

    /** Gives one back that is in no transaction any more. */
    public void giveBack(Pooled connection) {
        free.add(connection);
    }

    /** Puts a new one in the place of one whose state is unknown. */
    public void replace(Pooled connection) throws SQLException {
        connection.xa().close();
        free.add(open());
    }

    private Pooled open() throws SQLException {
        XAConnection xa = source.getXAConnection();
        return new Pooled(xa, xa.getXAResource(), xa.getConnection());
    }

    /** Closes those that were given back. */
    @Override
    public void close() throws SQLException {
        List<Pooled> all = new ArrayList<>();
        free.drainTo(all);
        for (Pooled connection : all) {
            connection.xa().close();
        }
    }

    /** One connection, with what is used of it. */
    public record Pooled(XAConnection xa, XAResource resource, Connection connection) {}
}
