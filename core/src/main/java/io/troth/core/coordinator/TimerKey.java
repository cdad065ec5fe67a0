package io.troth.core.coordinator;

import io.troth.core.EpochId;
import io.troth.core.GlobalTxId;

/** What a timer is for. Starting a timer whose key is running replaces it. */
public sealed interface TimerKey {

    /** Calls the visitor's method for this kind of timer. */
    <R> R accept(Visitor<R> visitor);

    /** One method a kind. */
    interface Visitor<R> {
        R deadline(Deadline deadline);

        R completionLimit(CompletionLimit completionLimit);

        R phaseTwoRetry(PhaseTwoRetry phaseTwoRetry);

        R instanceGone(InstanceGone instanceGone);

        R fateRetry(FateRetry fateRetry);

        R sessionGrace(SessionGrace sessionGrace);

        R sessionAge(SessionAge sessionAge);

        R retention(Retention retention);
    }

    /** T's remaining time is over: roll it back unless COMMIT was handed to the log. */
    record Deadline(GlobalTxId tx) implements TimerKey {
        @Override
        public <R> R accept(Visitor<R> visitor) {
            return visitor.deadline(this);
        }
    }

    /** The client has waited long enough for all branches: answer with {@code completing}. */
    record CompletionLimit(GlobalTxId tx) implements TimerKey {
        @Override
        public <R> R accept(Visitor<R> visitor) {
            return visitor.completionLimit(this);
        }
    }

    /** Some YES branch has not acknowledged: send its commit again, to any instance of the resource. */
    record PhaseTwoRetry(GlobalTxId tx) implements TimerKey {
        @Override
        public <R> R accept(Visitor<R> visitor) {
            return visitor.phaseTwoRetry(this);
        }
    }

    /** The instance that holds the only branch of a one-phase T has had no stream for too long. */
    record InstanceGone(GlobalTxId tx) implements TimerKey {
        @Override
        public <R> R accept(Visitor<R> visitor) {
            return visitor.instanceGone(this);
        }
    }

    /** The database said "in progress" (or nobody could ask it) about a one-phase branch: ask again. */
    record FateRetry(GlobalTxId tx) implements TimerKey {
        @Override
        public <R> R accept(Visitor<R> visitor) {
            return visitor.fateRetry(this);
        }
    }

    /** The stream of a client session was broken and not resumed in time: the session is closed. */
    record SessionGrace(long session) implements TimerKey {
        @Override
        public <R> R accept(Visitor<R> visitor) {
            return visitor.sessionGrace(this);
        }
    }

    /** The session is too old to start new transactions. */
    record SessionAge(long session) implements TimerKey {
        @Override
        public <R> R accept(Visitor<R> visitor) {
            return visitor.sessionAge(this);
        }
    }

    /** The outcome retention of a closed session whose last transaction has ended is over. */
    record Retention(EpochId epoch, long session) implements TimerKey {
        @Override
        public <R> R accept(Visitor<R> visitor) {
            return visitor.retention(this);
        }
    }
}
