package io.troth.agent.xa;

import io.troth.agent.engine.ResourceIdentity;
import io.troth.core.Proof;
import io.troth.core.coordinator.Fate;
import io.troth.core.participant.PhaseTwoCompletion;
import java.sql.Connection;
import java.sql.SQLException;
import java.util.List;
import javax.sql.DataSource;
import org.jspecify.annotations.Nullable;

/**
 * How one kind of database begins, probes, prepares, finishes and lists branches (protocol 10). Thread-safe; a
 * connection handed in is used by one call at a time. Everything blocks on the database.
 *
 * <p>No error code is trusted alone (protocol 10.2): in phase 2 only the database's own "done" is done; everything else
 * is looked up in its list of prepared branches or reported as not yet.
 */
public interface ResourceDriver {

    /** Where a pool gets its physical connections from. */
    DataSource physicalConnections();

    /**
     * Checks that the database is fit to take part, and tells which one it is (protocol 10.3).
     *
     * @param poolSize how many branches may be open at once
     * @throws ResourceUnsuitableException with what to change
     */
    ResourceIdentity inspect(Connection connection, int poolSize) throws SQLException, ResourceUnsuitableException;

    /**
     * Prepares an empty-handed test transaction on one connection, closes that connection, commits from another one and
     * looks whether it is there. Also removes what an earlier canary has left for more than ten minutes.
     *
     * @throws ResourceUnsuitableException when the database loses or confuses prepared work
     */
    void canary() throws SQLException, ResourceUnsuitableException;

    /** Begins a branch on a connection that no transaction uses. On an exception the connection is not reused. */
    BranchTransaction begin(Connection connection, TrothXid xid, BranchStart start) throws SQLException;

    /** Whether {@link #prologue} may give one, so that it is worth to wait for the first statement. */
    default boolean beginsWithStatement() {
        return false;
    }

    /**
     * Lets a branch begin in the message of its first statement; otherwise as {@link #begin}, which may still be called
     * instead when the statement is not sent after all.
     *
     * @return null when branches on this connection can only begin by themselves
     */
    default @Nullable BranchPrologue prologue(Connection connection, TrothXid xid, BranchStart start)
            throws SQLException {
        return null;
    }

    /**
     * Commits a prepared branch (protocol 9.3). Never throws for what the database does.
     *
     * @param firstAttempt true when no commit of this branch was ever sent before, by nobody
     */
    PhaseTwoCompletion commitPrepared(Connection connection, TrothXid xid, @Nullable Proof proof, boolean firstAttempt);

    /** Rolls a prepared branch back; done also when the database does not hold it and no proof says that it committed. */
    PhaseTwoCompletion rollbackPrepared(Connection connection, TrothXid xid, @Nullable Proof proof);

    /**
     * All prepared branches in Troth's form, of every cluster, in this database only. Removes what {@link #canary} does, too:
     * the next start may be months away.
     */
    List<TrothXid> listPrepared(Connection connection) throws SQLException;

    /** What the database says about the proof of a one-phase commit (protocol 8.2). */
    Fate fate(Connection connection, Proof proof) throws SQLException;

    /**
     * True when the database ties a prepared branch to the session that prepared it: that connection is then kept,
     * untouched, until phase 2 is done on it (protocol 10.2).
     */
    boolean tiesPreparedToSession();

    /** False when the connection may still carry a transaction or is broken: it must not go back to a pool. */
    boolean isClean(Connection connection);

    /** True when the exception says that the connection is gone or not to be trusted any more. */
    boolean isConnectionLost(SQLException failure);
}
