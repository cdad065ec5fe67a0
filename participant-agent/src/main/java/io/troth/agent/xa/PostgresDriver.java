package io.troth.agent.xa;

import io.troth.agent.engine.ResourceIdentity;
import io.troth.core.ErrorCode;
import io.troth.core.Proof;
import io.troth.core.Reason;
import io.troth.core.XidCodec;
import io.troth.core.coordinator.Fate;
import io.troth.core.participant.PhaseTwoCompletion;
import java.sql.Connection;
import java.sql.PreparedStatement;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Statement;
import java.time.Duration;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.WeakHashMap;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicReference;
import javax.sql.DataSource;
import org.jspecify.annotations.Nullable;
import org.postgresql.core.BaseConnection;
import org.postgresql.core.TransactionState;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * PostgreSQL 14 and later, with our own SQL; see {@link PostgresBranch} for the reason. A prepared branch belongs to the
 * server, not to its session: the connection is free right after prepare, and any connection of the same role and
 * database finishes the branch.
 */
public final class PostgresDriver implements ResourceDriver {

    /** How long prepare, commit and rollback wait for the server by default. */
    public static final int ANSWER_MILLIS_DEFAULT = 30_000;

    private static final Logger LOG = LoggerFactory.getLogger(PostgresDriver.class);

    private static final String LIST = "SELECT gid, transaction,"
            + " pg_catalog.pg_snapshot_xmax(pg_catalog.pg_current_snapshot()) FROM pg_catalog.pg_prepared_xacts"
            + " WHERE database OPERATOR(pg_catalog.=) pg_catalog.current_database()"
            + " AND gid OPERATOR(pg_catalog.~~) '" + XidCodec.FORMAT_ID + "\\_%' ORDER BY gid";

    static final String IS_LISTED =
            "SELECT 1 FROM pg_catalog.pg_prepared_xacts WHERE gid OPERATOR(pg_catalog.=) CAST(? AS pg_catalog.text)";

    /** No row in another session than that of the login: it may be another life's, or another server's. */
    private static final String STATUS =
            "SELECT pg_catalog.pg_xact_status(CAST(? AS pg_catalog.xid8)) WHERE " + PostgresPooler.OWN_SESSION;

    /** The other session needs no more than a flush of the server's log. */
    private static final String WHILE_ANOTHER_SESSION_FINISHES = "SELECT pg_catalog.pg_sleep(0.02)";

    private static final int FINISHING_ATTEMPTS = 5;

    private final DataSource source;
    private final int answerMillis;
    private final Duration leftOverAge;
    private final Map<BaseConnection, ServerFacts> factsByConnection = Collections.synchronizedMap(new WeakHashMap<>());
    private final AtomicReference<@Nullable ResourceIdentity> firstOpened = new AtomicReference<>();
    private final AtomicInteger latestTimeline = new AtomicInteger();

    /** By which to tell what somebody else does to the branches of the last list before they are finished. */
    private volatile Map<TrothXid, PostgresProof> lastListed = Map.of();

    /**
     * Wraps where connections come from.
     *
     * @param source gives unpooled connections of pgjdbc, always of the same role and database
     * @param answerMillis how long prepare, commit and rollback wait for the server; on silence a prepare is in doubt
     */
    public PostgresDriver(DataSource source, int answerMillis) {
        this(source, answerMillis, PostgresSelfTest.LEFT_OVER_AGE);
    }

    /** {@code leftOverAge}: from when on a prepared canary is one that its agent has left. */
    PostgresDriver(DataSource source, int answerMillis, Duration leftOverAge) {
        this.source = source;
        this.answerMillis = answerMillis;
        this.leftOverAge = leftOverAge;
    }

    @Override
    public DataSource physicalConnections() {
        return new PostgresConnections();
    }

    /** Opens connections, reads once which server each of them talks to, and prepares the probe there. */
    private final class PostgresConnections extends PhysicalConnections {

        @Override
        Connection open() throws SQLException {
            Connection connection = Objects.requireNonNull(source.getConnection(), "the DataSource gave no connection");
            try {
                if (!connection.isWrapperFor(BaseConnection.class)) {
                    throw new SQLException(
                            "an ordinary DataSource must give connections of the PostgreSQL driver; give an XADataSource"
                                    + " for another database",
                            PostgresErrors.FEATURE_NOT_SUPPORTED);
                }
                checkSame(factsOf(connection));
                return connection;
            } catch (SQLException | RuntimeException | Error e) {
                close(connection, e);
                throw e;
            }
        }
    }

    /**
     * What a URL leads to can change while the agent runs. The coordinator has been told which database this is, and would
     * take what another one says for its word: that a branch it never held is gone, say (protocol 9.3).
     */
    private void checkSame(ServerFacts facts) throws SQLException {
        ResourceIdentity opened = identityOf(facts);
        firstOpened.compareAndSet(null, opened);
        ResourceIdentity first = Objects.requireNonNull(firstOpened.get());
        if (!first.equals(opened)) {
            throw new SQLException(
                    "this is another database than the one that the agent began with; if it shall be, restart the agent: "
                            + opened + ", not " + first,
                    PostgresErrors.CONNECTION_REJECTED);
        }
        int before = latestTimeline.getAndAccumulate(facts.timeline(), Math::max);
        if (before != 0 && facts.timeline() > before) {
            LOG.warn(
                    "{} goes on on timeline {}, after {}: a standby was promoted, or a backup restored. Unless the standby"
                            + " was synchronous, what was committed or prepared last may be missing there: see"
                            + " docs/OPERATIONS.md, \"Failover of a database\"",
                    facts.identity(),
                    facts.timeline(),
                    before);
        }
        checkNotLeftBehind(facts);
    }

    /**
     * A server on an earlier timeline than others of the same database was left behind by a failover: what is prepared or
     * committed there is not part of the database any more, and what it does not hold may be prepared at the other one.
     */
    private boolean isLeftBehind(ServerFacts facts) {
        return facts.timeline() < latestTimeline.get();
    }

    private void checkNotLeftBehind(ServerFacts facts) throws SQLException {
        if (isLeftBehind(facts)) {
            throw new SQLException(
                    "this server is on timeline " + facts.timeline()
                            + " and was left behind by a failover: the database"
                            + " went on on timeline " + latestTimeline.get() + "; stop it, or if it is the right one,"
                            + " restart the agent",
                    PostgresErrors.CONNECTION_REJECTED);
        }
    }

    private ResourceIdentity identityOf(ServerFacts facts) {
        return new ResourceIdentity("postgresql", facts.identity(), facts.role());
    }

    private ServerFacts factsOf(Connection connection) throws SQLException {
        BaseConnection physical = connection.unwrap(BaseConnection.class);
        ServerFacts known = factsByConnection.get(physical);
        if (known != null) {
            return known;
        }
        // The driver's limit for the login ends with it, and a pool that waits here opens no other connection.
        int usualMillis = physical.getNetworkTimeout();
        physical.setNetworkTimeout(
                Runnable::run, usualMillis == 0 ? answerMillis : Math.min(usualMillis, answerMillis));
        ServerFacts read = ServerFacts.read(physical);
        PostgresPooler.atLogin(physical);
        PostgresProbe.prepare(physical, read.probe(), read.role());
        physical.setNetworkTimeout(Runnable::run, usualMillis);
        factsByConnection.put(physical, read);
        return read;
    }

    @Override
    public ResourceIdentity inspect(Connection connection, int poolSize)
            throws SQLException, ResourceUnsuitableException {
        PostgresSelfTest.checkSettings(connection, poolSize);
        return identityOf(factsOf(connection));
    }

    @Override
    public void canary() throws SQLException, ResourceUnsuitableException {
        try (Connection connection = physicalConnections().getConnection()) {
            PostgresPooler.check(connection, factsOf(connection).probe(), answerMillis);
        }
        PostgresSelfTest.canary(source, answerMillis);
    }

    @Override
    public BranchTransaction begin(Connection connection, TrothXid xid, BranchStart start) throws SQLException {
        return prologueOf(connection, xid, start).beginAlone();
    }

    @Override
    public boolean beginsWithStatement() {
        return true;
    }

    @Override
    public @Nullable BranchPrologue prologue(Connection connection, TrothXid xid, BranchStart start)
            throws SQLException {
        PostgresPrologue prologue = prologueOf(connection, xid, start);
        return prologue.goesWithStatement() ? prologue : null;
    }

    private PostgresPrologue prologueOf(Connection connection, TrothXid xid, BranchStart start) throws SQLException {
        ServerFacts facts = factsOf(connection);
        checkNotLeftBehind(facts);
        BaseConnection physical = connection.unwrap(BaseConnection.class);
        PostgresBranch branch = new PostgresBranch(physical, xid, facts, answerMillis, () -> isLeftBehind(facts));
        return new PostgresPrologue(physical, branch, start, facts.timeouts());
    }

    @Override
    public PhaseTwoCompletion commitPrepared(
            Connection connection, TrothXid xid, @Nullable Proof proof, boolean firstAttempt) {
        try {
            checkAndLimit(connection);
            finish(connection, "COMMIT PREPARED", xid);
            return PhaseTwoCompletion.done();
        } catch (SQLException e) {
            if (!PostgresErrors.has(e, PostgresErrors.UNDEFINED_OBJECT)) {
                return notYet(xid, e);
            }
        }
        try {
            if (isListed(connection, xid)) {
                return busy(xid);
            }
            return proof == null ? goneWithoutProof(xid, firstAttempt) : goneWithProof(connection, xid, proof);
        } catch (SQLException e) {
            return notYet(xid, e);
        }
    }

    @Override
    public PhaseTwoCompletion rollbackPrepared(Connection connection, TrothXid xid, @Nullable Proof proof) {
        try {
            checkAndLimit(connection);
            finish(connection, "ROLLBACK PREPARED", xid);
            return PhaseTwoCompletion.done();
        } catch (SQLException e) {
            if (!PostgresErrors.has(e, PostgresErrors.UNDEFINED_OBJECT)) {
                return notYet(xid, e);
            }
        }
        try {
            if (isListed(connection, xid)) {
                return busy(xid);
            }
            PostgresProof decoded = proof == null ? lastListed.get(xid) : PostgresProof.decode(proof);
            return decoded != null
                            && decoded.isFrom(factsOf(connection))
                            && statusOf(connection, decoded.transactionId()) == XactStatus.COMMITTED
                    ? PhaseTwoCompletion.heuristic("branch " + xid
                            + " was committed at the database by somebody else, and is to be rolled back")
                    : PhaseTwoCompletion.done();
        } catch (SQLException e) {
            return notYet(xid, e);
        }
    }

    /** Before anything is asked or done outside an unprepared branch. */
    private void checkAndLimit(Connection connection) throws SQLException {
        checkNotLeftBehind(factsOf(connection));
        connection.unwrap(BaseConnection.class).setNetworkTimeout(Runnable::run, answerMillis);
    }

    /** A branch that another session is at is asked for again: whoever lists it meets who is told to finish it. */
    private static void finish(Connection connection, String verb, TrothXid xid) throws SQLException {
        for (int attempt = 1; !finished(connection, verb, xid, attempt == FINISHING_ATTEMPTS); attempt++) {
            try (Statement statement = connection.createStatement()) {
                statement.execute(WHILE_ANOTHER_SESSION_FINISHES);
            }
        }
    }

    private static boolean finished(Connection connection, String verb, TrothXid xid, boolean last)
            throws SQLException {
        try (Statement statement = connection.createStatement()) {
            statement.execute(verb + " '" + PostgresGid.of(xid) + "'");
            return true;
        } catch (SQLException e) {
            if (last || !PostgresErrors.isHeldByAnotherSession(e)) {
                throw e;
            }
            return false;
        }
    }

    /** "Does not exist" can be said of a branch that another session holds; only the list read afterwards settles it. */
    private static boolean isListed(Connection connection, TrothXid xid) throws SQLException {
        try (PreparedStatement statement = connection.prepareStatement(IS_LISTED)) {
            statement.setString(1, PostgresGid.of(xid));
            try (ResultSet rows = statement.executeQuery()) {
                return rows.next();
            }
        }
    }

    private static PhaseTwoCompletion busy(TrothXid xid) {
        return PhaseTwoCompletion.notYet(
                new Reason(ErrorCode.DATABASE_UNAVAILABLE, "another session is just finishing branch " + xid));
    }

    private static PhaseTwoCompletion notYet(TrothXid xid, SQLException failure) {
        Reason misconfiguration = PostgresErrors.misconfiguration(failure);
        if (misconfiguration != null) {
            return misconfigured(xid, misconfiguration);
        }
        return PhaseTwoCompletion.notYet(
                new Reason(ErrorCode.DATABASE_UNAVAILABLE, "branch " + xid + ", " + PostgresErrors.describe(failure)));
    }

    private static PhaseTwoCompletion misconfigured(TrothXid xid, Reason why) {
        LOG.error("branch {} stays in doubt: {}", xid, why);
        return PhaseTwoCompletion.notYet(why);
    }

    private static PhaseTwoCompletion goneWithoutProof(TrothXid xid, boolean firstAttempt) {
        return firstAttempt
                ? PhaseTwoCompletion.resolvedElsewhere("branch " + xid + " was no longer prepared")
                : PhaseTwoCompletion.done();
    }

    private PhaseTwoCompletion goneWithProof(Connection connection, TrothXid xid, Proof proof) throws SQLException {
        PostgresProof decoded = PostgresProof.decode(proof);
        ServerFacts server = factsOf(connection);
        if (decoded != null && !decoded.isOfDatabaseOf(server)) {
            // Only the voter's database can say that the branch is gone (protocol 9.3): it may be prepared there.
            return misconfigured(
                    xid,
                    new Reason(
                            ErrorCode.DATABASE_MISCONFIGURED,
                            "it was prepared in another database than " + server.identity()));
        }
        if (decoded == null || !decoded.isFrom(server)) {
            return PhaseTwoCompletion.resolvedElsewhere(
                    "branch " + xid + " was no longer prepared, and its proof is from another history");
        }
        return switch (statusOf(connection, decoded.transactionId())) {
            case COMMITTED -> PhaseTwoCompletion.done();
            case ABORTED ->
                PhaseTwoCompletion.heuristic("branch " + xid + " was rolled back at the database by somebody else");
            case IN_PROGRESS -> busy(xid);
            case FUTURE, FORGOTTEN ->
                PhaseTwoCompletion.resolvedElsewhere(
                        "branch " + xid + " was no longer prepared, and the database cannot tell its fate");
        };
    }

    /** What {@code pg_xact_status} says of a transaction id. */
    private enum XactStatus {
        COMMITTED,
        ABORTED,
        IN_PROGRESS,
        /** The server has not given that id yet. */
        FUTURE,
        /** Too old: the commit log is truncated there. */
        FORGOTTEN
    }

    private XactStatus statusOf(Connection connection, long transactionId) throws SQLException {
        try (PreparedStatement statement = connection.prepareStatement(STATUS)) {
            statement.setString(1, Long.toUnsignedString(transactionId));
            statement.setString(2, factsOf(connection).probe());
            try (ResultSet row = statement.executeQuery()) {
                if (!row.next()) {
                    throw new SQLException(
                            "this is not the session of the login: " + PostgresPooler.REFUSAL,
                            PostgresErrors.CONNECTION_REJECTED);
                }
                String status = row.getString(1);
                if (status == null) {
                    return XactStatus.FORGOTTEN;
                }
                return switch (status) {
                    case "committed" -> XactStatus.COMMITTED;
                    case "aborted" -> XactStatus.ABORTED;
                    // "in progress", and whatever a later version may say: ask again.
                    default -> XactStatus.IN_PROGRESS;
                };
            }
        } catch (SQLException e) {
            if (PostgresErrors.has(e, PostgresErrors.INVALID_PARAMETER_VALUE)) {
                return XactStatus.FUTURE;
            }
            throw e;
        }
    }

    @Override
    public List<TrothXid> listPrepared(Connection connection) throws SQLException {
        checkAndLimit(connection);
        PostgresSelfTest.removeLeftOvers(connection, leftOverAge);
        ServerFacts server = factsOf(connection);
        try (Statement statement = connection.createStatement();
                ResultSet rows = statement.executeQuery(LIST)) {
            Map<TrothXid, PostgresProof> listed = new LinkedHashMap<>();
            while (rows.next()) {
                TrothXid xid = PostgresGid.parse(rows.getString(1));
                if (xid != null) {
                    long id = fullId(Long.parseLong(rows.getString(2)), Long.parseUnsignedLong(rows.getString(3)));
                    listed.put(xid, PostgresProof.of(id, server));
                }
            }
            lastListed = Map.copyOf(listed);
            return List.copyOf(listed.keySet());
        }
    }

    /**
     * The 64-bit transaction id of which a list shows the lower half. It may be on either side of a snapshot's end, but no
     * transaction that has not ended is 2^31 away from it.
     */
    static long fullId(long lowerHalf, long nearby) {
        return nearby + (int) (lowerHalf - nearby);
    }

    @Override
    public Fate fate(Connection connection, Proof proof) throws SQLException {
        checkAndLimit(connection);
        ServerFacts server = factsOf(connection);
        PostgresProof decoded = PostgresProof.decode(proof);
        if (decoded == null || !decoded.isFrom(server)) {
            return Fate.UNKNOWN;
        }
        return switch (statusOf(connection, decoded.transactionId())) {
            case COMMITTED -> decoded.isFromThisLifeOf(server) ? Fate.COMMITTED : Fate.UNKNOWN;
            case ABORTED, FUTURE -> Fate.ROLLED_BACK;
            case IN_PROGRESS -> Fate.IN_PROGRESS;
            case FORGOTTEN -> Fate.UNKNOWN;
        };
    }

    @Override
    public boolean tiesPreparedToSession() {
        return false;
    }

    @Override
    public boolean isClean(Connection connection) {
        try {
            BaseConnection physical = connection.unwrap(BaseConnection.class);
            return !physical.isClosed()
                    && physical.getTransactionState() == TransactionState.IDLE
                    && physical.getAutoCommit()
                    && !isLeftBehind(factsOf(connection));
        } catch (SQLException e) {
            return false;
        }
    }

    @Override
    public boolean isConnectionLost(SQLException failure) {
        return PostgresErrors.isConnectionLost(failure);
    }
}
