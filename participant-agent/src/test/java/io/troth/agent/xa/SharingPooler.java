package io.troth.agent.xa;

import io.troth.agent.AbstractDataSource;
import io.troth.agent.database.TestPostgres;
import java.lang.reflect.InvocationTargetException;
import java.lang.reflect.Proxy;
import java.sql.Connection;
import java.sql.SQLException;
import java.util.ArrayList;
import java.util.List;
import org.postgresql.core.BaseConnection;
import org.postgresql.core.TransactionState;

/**
 * What a pooler that shares sessions looks like to its clients: a few sessions of a real server, in turn. By transaction it
 * is the next one's turn whenever a client without a transaction has something to say, by session with each new client.
 */
final class SharingPooler extends AbstractDataSource implements AutoCloseable {

    private final List<BaseConnection> sessions = new ArrayList<>();
    private int turn;

    /** Whether a client keeps its session only for a transaction. */
    boolean byTransaction;

    SharingPooler(TestPostgres server, int size) throws SQLException {
        for (int i = 0; i < size; i++) {
            sessions.add(server.dataSource().getConnection().unwrap(BaseConnection.class));
        }
    }

    private BaseConnection next() {
        return sessions.get(turn++ % sessions.size());
    }

    @Override
    public Connection getConnection() {
        BaseConnection[] own = {next()};
        return (Connection) Proxy.newProxyInstance(
                SharingPooler.class.getClassLoader(), new Class<?>[] {BaseConnection.class}, (self, method, given) -> {
                    switch (method.getName()) {
                        case "unwrap" -> {
                            return self;
                        }
                        case "close" -> {
                            return null;
                        }
                        case "getBackendPID" -> {
                            return -1;
                        }
                        case "equals" -> {
                            return self == given[0];
                        }
                        case "hashCode" -> {
                            return System.identityHashCode(self);
                        }
                        case "createStatement", "prepareStatement" -> {
                            if (byTransaction && own[0].getTransactionState() == TransactionState.IDLE) {
                                own[0] = moved(own[0], next());
                            }
                        }
                        default -> {}
                    }
                    try {
                        return method.invoke(own[0], given);
                    } catch (InvocationTargetException e) {
                        throw e.getCause();
                    }
                });
    }

    private static BaseConnection moved(BaseConnection from, BaseConnection to) throws SQLException {
        boolean autoCommit = from.getAutoCommit();
        from.setAutoCommit(true);
        to.setAutoCommit(autoCommit);
        return to;
    }

    @Override
    public void close() throws SQLException {
        for (BaseConnection session : sessions) {
            session.close();
        }
    }
}
