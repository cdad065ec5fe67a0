package io.troth.core.coordinator;

import io.troth.core.BranchId;
import io.troth.core.EpochId;
import io.troth.core.GlobalTxId;
import io.troth.core.Outcome;
import io.troth.core.Reason;
import org.jspecify.annotations.Nullable;

/**
 * What the observers hear. Metrics, log lines and alarms are made of these and of nothing else.
 */
public sealed interface Notice {

    /** Calls the visitor's method for this kind. */
    <R> R accept(Visitor<R> visitor);

    /** One method a kind: a new kind does not compile until everyone has an answer to it. */
    interface Visitor<R> {
        R ready(Ready notice);

        R stateChanged(StateChanged notice);

        R ended(Ended notice);

        R requestRefused(RequestRefused notice);

        R resolvedElsewhere(ResolvedElsewhere notice);

        R heuristicMixed(HeuristicMixed notice);

        R alarm(Alarm notice);

        R fenced(Fenced notice);
    }

    /** This leader answers from now on; {@code inDoubt} COMMITs without END were recovered. */
    record Ready(EpochId epoch, int inDoubt) implements Notice {
        @Override
        public <R> R accept(Visitor<R> visitor) {
            return visitor.ready(this);
        }
    }

    /** T moved. */
    record StateChanged(GlobalTxId tx, TransactionState from, TransactionState to) implements Notice {
        @Override
        public <R> R accept(Visitor<R> visitor) {
            return visitor.stateChanged(this);
        }
    }

    /** T has ended; told once. */
    record Ended(GlobalTxId tx, Outcome outcome, @Nullable Reason reason) implements Notice {
        @Override
        public <R> R accept(Visitor<R> visitor) {
            return visitor.ended(this);
        }
    }

    /** A request, enlist or stream was refused. */
    record RequestRefused(Reason reason) implements Notice {
        @Override
        public <R> R accept(Visitor<R> visitor) {
            return visitor.requestRefused(this);
        }
    }

    /** Somebody else had finished a prepared branch before its first phase 2 (protocol 9.3). */
    record ResolvedElsewhere(GlobalTxId tx, BranchId branch) implements Notice {
        @Override
        public <R> R accept(Visitor<R> visitor) {
            return visitor.resolvedElsewhere(this);
        }
    }

    /** A branch was resolved against the decision. Never hidden. */
    record HeuristicMixed(GlobalTxId tx, BranchId branch, String detail) implements Notice {
        @Override
        public <R> R accept(Visitor<R> visitor) {
            return visitor.heuristicMixed(this);
        }
    }

    /** Something that must not be: an operator has to look. */
    record Alarm(Reason reason, @Nullable GlobalTxId tx) implements Notice {
        @Override
        public <R> R accept(Visitor<R> visitor) {
            return visitor.alarm(this);
        }
    }

    /** The record fence dropped a COMMIT of another epoch. */
    record Fenced(GlobalTxId tx, long entryEpoch) implements Notice {
        @Override
        public <R> R accept(Visitor<R> visitor) {
            return visitor.fenced(this);
        }
    }
}
