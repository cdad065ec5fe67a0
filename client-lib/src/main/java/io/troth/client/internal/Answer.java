package io.troth.client.internal;

import io.troth.core.BranchId;
import io.troth.core.GlobalTxId;
import io.troth.core.Outcome;
import io.troth.core.Reason;
import org.jspecify.annotations.Nullable;

/**
 * What became of a transaction, as far as the client was told.
 *
 * @param completing committed, and some branches are still being told
 * @param branch the branch that caused a rollback, where there is one
 * @param reason why, where there is something to say
 * @param content what the commit said, for a later certain inquiry; null when none was sent
 */
public record Answer(
        GlobalTxId tx,
        Outcome outcome,
        boolean completing,
        @Nullable BranchId branch,
        @Nullable Reason reason,
        @Nullable CommitContent content) {

    static Answer of(GlobalTxId tx, Outcome outcome, @Nullable Reason reason) {
        return new Answer(tx, outcome, false, null, reason, null);
    }

    static Answer rolledBack(GlobalTxId tx, Reason reason) {
        return of(tx, Outcome.ROLLED_BACK, reason);
    }

    Answer with(@Nullable CommitContent itsContent) {
        return new Answer(tx, outcome, completing, branch, reason, itsContent);
    }

    /** The same as long as some branches are not committed yet. */
    Answer whileCompleting() {
        return new Answer(tx, outcome, true, branch, reason, content);
    }

    Answer because(Reason itsReason) {
        return new Answer(tx, outcome, completing, branch, itsReason, content);
    }
}
