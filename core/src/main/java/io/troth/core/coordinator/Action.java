package io.troth.core.coordinator;

import io.troth.core.GlobalTxId;
import io.troth.core.Reason;

/**
 * What the core wants done, in this order. The engine carries actions out without deciding anything.
 */
public sealed interface Action {

    /** Calls the visitor's method for this kind. */
    <R> R accept(Visitor<R> visitor);

    /** One method a kind: a new kind does not compile until everyone has an answer to it. */
    interface Visitor<R> {
        R append(Append action);

        R fetchCommit(FetchCommit action);

        R purge(Purge action);

        R startTimer(StartTimer action);

        R cancelTimer(CancelTimer action);

        R sendToAgent(SendToAgent action);

        R sendToClient(SendToClient action);

        R closeStream(CloseStream action);

        R notify(Notify action);
    }

    /** Append a record. Forced: durable before it is applied; else it goes with the next forced one or after 1 s. */
    record Append(LogRecord record, boolean forced) implements Action {
        @Override
        public <R> R accept(Visitor<R> visitor) {
            return visitor.append(this);
        }
    }

    /** Look in the log for the COMMIT of a T that is not in memory; {@link Event.CommitFetched} answers. */
    record FetchCommit(GlobalTxId tx) implements Action {
        @Override
        public <R> R accept(Visitor<R> visitor) {
            return visitor.fetchCommit(this);
        }
    }

    /** Ended records up to this applied horizon may be deleted from the log. */
    record Purge(LogRecord.Horizon horizon) implements Action {
        @Override
        public <R> R accept(Visitor<R> visitor) {
            return visitor.purge(this);
        }
    }

    /** Start or replace a timer; {@link Event.TimerFired} comes after at least this time. */
    record StartTimer(TimerKey key, long delayMillis) implements Action {
        @Override
        public <R> R accept(Visitor<R> visitor) {
            return visitor.startTimer(this);
        }
    }

    /** Forget a timer; a late {@link Event.TimerFired} of it is harmless. */
    record CancelTimer(TimerKey key) implements Action {
        @Override
        public <R> R accept(Visitor<R> visitor) {
            return visitor.cancelTimer(this);
        }
    }

    /** Send on an agent stream; dropped when the stream is gone. */
    record SendToAgent(StreamId stream, AgentMessage message) implements Action {
        @Override
        public <R> R accept(Visitor<R> visitor) {
            return visitor.sendToAgent(this);
        }
    }

    /** Send on a client stream; dropped when the stream is gone. */
    record SendToClient(StreamId stream, ClientMessage message) implements Action {
        @Override
        public <R> R accept(Visitor<R> visitor) {
            return visitor.sendToClient(this);
        }
    }

    /** Refuse the peer and end its stream. */
    record CloseStream(StreamId stream, Reason reason) implements Action {
        @Override
        public <R> R accept(Visitor<R> visitor) {
            return visitor.closeStream(this);
        }
    }

    /** Tell the observers (metrics, log): never changes what the core does. */
    record Notify(Notice notice) implements Action {
        @Override
        public <R> R accept(Visitor<R> visitor) {
            return visitor.notify(this);
        }
    }
}
