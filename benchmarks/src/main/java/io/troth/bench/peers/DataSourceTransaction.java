package io.troth.bench.peers;

import io.troth.bench.peers.PeerManager.PeerTransaction;
import java.sql.Connection;
import java.sql.SQLException;
import java.util.List;
import javax.sql.DataSource;
import org.jspecify.annotations.Nullable;

/** A transaction with a peer whose data sources enlist their connections by themselves. */
final class DataSourceTransaction implements PeerTransaction {

    private final List<DataSource> sources;
    private final End commit;
    private final End rollback;
    private final @Nullable Connection[] connections;

    /** What ends the transaction of the calling thread. */
    interface End {
        void run() throws Exception;
    }

    DataSourceTransaction(List<DataSource> sources, End commit, End rollback) {
        this.sources = sources;
        this.commit = commit;
        this.rollback = rollback;
        this.connections = new Connection[sources.size()];
    }

    @Override
    public Connection connection(int resource) throws SQLException {
        Connection connection = connections[resource];
        if (connection == null) {
            connection = sources.get(resource).getConnection();
            connections[resource] = connection;
        }
        return connection;
    }

    @Override
    public void commit() throws Exception {
        try {
            closeHandles();
        } catch (SQLException e) {
            rollback.run();
            throw e;
        }
        commit.run();
    }

    @Override
    public void rollback() throws Exception {
        try {
            closeHandles();
        } finally {
            rollback.run();
        }
    }

    /** As an application does when its statements are done; the pools keep the connections until the end. */
    private void closeHandles() throws SQLException {
        for (Connection connection : connections) {
            if (connection != null) {
                connection.close();
            }
        }
    }
}
