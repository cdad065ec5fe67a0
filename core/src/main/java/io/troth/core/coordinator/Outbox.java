package io.troth.core.coordinator;

import io.troth.core.ErrorCode;
import io.troth.core.GlobalTxId;
import io.troth.core.Reason;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;

/** Collects the actions of one step, in order. */
final class Outbox {

    private List<Action> actions = new ArrayList<>();

    void append(LogRecord record, boolean forced) {
        actions.add(new Action.Append(record, forced));
    }

    void fetch(GlobalTxId tx) {
        actions.add(new Action.FetchCommit(tx));
    }

    void purge(LogRecord.Horizon horizon) {
        actions.add(new Action.Purge(horizon));
    }

    void toAgent(StreamId stream, AgentMessage message) {
        actions.add(new Action.SendToAgent(stream, message));
    }

    void toClient(StreamId stream, ClientMessage message) {
        actions.add(new Action.SendToClient(stream, message));
    }

    void startTimer(TimerKey key, long delayMillis) {
        actions.add(new Action.StartTimer(key, delayMillis));
    }

    void cancelTimer(TimerKey key) {
        actions.add(new Action.CancelTimer(key));
    }

    void close(StreamId stream, Reason reason) {
        refused(reason);
        actions.add(new Action.CloseStream(stream, reason));
    }

    void refused(Reason reason) {
        actions.add(new Action.Notify(new Notice.RequestRefused(reason)));
    }

    void notice(Notice notice) {
        actions.add(new Action.Notify(notice));
    }

    void alarm(ErrorCode code, String detail, @Nullable GlobalTxId tx) {
        notice(new Notice.Alarm(new Reason(code, detail), tx));
    }

    /** What was collected since the last call. */
    List<Action> drain() {
        if (actions.isEmpty()) {
            return List.of();
        }
        List<Action> drained = actions;
        actions = new ArrayList<>();
        return drained;
    }
}
