package io.troth.agent.xa;

import io.troth.agent.engine.ResourceIdentity;
import io.troth.core.ErrorCode;
import io.troth.core.Proof;
import io.troth.core.Reason;
import io.troth.core.coordinator.Fate;
import io.troth.core.participant.PhaseTwoCompletion;
import java.sql.Connection;
import java.sql.DatabaseMetaData;
import java.sql.SQLException;
import java.time.Clock;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.concurrent.atomic.AtomicReference;
import javax.sql.DataSource;
import javax.sql.XADataSource;
import javax.transaction.xa.XAException;
import javax.transaction.xa.XAResource;
import javax.transaction.xa.Xid;
import org.jspecify.annotations.Nullable;

/**
 * Any database through its XAResource. It has no proof of a branch's fate: a branch that has vanished is reported as
 * resolved elsewhere, and a lost one-phase commit stays unknown. The canary decides whether a database is fit at all.
 */
public final class XaDriver implements ResourceDriver {

    private static final String CONNECTION_REJECTED = "08004";

    private final XADataSource source;
    private final boolean tiesPreparedToSession;
    private final Clock clock;
    private final AtomicReference<@Nullable String> firstOpened = new AtomicReference<>();

    /**
     * Wraps where connections come from.
     *
     * @param source gives unpooled connections, always of the same user and database
     * @param tiesPreparedToSession true when only the session that prepared a branch can finish it as long as it lives
     * @param clock the wall clock, for the age of left-over canaries
     */
    public XaDriver(XADataSource source, boolean tiesPreparedToSession, Clock clock) {
        this.source = source;
        this.tiesPreparedToSession = tiesPreparedToSession;
        this.clock = clock;
    }

    @Override
    public DataSource physicalConnections() {
        return new XaConnections();
    }

    private final class XaConnections extends PhysicalConnections {

        @Override
        Connection open() throws SQLException {
            Connection session = XaSession.open(source);
            try {
                checkProduct(session);
                checkSame(XaDatabaseId.read(session));
                return session;
            } catch (SQLException | RuntimeException | Error e) {
                close(session, e);
                throw e;
            }
        }
    }

    /** Some pass the canary, and are not fit all the same. */
    private static void checkProduct(Connection session) throws SQLException {
        String refused = switch (session.getMetaData().getDatabaseProductName()) {
            case "PostgreSQL" ->
                "PostgreSQL takes part by a PGXADataSource or PGSimpleDataSource itself, not by an XADataSource"
                        + " around one or of another driver: nobody would notice SQL text that ends a branch's"
                        + " transaction";
            case "MySQL", "MariaDB" ->
                "MySQL and MariaDB do not take part: there a prepared branch can belong to its session, and"
                        + " nobody looks at the settings without which a crash loses it"
                        + " (innodb_flush_log_at_trx_commit, sync_binlog)";
            default -> null;
        };
        if (refused != null) {
            throw new SQLException(refused, PostgresErrors.FEATURE_NOT_SUPPORTED);
        }
    }

    /** Another database has never heard of the branches of the first one, and would be believed (protocol 9.3). */
    private void checkSame(String opened) throws SQLException {
        firstOpened.compareAndSet(null, opened);
        if (!opened.equals(firstOpened.get())) {
            throw new SQLException(
                    "this is another database than the one that the agent began with; if it shall be, restart the agent: "
                            + XaDatabaseId.TABLE + " says " + opened + ", not " + firstOpened.get(),
                    CONNECTION_REJECTED);
        }
    }

    @Override
    public ResourceIdentity inspect(Connection connection, int poolSize) throws SQLException {
        DatabaseMetaData database = connection.getMetaData();
        String product =
                database.getDatabaseProductName().toLowerCase(Locale.ROOT).replace(' ', '-');
        return new ResourceIdentity(
                product, "id=" + XaDatabaseId.read(connection), String.valueOf(database.getUserName()));
    }

    @Override
    public void canary() throws SQLException, ResourceUnsuitableException {
        XaCanary canary = new XaCanary(source, clock);
        if (!tiesPreparedToSession) {
            canary.run(false);
        }
        canary.run(true);
    }

    @Override
    public BranchTransaction begin(Connection connection, TrothXid xid, BranchStart start) throws SQLException {
        if (start.isolation() != BranchStart.DEFAULT_ISOLATION) {
            connection.setTransactionIsolation(start.isolation());
        }
        return XaBranch.begin(XaSession.of(connection), xid);
    }

    @Override
    public PhaseTwoCompletion commitPrepared(
            Connection connection, TrothXid xid, @Nullable Proof proof, boolean firstAttempt) {
        try {
            XAResource resource = XaSession.of(connection).resource();
            try {
                resource.commit(xid, false);
                return PhaseTwoCompletion.done();
            } catch (XAException e) {
                return switch (XaErrors.verdict(e)) {
                    case HEURISTIC_COMMIT -> PhaseTwoCompletion.done();
                    case ROLLED_BACK, HEURISTIC_ROLLBACK, HEURISTIC_MIXED ->
                        PhaseTwoCompletion.heuristic(
                                "branch " + xid + " was not (wholly) committed: " + XaErrors.describe(e));
                    case NOT_KNOWN -> isListed(resource, xid) ? busy(xid) : gone(xid, firstAttempt);
                    case UNCLEAR -> notYet(xid, XaErrors.describe(e));
                };
            }
        } catch (SQLException e) {
            return notYet(xid, e.getMessage());
        } catch (XAException e) {
            return notYet(xid, "the list of prepared branches failed, " + XaErrors.describe(e));
        }
    }

    @Override
    public PhaseTwoCompletion rollbackPrepared(Connection connection, TrothXid xid, @Nullable Proof proof) {
        try {
            XAResource resource = XaSession.of(connection).resource();
            try {
                resource.rollback(xid);
                return PhaseTwoCompletion.done();
            } catch (XAException e) {
                return switch (XaErrors.verdict(e)) {
                    case ROLLED_BACK, HEURISTIC_ROLLBACK -> PhaseTwoCompletion.done();
                    case HEURISTIC_COMMIT, HEURISTIC_MIXED ->
                        PhaseTwoCompletion.heuristic(
                                "branch " + xid + " was not (wholly) rolled back: " + XaErrors.describe(e));
                    case NOT_KNOWN -> isListed(resource, xid) ? busy(xid) : PhaseTwoCompletion.done();
                    case UNCLEAR -> notYet(xid, XaErrors.describe(e));
                };
            }
        } catch (SQLException e) {
            return notYet(xid, e.getMessage());
        } catch (XAException e) {
            return notYet(xid, "the list of prepared branches failed, " + XaErrors.describe(e));
        }
    }

    private static PhaseTwoCompletion gone(TrothXid xid, boolean firstAttempt) {
        return firstAttempt
                ? PhaseTwoCompletion.resolvedElsewhere("branch " + xid + " was no longer prepared")
                : PhaseTwoCompletion.done();
    }

    private static PhaseTwoCompletion busy(TrothXid xid) {
        return notYet(xid, "another session holds it");
    }

    private static PhaseTwoCompletion notYet(TrothXid xid, @Nullable String why) {
        return PhaseTwoCompletion.notYet(new Reason(ErrorCode.DATABASE_UNAVAILABLE, "branch " + xid + ": " + why));
    }

    private static boolean isListed(XAResource resource, TrothXid xid) throws XAException {
        return list(resource).contains(xid);
    }

    private static List<TrothXid> list(XAResource resource) throws XAException {
        Xid[] recovered = resource.recover(XAResource.TMSTARTRSCAN | XAResource.TMENDRSCAN);
        List<TrothXid> listed = new ArrayList<>();
        if (recovered != null) {
            for (Xid one : recovered) {
                TrothXid xid = TrothXid.read(one.getFormatId(), one.getGlobalTransactionId(), one.getBranchQualifier());
                if (xid != null) {
                    listed.add(xid);
                }
            }
        }
        return List.copyOf(listed);
    }

    @Override
    public List<TrothXid> listPrepared(Connection connection) throws SQLException {
        try {
            XAResource resource = XaSession.of(connection).resource();
            XaCanary.removeLeftOvers(resource, clock);
            return list(resource);
        } catch (XAException e) {
            throw new SQLException("prepared branches cannot be listed, " + XaErrors.describe(e), "HY000", e);
        }
    }

    /** There is no proof, so nobody asks; were it asked, the answer would be that nothing is known. */
    @Override
    public Fate fate(Connection connection, Proof proof) {
        return Fate.UNKNOWN;
    }

    @Override
    public boolean tiesPreparedToSession() {
        return tiesPreparedToSession;
    }

    @Override
    public boolean isClean(Connection connection) {
        try {
            return !XaSession.of(connection).isInBranch() && !connection.isClosed() && connection.getAutoCommit();
        } catch (SQLException e) {
            return false;
        }
    }

    @Override
    public boolean isConnectionLost(SQLException failure) {
        return XaErrors.isConnectionLost(failure);
    }
}
