package io.troth.core.participant;

import io.troth.core.BranchId;
import io.troth.core.EpochId;
import io.troth.core.GlobalTxId;
import io.troth.core.Outcome;
import io.troth.core.Reason;
import io.troth.core.Vote;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * What the agent's observers hear. Metrics, log lines and alarms are made of these and of nothing else.
 */
public sealed interface AgentNotice {

    /** Calls the visitor's method for this kind. */
    void accept(Visitor visitor);

    /** One method a kind: a new kind does not compile until everyone has an answer to it. */
    interface Visitor {
        void ready(Ready notice);

        void notReady(NotReady notice);

        void stateChanged(StateChanged notice);

        void voted(Voted notice);

        void refused(Refused notice);

        void scanned(Scanned notice);

        void scanFailed(ScanFailed notice);

        void phaseTwoDelayed(PhaseTwoDelayed notice);

        void resolvedElsewhere(ResolvedElsewhere notice);

        void heuristic(Heuristic notice);

        void leftAlone(LeftAlone notice);

        void alarm(Alarm notice);
    }

    /** The stream leads to the ready leader of this epoch: branches may start. */
    record Ready(EpochId epoch) implements AgentNotice {
        @Override
        public void accept(Visitor visitor) {
            visitor.ready(this);
        }
    }

    /**
     * There is no stream to a ready leader any more.
     *
     * @param unprepared how many branches are rolled back for it
     */
    record NotReady(Reason reason, int unprepared) implements AgentNotice {
        @Override
        public void accept(Visitor visitor) {
            visitor.notReady(this);
        }
    }

    /** A branch moved, or has started ({@code from} null); the reason is set when it rolls back. */
    record StateChanged(
            GlobalTxId tx,
            BranchId branch,
            String resource,
            @Nullable BranchState from,
            BranchState to,
            @Nullable Reason reason)
            implements AgentNotice {
        @Override
        public void accept(Visitor visitor) {
            visitor.stateChanged(this);
        }
    }

    /** A vote was sent. */
    record Voted(
            GlobalTxId tx,
            BranchId branch,
            Vote vote,
            @Nullable Reason reason) implements AgentNotice {
        @Override
        public void accept(Visitor visitor) {
            visitor.voted(this);
        }
    }

    /** A call or a statement was refused. */
    record Refused(Reason reason) implements AgentNotice {
        @Override
        public void accept(Visitor visitor) {
            visitor.refused(this);
        }
    }

    /** The prepared xids of a database were listed. */
    record Scanned(String resource, List<PreparedXid> prepared, int otherClusters) implements AgentNotice {
        public Scanned {
            prepared = List.copyOf(prepared);
        }

        @Override
        public void accept(Visitor visitor) {
            visitor.scanned(this);
        }
    }

    /** They could not be listed; tried again after the longest pause between two attempts of phase 2. */
    record ScanFailed(String resource, Reason reason) implements AgentNotice {
        @Override
        public void accept(Visitor visitor) {
            visitor.scanFailed(this);
        }
    }

    /** The database did not finish a prepared branch; tried again. */
    record PhaseTwoDelayed(GlobalTxId tx, BranchId branch, String resource, Reason reason) implements AgentNotice {
        @Override
        public void accept(Visitor visitor) {
            visitor.phaseTwoDelayed(this);
        }
    }

    /** Somebody else had finished a prepared branch, and nothing tells how. */
    record ResolvedElsewhere(GlobalTxId tx, BranchId branch, String resource) implements AgentNotice {
        @Override
        public void accept(Visitor visitor) {
            visitor.resolvedElsewhere(this);
        }
    }

    /** Somebody else had finished a prepared branch against the decision. Never hidden. */
    record Heuristic(GlobalTxId tx, BranchId branch, String resource, String detail) implements AgentNotice {
        @Override
        public void accept(Visitor visitor) {
            visitor.heuristic(this);
        }
    }

    /** The leader cannot say what becomes of a prepared branch (yet). */
    record LeftAlone(GlobalTxId tx, BranchId branch, Outcome outcome) implements AgentNotice {
        @Override
        public void accept(Visitor visitor) {
            visitor.leftAlone(this);
        }
    }

    /** Something that must not be: an operator has to look. */
    record Alarm(Reason reason, @Nullable GlobalTxId tx) implements AgentNotice {
        @Override
        public void accept(Visitor visitor) {
            visitor.alarm(this);
        }
    }
}
