package io.troth.agent.xa;

import io.troth.core.ErrorCode;
import io.troth.core.Proof;
import io.troth.core.Reason;
import io.troth.core.participant.OnePhaseCompletion;
import io.troth.core.participant.PrepareResult;
import java.sql.SQLException;
import java.util.function.Consumer;
import javax.transaction.xa.XAException;
import javax.transaction.xa.XAResource;

/**
 * One unprepared branch on an XAResource. Always end before prepare, commit or rollback; never JOIN, suspend, isSameRM,
 * setTransactionTimeout or forget. A database of this kind keeps a branch alive after a failed statement, so every failure
 * counts until a savepoint undoes it.
 */
final class XaBranch implements BranchTransaction {

    private static final String SERIALIZATION_FAILURE = "40001";

    private final XaSession session;
    private final TrothXid xid;

    private XaBranch(XaSession session, TrothXid xid) {
        this.session = session;
        this.xid = xid;
    }

    static XaBranch begin(XaSession session, TrothXid xid) throws SQLException {
        session.setInBranch(true);
        try {
            session.resource().start(xid, XAResource.TMNOFLAGS);
        } catch (XAException e) {
            throw new SQLException("branch " + xid + " cannot start, " + XaErrors.describe(e), "HY000", e);
        }
        return new XaBranch(session, xid);
    }

    @Override
    public StatementVerdict afterFailure(SQLException failure) {
        return XaErrors.isConnectionLost(failure) ? StatementVerdict.CONNECTION_LOST : StatementVerdict.FAILED;
    }

    @Override
    public boolean hasRecovered() {
        return false;
    }

    @Override
    public Reason reasonOf(SQLException failure) {
        ErrorCode code = SERIALIZATION_FAILURE.equals(failure.getSQLState())
                ? ErrorCode.SERIALIZATION_FAILURE
                : ErrorCode.STATEMENT_FAILED;
        return new Reason(code, "SQLState " + failure.getSQLState() + ": " + failure.getMessage());
    }

    @Override
    public PrepareResult prepare(boolean mayHaveWritten) {
        try {
            session.resource().end(xid, XAResource.TMSUCCESS);
        } catch (XAException e) {
            // No prepare was sent, so nothing can be prepared, whatever becomes of this session.
            boolean unused = rollbackEnded();
            return PrepareResult.refused(reason(ErrorCode.PREPARE_REFUSED, "end", e));
        }
        try {
            int vote = session.resource().prepare(xid);
            return switch (vote) {
                case XAResource.XA_OK -> free(PrepareResult.prepared(null));
                case XAResource.XA_RDONLY -> free(PrepareResult.readOnly());
                default ->
                    PrepareResult.lost(
                            new Reason(ErrorCode.PREPARE_REFUSED, "branch " + xid + ": prepare answered " + vote));
            };
        } catch (XAException e) {
            return afterFailedPrepare(e);
        }
    }

    private PrepareResult afterFailedPrepare(XAException failure) {
        Reason reason = reason(ErrorCode.PREPARE_REFUSED, "prepare", failure);
        if (failure.errorCode == XAException.XAER_DUPID) {
            // A rollback by this xid would end another branch.
            return PrepareResult.lost(reason);
        }
        boolean rolledBack = rollbackEnded();
        return rolledBack || XaErrors.verdict(failure) == XaErrors.Verdict.ROLLED_BACK
                ? PrepareResult.refused(reason)
                : PrepareResult.lost(reason);
    }

    @Override
    public OnePhaseCompletion commitOnePhase(Consumer<Proof> proof) {
        try {
            session.resource().end(xid, XAResource.TMSUCCESS);
        } catch (XAException e) {
            boolean unused = rollbackEnded();
            return OnePhaseCompletion.rolledBack(reason(ErrorCode.COMMIT_REFUSED, "end", e));
        }
        try {
            session.resource().commit(xid, true);
            return free(OnePhaseCompletion.committed());
        } catch (XAException e) {
            return switch (XaErrors.verdict(e)) {
                case ROLLED_BACK, HEURISTIC_ROLLBACK ->
                    OnePhaseCompletion.rolledBack(reason(ErrorCode.COMMIT_REFUSED, "commit", e));
                case HEURISTIC_COMMIT -> OnePhaseCompletion.committed();
                case NOT_KNOWN, HEURISTIC_MIXED, UNCLEAR ->
                    OnePhaseCompletion.lost(reason(ErrorCode.OUTCOME_UNKNOWN, "commit", e));
            };
        }
    }

    @Override
    public boolean rollback() {
        try {
            session.resource().end(xid, XAResource.TMFAIL);
        } catch (XAException e) {
            // Many databases answer so that the branch can only be rolled back, which comes next.
        }
        return rollbackEnded();
    }

    /** Returns false when it is not certain; the session is not reused then, and the database rolls back at its end. */
    private boolean rollbackEnded() {
        try {
            session.resource().rollback(xid);
            return free(true);
        } catch (XAException e) {
            return XaErrors.verdict(e) == XaErrors.Verdict.ROLLED_BACK && free(true);
        }
    }

    private <T> T free(T result) {
        session.setInBranch(false);
        return result;
    }

    private Reason reason(ErrorCode code, String call, XAException failure) {
        return new Reason(code, "branch " + xid + ": " + call + " answered " + XaErrors.describe(failure));
    }
}
