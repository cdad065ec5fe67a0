package io.troth.agent.xa;

import io.troth.core.ErrorCode;
import io.troth.core.Proof;
import io.troth.core.Reason;
import io.troth.core.participant.OnePhaseCompletion;
import io.troth.core.participant.PrepareResult;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Statement;
import java.util.function.BooleanSupplier;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;
import org.postgresql.core.BaseConnection;
import org.postgresql.core.TransactionState;

/**
 * One unprepared branch on PostgreSQL, with our own SQL (protocol 10.1, 10.3).
 *
 * <p>Why not pgjdbc's XAResource: PostgreSQL answers PREPARE TRANSACTION or COMMIT of a failed transaction with a silent
 * ROLLBACK, and the driver reports success. Therefore every prepare and every one-phase commit is preceded by a
 * {@link PostgresProbe} on the same connection, which fails when they must not happen. It is in the message of the prepare,
 * which the server then skips; a commit in one phase comes after its answer, since the proof has to leave before.
 *
 * <p>Round trips: begin 0 in the message of the first statement and 1 by itself (see {@link PostgresPrologue}), prepare 1
 * (2 when only queries ran and they wrote after all; 2 for a read-only branch: probe and COMMIT), one-phase 2.
 */
final class PostgresBranch implements BranchTransaction {

    /** A start that no transaction has, so that the probe fails. */
    private static final long UNKNOWN = -1;

    private final BaseConnection connection;
    private final TrothXid xid;
    private final ServerFacts server;
    private final int answerMillis;
    private final BooleanSupplier leftBehind;

    /** The source's own limit for every answer, 0 for none: it holds again after the branch. */
    private final int usualMillis;

    /** Unknown until the answer to the begin was read. */
    private long startMicros = UNKNOWN;

    /**
     * A branch that {@link PostgresPrologue} begins.
     *
     * @param answerMillis how long prepare and commit wait for the server
     * @param leftBehind whether the database has gone on at another server meanwhile
     */
    PostgresBranch(
            BaseConnection connection, TrothXid xid, ServerFacts server, int answerMillis, BooleanSupplier leftBehind)
            throws SQLException {
        this.connection = connection;
        this.xid = xid;
        this.server = server;
        this.answerMillis = answerMillis;
        this.leftBehind = leftBehind;
        this.usualMillis = connection.getNetworkTimeout();
    }

    /** The transaction that bears the marker has begun. */
    void beganAt(long micros) {
        startMicros = micros;
    }

    /** What tells the branch's transaction from others. */
    String marker() {
        return xid.branch().toString();
    }

    @Override
    public StatementVerdict afterFailure(SQLException failure) {
        if (isConnectionLost(failure)) {
            return StatementVerdict.CONNECTION_LOST;
        }
        // Without the answer to its begin no probe can succeed, so the branch must not seem unharmed.
        if (connection.getTransactionState() != TransactionState.OPEN || startMicros == UNKNOWN) {
            return StatementVerdict.FAILED;
        }
        if (PostgresErrors.saysThatItHadFailed(failure)) {
            // The driver's autosave sets no savepoint before it fetches rows, and a cancel may come at any time. It has
            // gone back to an older one then, and undone what had succeeded since.
            abandon(failure);
            return StatementVerdict.CONNECTION_LOST;
        }
        // After an error of the server the transaction is open when the driver's autosave has undone the statement.
        return PostgresErrors.isOfServer(failure) || PostgresErrors.cameBeforeAnythingRan(failure)
                ? StatementVerdict.UNHARMED
                : StatementVerdict.FAILED_AT_DRIVER;
    }

    @Override
    public boolean hasRecovered() {
        return connection.getTransactionState() == TransactionState.OPEN;
    }

    @Override
    public Reason reasonOf(SQLException failure) {
        return PostgresErrors.reasonOf(failure, ErrorCode.STATEMENT_FAILED);
    }

    @Override
    public PrepareResult prepare(boolean mayHaveWritten) {
        Reason notOpen = whyNotOpen();
        if (notOpen != null) {
            rollback();
            return PrepareResult.refused(notOpen);
        }
        PrepareResult result = mayHaveWritten ? probeAndPrepare() : probeThenPrepare();
        restore();
        return result;
    }

    /** Null when the driver sees an open transaction: no round trip. The probe then says whether it is ours. */
    private @Nullable Reason whyNotOpen() {
        if (isClosed()) {
            return new Reason(ErrorCode.CONNECTION_LOST, "the database connection of branch " + xid + " was closed");
        }
        if (leftBehind.getAsBoolean()) {
            return new Reason(
                    ErrorCode.CONNECTION_LOST,
                    "branch " + xid + " is at a server on timeline " + server.timeline()
                            + ", which a failover has left behind");
        }
        return switch (connection.getTransactionState()) {
            case OPEN -> null;
            case FAILED ->
                new Reason(ErrorCode.STATEMENT_FAILED, "a statement of branch " + xid + " failed and was not undone");
            case IDLE -> bypassed("SQL inside the branch has ended its transaction");
        };
    }

    private Reason bypassed(String what) {
        return new Reason(ErrorCode.TRANSACTION_CONTROL_BYPASSED, "branch " + xid + ": " + what);
    }

    private PrepareResult probeThenPrepare() {
        Long transactionId;
        try {
            awaitAnswerAtMost(answerMillis);
            transactionId = probe();
        } catch (SQLException e) {
            return refusedBeforePrepare(e);
        }
        if (transactionId == null) {
            return commitReadOnly();
        }
        try (Statement statement = connection.createStatement()) {
            statement.execute("PREPARE TRANSACTION '" + PostgresGid.of(xid) + "'");
            return prepared(statement, transactionId);
        } catch (SQLException e) {
            return afterFailedPrepare(e);
        }
    }

    private PrepareResult prepared(Statement statement, long transactionId) throws SQLException {
        if (PostgresErrors.saysThatTheStandbyMayLackIt(statement.getWarnings())) {
            return PrepareResult.lost(new Reason(
                    ErrorCode.PREPARE_REFUSED,
                    "branch " + xid
                            + " is prepared, and perhaps not at the synchronous standby: somebody has cancelled the"
                            + " wait for it"));
        }
        return PrepareResult.prepared(PostgresProof.of(transactionId, server).encode());
    }

    private PrepareResult refusedBeforePrepare(SQLException failure) {
        rollback();
        return PrepareResult.refused(probeFailure(failure));
    }

    private Reason probeFailure(SQLException failure) {
        if (PostgresProbe.isBypassed(failure)) {
            // The role may be the session's, and would then spoil the next branch too.
            abandon(failure);
            return bypassed(PostgresErrors.describe(failure));
        }
        if (PostgresProbe.isGone(failure)) {
            // A new session has a new one.
            abandon(failure);
            return new Reason(
                    ErrorCode.PREPARE_REFUSED,
                    "branch " + xid + " cannot be checked: its session does not know the agent's prepared statement "
                            + server.probe() + ": either SQL (DEALLOCATE ALL, DISCARD ALL) has removed it, or "
                            + PostgresPooler.REFUSAL);
        }
        return PostgresErrors.reasonOf(failure, ErrorCode.PREPARE_REFUSED);
    }

    private PrepareResult commitReadOnly() {
        try {
            connection.commit();
            return PrepareResult.readOnly();
        } catch (SQLException e) {
            rollback();
            return PrepareResult.refused(PostgresErrors.reasonOf(e, ErrorCode.COMMIT_REFUSED));
        }
    }

    private PrepareResult probeAndPrepare() {
        try (Statement statement = connection.createStatement()) {
            awaitAnswerAtMost(answerMillis);
            Long transactionId = probe(statement, "; PREPARE TRANSACTION '" + PostgresGid.of(xid) + "'");
            return transactionId == null ? finishPreparedForNothing() : prepared(statement, transactionId);
        } catch (SQLException e) {
            return afterFailedPrepare(e);
        }
    }

    /** Runs the probe alone. Null when the transaction has written nothing. */
    private @Nullable Long probe() throws SQLException {
        try (Statement statement = connection.createStatement()) {
            return probe(statement, "");
        }
    }

    /** Runs the probe, with what follows it in the same message. Null when the transaction has written nothing. */
    private @Nullable Long probe(Statement statement, String following) throws SQLException {
        statement.execute(PostgresProbe.call(server.probe(), marker(), startMicros) + following);
        ResultSet row = statement.getResultSet();
        if (row == null || !row.next()) {
            throw new SQLException("the server did not answer the probe of branch " + xid, "XX000");
        }
        String transactionId = row.getString(1);
        return transactionId == null ? null : Long.valueOf(Long.parseUnsignedLong(transactionId));
    }

    /**
     * The connection is whole and the server said no: nothing is prepared. We never roll back by gid here: when the gid
     * was refused as a duplicate, that would end somebody else's prepared branch.
     */
    private PrepareResult afterFailedPrepare(SQLException failure) {
        if (isConnectionLost(failure)) {
            return PrepareResult.lost(new Reason(
                    ErrorCode.CONNECTION_LOST,
                    "no answer to the prepare of branch " + xid + ", " + PostgresErrors.describe(failure)));
        }
        rollback();
        if (PostgresErrors.isOutOfSlots(failure)) {
            return PrepareResult.refused(
                    new Reason(ErrorCode.PREPARED_SLOTS_EXHAUSTED, PostgresErrors.describe(failure)));
        }
        return PrepareResult.refused(probeFailure(failure));
    }

    /** The statements looked like writes and wrote nothing: there is no transaction id, so nothing can be in doubt. */
    private PrepareResult finishPreparedForNothing() {
        String gid = PostgresGid.of(xid);
        try (Statement statement = connection.createStatement()) {
            connection.setAutoCommit(true);
            statement.execute("COMMIT PREPARED '" + gid + "'");
            return PrepareResult.readOnly();
        } catch (SQLException e) {
            return PrepareResult.lost(new Reason(
                    ErrorCode.COMMIT_REFUSED, "branch " + xid + " wrote nothing, " + PostgresErrors.describe(e)));
        }
    }

    @Override
    public OnePhaseCompletion commitOnePhase(Consumer<Proof> proof) {
        Reason notOpen = whyNotOpen();
        if (notOpen != null) {
            rollback();
            return OnePhaseCompletion.rolledBack(notOpen);
        }
        Long transactionId;
        try {
            awaitAnswerAtMost(answerMillis);
            transactionId = probe();
        } catch (SQLException e) {
            rollback();
            restore();
            return OnePhaseCompletion.rolledBack(probeFailure(e));
        }
        if (transactionId != null) {
            proof.accept(PostgresProof.of(transactionId, server).encode());
        }
        OnePhaseCompletion completion = commit(transactionId != null);
        restore();
        return completion;
    }

    private OnePhaseCompletion commit(boolean wrote) {
        try {
            connection.commit();
            return wrote ? OnePhaseCompletion.committed() : OnePhaseCompletion.readOnly();
        } catch (SQLException e) {
            boolean serverSaidNo = !isConnectionLost(e) && connection.getTransactionState() == TransactionState.IDLE;
            if (serverSaidNo || !wrote) {
                rollback();
                return OnePhaseCompletion.rolledBack(PostgresErrors.reasonOf(e, ErrorCode.COMMIT_REFUSED));
            }
            return OnePhaseCompletion.lost(new Reason(
                    ErrorCode.CONNECTION_LOST,
                    "no answer to the commit of branch " + xid + ", " + PostgresErrors.describe(e)));
        }
    }

    @Override
    public boolean rollback() {
        try {
            awaitAnswerAtMost(answerMillis);
            connection.rollback();
            restore();
            return !isClosed() && connection.getTransactionState() == TransactionState.IDLE;
        } catch (SQLException e) {
            return false;
        }
    }

    /** A server that does not answer must not hold the agent's thread for ever; costs no round trip. */
    private void awaitAnswerAtMost(int millis) throws SQLException {
        connection.setNetworkTimeout(Runnable::run, millis);
    }

    /** Gives the connection back its state outside branches; one that resists is not clean and will not be reused. */
    private void restore() {
        try {
            if (!isClosed() && connection.getTransactionState() == TransactionState.IDLE) {
                connection.setAutoCommit(true);
                awaitAnswerAtMost(usualMillis);
            }
        } catch (SQLException e) {
            abandon(e);
        }
    }

    /** Ends the session, and the branch with it. */
    void abandon(SQLException cause) {
        try {
            connection.abort(Runnable::run);
        } catch (SQLException e) {
            cause.addSuppressed(e);
        }
    }

    private boolean isConnectionLost(SQLException failure) {
        return isClosed() || PostgresErrors.isConnectionLost(failure);
    }

    private boolean isClosed() {
        try {
            return connection.isClosed();
        } catch (SQLException e) {
            return true;
        }
    }
}
