package io.troth.core.coordinator;

import io.troth.core.BranchId;
import io.troth.core.EpochId;
import io.troth.core.GlobalTxId;
import io.troth.core.Outcome;
import io.troth.core.Reason;
import io.troth.core.SessionKey;
import org.jspecify.annotations.Nullable;

/**
 * What the leader says to a client.
 */
public sealed interface ClientMessage {

    /** Calls the visitor's method for this kind. */
    <R> R accept(Visitor<R> visitor);

    /** One method a kind: a new kind does not compile until everyone has an answer to it. */
    interface Visitor<R> {
        R sessionOpened(SessionOpened message);

        R accepting(Accepting message);

        R answer(Answer message);

        R refused(Refused message);
    }

    /**
     * A session is open (or resumed). New transactions start on it for {@code maxAgeMillis}.
     *
     * @param commitsInPlace what the client has asked for
     * @param completionLimitMillis how long a client waits for branches that its own process commits
     */
    record SessionOpened(
            long correlation,
            EpochId epoch,
            long session,
            SessionKey key,
            int maxOpen,
            long maxAgeMillis,
            boolean commitsInPlace,
            long completionLimitMillis)
            implements ClientMessage {
        @Override
        public <R> R accept(Visitor<R> visitor) {
            return visitor.sessionOpened(this);
        }
    }

    /** Pushed: whether new transactions may begin (protocol 4.5). */
    record Accepting(boolean accepting, Reason reason) implements ClientMessage {
        @Override
        public <R> R accept(Visitor<R> visitor) {
            return visitor.accepting(this);
        }
    }

    /** The answer to commit, rollback or an inquiry. {@code branch} and {@code reason} say why T was rolled back. */
    record Answer(
            long correlation,
            GlobalTxId tx,
            Outcome outcome,
            boolean completing,
            @Nullable BranchId branch,
            @Nullable Reason reason)
            implements ClientMessage {
        @Override
        public <R> R accept(Visitor<R> visitor) {
            return visitor.answer(this);
        }
    }

    /** The request changed nothing. */
    record Refused(long correlation, Reason reason) implements ClientMessage {
        @Override
        public <R> R accept(Visitor<R> visitor) {
            return visitor.refused(this);
        }
    }
}
