package io.troth.agent.xa;

import java.nio.ByteBuffer;
import java.security.SecureRandom;
import java.sql.Connection;
import java.sql.PreparedStatement;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Statement;
import java.time.Clock;
import java.time.Duration;
import java.util.Arrays;
import javax.sql.XAConnection;
import javax.sql.XADataSource;
import javax.transaction.xa.XAException;
import javax.transaction.xa.XAResource;
import javax.transaction.xa.Xid;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * A try whether a database keeps what a prepare promises: one row, written in a branch that is prepared on one session
 * and committed from another, must be there afterwards. Some databases answer every call with success and lose the row.
 * It needs a table of its own, {@code troth_canary}, which it makes where it may.
 */
final class XaCanary {

    private static final Logger LOG = LoggerFactory.getLogger(XaCanary.class);

    private static final long LEFT_OVER_MILLIS = Duration.ofMinutes(10).toMillis();

    private final XADataSource source;
    private final Clock clock;

    XaCanary(XADataSource source, Clock clock) {
        this.source = source;
        this.clock = clock;
    }

    /** The canary's own Xid: the time and 8 random bytes, under a format id that no branch has. */
    @SuppressWarnings("ArrayRecordComponent") // Nobody compares two of them with equals.
    private record CanaryXid(byte[] gtrid, byte[] bqual) implements Xid {

        @Override
        public int getFormatId() {
            return PostgresSelfTest.CANARY_FORMAT_ID;
        }

        @Override
        public byte[] getGlobalTransactionId() {
            return gtrid.clone();
        }

        @Override
        public byte[] getBranchQualifier() {
            return bqual.clone();
        }

        boolean is(Xid other) {
            return other.getFormatId() == getFormatId()
                    && Arrays.equals(gtrid, other.getGlobalTransactionId())
                    && Arrays.equals(bqual, other.getBranchQualifier());
        }
    }

    private CanaryXid next() {
        long random = new SecureRandom().nextLong();
        byte[] gtrid = ByteBuffer.allocate(2 * Long.BYTES)
                .putLong(clock.millis())
                .putLong(random)
                .array();
        return new CanaryXid(gtrid, new byte[] {1});
    }

    /**
     * Prepares on one session and commits from another.
     *
     * @param closeFirst whether the session that prepared is closed before the commit
     */
    void run(boolean closeFirst) throws SQLException, ResourceUnsuitableException {
        CanaryXid xid = next();
        String row = Long.toHexString(ByteBuffer.wrap(xid.gtrid()).getLong(Long.BYTES));
        XAConnection first = source.getXAConnection();
        XAConnection second = null;
        boolean finished = false;
        try {
            prepare(first, xid, row);
            if (closeFirst) {
                first.close();
            }
            second = source.getXAConnection();
            finish(second, xid, row);
            finished = true;
        } catch (XAException e) {
            if (XaErrors.isConnectionLost(e)) {
                throw new SQLException("a session of the canary was lost, " + XaErrors.describe(e), "08006", e);
            }
            throw new ResourceUnsuitableException(
                    "a prepared test transaction cannot be finished from another session"
                            + (closeFirst ? " after its own was closed, " : ", ") + XaErrors.describe(e),
                    e);
        } finally {
            if (!finished) {
                // Where a prepared branch belongs to its session, this one is the only one that can.
                rollback(closeFirst && second != null ? second : first, xid);
            }
            close(first);
            if (second != null) {
                close(second);
            }
        }
    }

    private void prepare(XAConnection session, CanaryXid xid, String row)
            throws SQLException, XAException, ResourceUnsuitableException {
        Connection connection = session.getConnection();
        XAResource resource = session.getXAResource();
        removeLeftOvers(resource, clock);
        ensureTable(connection);
        resource.start(xid, XAResource.TMNOFLAGS);
        try (PreparedStatement insert = connection.prepareStatement("INSERT INTO troth_canary (id) VALUES (?)")) {
            insert.setString(1, row);
            insert.executeUpdate();
        }
        resource.end(xid, XAResource.TMSUCCESS);
        int vote = resource.prepare(xid);
        if (vote != XAResource.XA_OK) {
            throw new ResourceUnsuitableException("a test transaction that wrote answered its prepare with " + vote);
        }
    }

    /** Asks for no row that there is: where readers wait for writers, the row of an older canary would be waited for. */
    private static void ensureTable(Connection connection) throws SQLException, ResourceUnsuitableException {
        try (Statement statement = connection.createStatement()) {
            try (ResultSet rows = statement.executeQuery("SELECT id FROM troth_canary WHERE id = ''")) {
                boolean unused = rows.next();
            } catch (SQLException missing) {
                if (XaErrors.isConnectionLost(missing)) {
                    throw missing;
                }
                createTable(statement, missing);
            }
        }
    }

    private static void createTable(Statement statement, SQLException missing) throws ResourceUnsuitableException {
        try {
            statement.execute("CREATE TABLE troth_canary (id VARCHAR(32) NOT NULL PRIMARY KEY)");
        } catch (SQLException e) {
            e.addSuppressed(missing);
            throw new ResourceUnsuitableException(
                    "the table troth_canary (id VARCHAR(32) PRIMARY KEY) can neither be read, SQLState "
                            + missing.getSQLState() + ": " + missing.getMessage() + ", nor made, SQLState "
                            + e.getSQLState() + ": " + e.getMessage(),
                    e);
        }
    }

    private void finish(XAConnection session, CanaryXid xid, String row)
            throws SQLException, XAException, ResourceUnsuitableException {
        XAResource resource = session.getXAResource();
        Xid[] listed = resource.recover(XAResource.TMSTARTRSCAN | XAResource.TMENDRSCAN);
        if (listed == null || Arrays.stream(listed).noneMatch(xid::is)) {
            throw new ResourceUnsuitableException("the database does not list a prepared test transaction");
        }
        resource.commit(xid, false);
        try (PreparedStatement delete =
                session.getConnection().prepareStatement("DELETE FROM troth_canary WHERE id = ?")) {
            delete.setString(1, row);
            if (delete.executeUpdate() != 1) {
                throw new ResourceUnsuitableException(
                        "the database said that a prepared test transaction is committed, and its row is not there");
            }
        }
    }

    /** Rolls back canaries whose agent or server died on the way. */
    static void removeLeftOvers(XAResource resource, Clock clock) throws XAException {
        Xid[] listed = resource.recover(XAResource.TMSTARTRSCAN | XAResource.TMENDRSCAN);
        for (Xid one : listed == null ? new Xid[0] : listed) {
            byte[] gtrid = one.getGlobalTransactionId();
            boolean ours = one.getFormatId() == PostgresSelfTest.CANARY_FORMAT_ID && gtrid.length == 2 * Long.BYTES;
            if (ours && clock.millis() - ByteBuffer.wrap(gtrid).getLong() > LEFT_OVER_MILLIS) {
                try {
                    resource.rollback(one);
                } catch (XAException e) {
                    // Another instance's canary may be faster; what stays is found by the next one.
                    LOG.info("left-over of an earlier canary not removed: {}", XaErrors.describe(e));
                }
            }
        }
    }

    /** A database that is refused need not be asked again, and would hold what is prepared for ever. */
    private static void rollback(XAConnection session, CanaryXid xid) {
        try {
            session.getXAResource().rollback(xid);
        } catch (SQLException | XAException e) {
            LOG.debug("the canary's transaction could not be rolled back", e);
        }
    }

    private static void close(XAConnection session) {
        try {
            session.close();
        } catch (SQLException e) {
            LOG.debug("a session of the canary could not be closed", e);
        }
    }
}
