package io.troth.coordinator.engine;

import io.troth.core.ErrorCode;
import io.troth.core.Reason;
import io.troth.core.coordinator.Action;
import io.troth.core.coordinator.Notice;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;

/** Carries one action out, whatever it is. */
final class ActionCarrier implements Action.Visitor<Boolean> {

    /** So many records are worth a write of their own. */
    static final int RECORDS_PER_HAND_OVER = 128;

    private final EnginePorts ports;
    private final StreamGateway gateway;
    private final TimerQueue timers;
    private final LogLookups lookups;

    /** What this turn has for the log: together, so that the log's thread wakes once. */
    private final List<Action.Append> appends = new ArrayList<>();

    private boolean ready;
    private boolean distrusted;

    /** {@code gateway}: instead of that of the ports. */
    ActionCarrier(EnginePorts ports, StreamGateway gateway, TimerQueue timers, LogLookups lookups) {
        this.ports = ports;
        this.gateway = gateway;
        this.timers = timers;
        this.lookups = lookups;
    }

    /** The core has said that its own EPOCH is applied. */
    boolean hasBecomeReady() {
        return ready;
    }

    /** Why the core answers nothing, as far as it has said; null when it answers. */
    @Nullable
    Reason notReady() {
        if (distrusted) {
            return Reason.of(ErrorCode.LOG_DISTRUSTED);
        }
        return ready ? null : Reason.of(ErrorCode.NOT_READY);
    }

    @Override
    public Boolean append(Action.Append action) {
        appends.add(action);
        return true;
    }

    /**
     * So much waits for the log that it should have it before the turn is over. Otherwise all that is in flight comes to
     * move together, and the processors wait while the log writes, as the log does while they work.
     */
    boolean isFull() {
        return appends.size() >= RECORDS_PER_HAND_OVER;
    }

    /** Hands over to the log what was carried out since the last time, in order. */
    void handOver() {
        for (Action.Append append : appends) {
            ports.log().append(append.record(), append.forced());
        }
        appends.clear();
    }

    @Override
    public Boolean fetchCommit(Action.FetchCommit action) {
        lookups.lookUp(action.tx());
        return true;
    }

    @Override
    public Boolean purge(Action.Purge action) {
        ports.log().purge(action.horizon());
        return true;
    }

    @Override
    public Boolean startTimer(Action.StartTimer action) {
        long now = ports.nanoTime().getAsLong();
        timers.start(action.key(), now + TimeUnit.MILLISECONDS.toNanos(action.delayMillis()));
        return true;
    }

    @Override
    public Boolean cancelTimer(Action.CancelTimer action) {
        timers.cancel(action.key());
        return true;
    }

    @Override
    public Boolean sendToAgent(Action.SendToAgent action) {
        gateway.sendToAgent(action.stream(), action.message());
        return true;
    }

    @Override
    public Boolean sendToClient(Action.SendToClient action) {
        gateway.sendToClient(action.stream(), action.message());
        return true;
    }

    @Override
    public Boolean closeStream(Action.CloseStream action) {
        gateway.close(action.stream(), action.reason());
        return true;
    }

    @Override
    public Boolean notify(Action.Notify action) {
        Notice notice = action.notice();
        if (notice instanceof Notice.Ready) {
            ready = true;
        } else if (notice instanceof Notice.Alarm alarm && alarm.reason().code() == ErrorCode.LOG_DISTRUSTED) {
            distrusted = true;
        }
        ports.listener().heard(notice);
        return true;
    }
}
