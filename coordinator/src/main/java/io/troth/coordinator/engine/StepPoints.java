package io.troth.coordinator.engine;

import io.troth.coordinator.engine.StepListener.Point;
import io.troth.core.GlobalTxId;
import io.troth.core.coordinator.Action;
import io.troth.core.coordinator.AgentMessage;
import io.troth.core.coordinator.ClientMessage;
import io.troth.core.coordinator.LogRecord;
import java.util.ArrayList;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/**
 * Tells a {@link StepListener} where a transaction is, by looking at the actions as they are carried out. The points
 * after an append and after a send come when the flush has handed it over, or let it leave. Only made when somebody
 * listens.
 */
final class StepPoints {

    private record Reached(Point point, GlobalTxId tx) {}

    private final StepListener listener;
    /** What the running list of actions has reported already: a T with two branches is told once. */
    private final Set<Reached> told = new LinkedHashSet<>();
    /** What the next flush hands over to the log. */
    private final Set<Reached> afterHandOver = new LinkedHashSet<>();
    /** What the next flush lets leave. */
    private final Set<Reached> afterFlush = new LinkedHashSet<>();

    StepPoints(StepListener listener) {
        this.listener = listener;
    }

    /** A new list of actions begins. */
    void begin() {
        told.clear();
    }

    /** A COMMIT of the own epoch is applied; none of the actions that follow from it was carried out. */
    void commitDurable(GlobalTxId tx) {
        listener.reached(Point.AFTER_COMMIT_DURABLE, tx);
    }

    void before(Action action) {
        if (action instanceof Action.Append append) {
            tell(append(append.record(), Point.BEFORE_APPEND_COMMIT, Point.BEFORE_APPEND_END));
            Reached handed = append(append.record(), Point.AFTER_APPEND_COMMIT, Point.AFTER_APPEND_END);
            if (handed != null) {
                afterHandOver.add(handed);
            }
        } else if (action instanceof Action.SendToAgent send) {
            beforeSend(send.message());
        } else if (action instanceof Action.SendToClient send
                && send.message() instanceof ClientMessage.Answer answer
                && isOutcome(answer)) {
            tell(new Reached(Point.BEFORE_SEND_ANSWER, answer.tx()));
            afterFlush.add(new Reached(Point.AFTER_SEND_ANSWER, answer.tx()));
        }
    }

    /** The log has everything that was appended so far. */
    void handedOver() {
        tellAll(afterHandOver);
    }

    /** Everything sent so far has left. */
    void flushed() {
        tellAll(afterFlush);
    }

    private void tellAll(Set<Reached> points) {
        if (points.isEmpty()) {
            return;
        }
        List<Reached> now = new ArrayList<>(points);
        points.clear();
        now.forEach(reached -> listener.reached(reached.point(), reached.tx()));
    }

    /** What was sent and has not left never will. */
    void discard() {
        afterFlush.clear();
    }

    private void beforeSend(AgentMessage message) {
        if (message instanceof AgentMessage.Prepare prepare) {
            tell(new Reached(Point.BEFORE_SEND_PREPARE, prepare.tx()));
            afterFlush.add(new Reached(Point.AFTER_SEND_PREPARE, prepare.tx()));
        } else if (message instanceof AgentMessage.CommitOnePhase commit) {
            tell(new Reached(Point.BEFORE_SEND_ONE_PHASE, commit.tx()));
            afterFlush.add(new Reached(Point.AFTER_SEND_ONE_PHASE, commit.tx()));
        } else if (message instanceof AgentMessage.RollbackBranch rollback) {
            tell(new Reached(Point.BEFORE_SEND_ROLLBACK, rollback.tx()));
            afterFlush.add(new Reached(Point.AFTER_SEND_ROLLBACK, rollback.tx()));
        } else if (message instanceof AgentMessage.CommitBranch commit) {
            afterFlush.add(new Reached(Point.AFTER_SEND_COMMIT, commit.tx()));
        }
    }

    private void tell(@Nullable Reached reached) {
        if (reached != null && told.add(reached)) {
            listener.reached(reached.point(), reached.tx());
        }
    }

    private static @Nullable Reached append(LogRecord record, Point ofCommit, Point ofEnd) {
        if (record instanceof LogRecord.Commit commit) {
            return new Reached(ofCommit, commit.tx());
        }
        return record instanceof LogRecord.End end ? new Reached(ofEnd, end.tx()) : null;
    }

    private static boolean isOutcome(ClientMessage.Answer answer) {
        return switch (answer.outcome()) {
            case COMMITTED, ROLLED_BACK, READ_ONLY -> true;
            case UNKNOWN, PENDING, FORGOTTEN, NOT_LEADER -> false;
        };
    }
}
