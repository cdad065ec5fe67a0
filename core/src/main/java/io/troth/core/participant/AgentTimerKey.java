package io.troth.core.participant;

import io.troth.core.BranchId;
import io.troth.core.GlobalTxId;

/**
 * What a timer of the agent is for. Starting a timer whose key is running replaces it.
 */
public sealed interface AgentTimerKey {

    /** Calls the visitor's method for this kind. */
    <R> R accept(Visitor<R> visitor);

    /** One method a kind: a new kind does not compile until everyone has an answer to it. */
    interface Visitor<R> {
        R deadline(Deadline timer);

        R phaseTwoRetry(PhaseTwoRetry timer);

        R scan(Scan timer);

        R keptSweep(KeptSweep timer);
    }

    /** T's remaining time is over: roll its unprepared branches back (protocol 5.7). */
    record Deadline(GlobalTxId tx) implements AgentTimerKey {
        @Override
        public <R> R accept(Visitor<R> visitor) {
            return visitor.deadline(this);
        }
    }

    /** The database did not finish the prepared branch at the last attempt. */
    record PhaseTwoRetry(BranchId branch) implements AgentTimerKey {
        @Override
        public <R> R accept(Visitor<R> visitor) {
            return visitor.phaseTwoRetry(this);
        }
    }

    /** List the prepared xids again (protocol 9.5). */
    record Scan(String resource) implements AgentTimerKey {
        @Override
        public <R> R accept(Visitor<R> visitor) {
            return visitor.scan(this);
        }
    }

    /** Kept results grow older (protocol 8.3). */
    record KeptSweep() implements AgentTimerKey {
        @Override
        public <R> R accept(Visitor<R> visitor) {
            return visitor.keptSweep(this);
        }
    }
}
