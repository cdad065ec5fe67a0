package io.troth.agent.xa;

import io.troth.core.Proof;
import io.troth.core.Reason;
import io.troth.core.participant.OnePhaseCompletion;
import io.troth.core.participant.PrepareResult;
import java.sql.SQLException;
import java.util.function.Consumer;

/**
 * One unprepared branch on its database connection. Used by one thread at a time; every method may block on the
 * database. After {@link #prepare}, {@link #commitOnePhase} or {@link #rollback} it takes no further call, and the
 * connection goes back to its owner, who asks {@link ResourceDriver#isClean} before reusing it.
 */
public interface BranchTransaction {

    /** What a failed statement has done to the branch. Costs no round trip. */
    StatementVerdict afterFailure(SQLException failure);

    /**
     * Whether the database itself says that an earlier failure has been undone, such as by a savepoint set in SQL text.
     * Costs no round trip; false where the database does not tell.
     */
    boolean hasRecovered();

    /** Why a statement failed, in words of the catalogue; without the text of the statement. */
    Reason reasonOf(SQLException failure);

    /**
     * Probes and prepares (protocol 7.1, 10.1). {@code PREPARED} only when the database made this branch durable,
     * {@code LOST} when that cannot be told because the connection broke; everything else leaves nothing behind.
     *
     * @param mayHaveWritten false when only queries ran so far: the branch is then probed by itself first, since it
     *     probably needs no prepare
     */
    PrepareResult prepare(boolean mayHaveWritten);

    /**
     * Probes, hands the proof out, then commits (protocol 8.1).
     *
     * @param proof hears the proof before the commit is sent; not called when the database has none
     */
    OnePhaseCompletion commitOnePhase(Consumer<Proof> proof);

    /** Rolls back. True when it is certain that nothing is left; a broken connection is left to the database. */
    boolean rollback();
}
