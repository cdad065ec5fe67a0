package io.troth.agent.xa;

import java.sql.PreparedStatement;
import java.sql.SQLException;

/**
 * How one branch begins in the message of its first statement, and not in a round trip of its own: as SQL in front of the
 * statement's text. Used by one thread, for one execution, on the connection it was made for.
 */
public interface BranchPrologue {

    /** The SQL in front, with its semicolon. The same text for every branch, so that it can be prepared and cached. */
    String sql();

    /**
     * Sets the parameters of the SQL in front.
     *
     * @return how many there are; those of the statement itself come behind them
     */
    int bind(PreparedStatement statement) throws SQLException;

    /** The branch. Until {@link #execute} has read when it began it can only be rolled back. */
    BranchTransaction transaction();

    /**
     * Runs the statement, and takes the results of the SQL in front. Where the branch does not begin, the statement has not
     * run.
     *
     * @return whether the statement's own first result has rows, as {@code getMoreResults()} says it
     */
    boolean execute(PreparedStatement statement) throws SQLException;
}
