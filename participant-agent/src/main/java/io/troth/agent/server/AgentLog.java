package io.troth.agent.server;

import io.troth.agent.engine.AgentListener;
import io.troth.client.context.NanoClock;
import io.troth.core.ErrorCode;
import io.troth.core.GlobalTxId;
import io.troth.core.participant.AgentNotice;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.TimeUnit;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Notices as log lines: what an operator has to know, and nothing for the ordinary life of a branch. Of a kind that can
 * come in masses at most one line a second for each resource or code; how many were left out is said with the next one.
 * Under the engine's lock.
 */
final class AgentLog implements AgentListener, AgentNotice.Visitor {

    private static final Logger LOG = LoggerFactory.getLogger("io.troth.agent");
    private static final long PAUSE_NANOS = TimeUnit.SECONDS.toNanos(1);

    private final NanoClock clock;
    private final Map<List<Object>, Throttle> throttles = new HashMap<>();
    private final Map<String, Integer> otherClusters = new HashMap<>();

    /** When a kind was last written, and how many were left out since. */
    private static final class Throttle {
        private long writtenNanos;
        private int leftOut;
        private boolean written;
    }

    AgentLog(NanoClock clock) {
        this.clock = clock;
    }

    @Override
    public void heard(AgentNotice notice) {
        notice.accept(this);
    }

    @Override
    public void failed(RuntimeException cause) {
        LOG.error(
                "the agent has stopped: an invariant is broken, or a bug has shown itself. Please report this.", cause);
    }

    /** The text to write, or null for now. */
    private boolean mayWrite(AgentNotice notice, Object about, StringBuilder suffix) {
        Throttle throttle = throttles.computeIfAbsent(List.of(notice.getClass(), about), kind -> new Throttle());
        long now = clock.nanos();
        if (throttle.written && now - throttle.writtenNanos < PAUSE_NANOS) {
            throttle.leftOut++;
            return false;
        }
        if (throttle.leftOut > 0) {
            suffix.append(" (and ").append(throttle.leftOut).append(" more like it)");
        }
        throttle.written = true;
        throttle.writtenNanos = now;
        throttle.leftOut = 0;
        return true;
    }

    private void warn(AgentNotice notice, Object about, String text) {
        StringBuilder suffix = new StringBuilder();
        if (mayWrite(notice, about, suffix)) {
            LOG.warn("{}{}", text, suffix);
        }
    }

    private void error(AgentNotice notice, Object about, String text) {
        StringBuilder suffix = new StringBuilder();
        if (mayWrite(notice, about, suffix)) {
            LOG.error("{}{}", text, suffix);
        }
    }

    @Override
    public void ready(AgentNotice.Ready notice) {
        LOG.info("connected to the coordinator of epoch {}", notice.epoch());
    }

    @Override
    public void notReady(AgentNotice.NotReady notice) {
        if (notice.reason().code() == ErrorCode.DRAINING) {
            LOG.info("not connected any more: {}", notice.reason());
        } else {
            int unprepared = notice.unprepared();
            LOG.warn(
                    "not connected any more{}: {}",
                    unprepared == 0 ? "" : ", rolls back its unprepared branches (" + unprepared + ")",
                    notice.reason());
        }
    }

    @Override
    public void stateChanged(AgentNotice.StateChanged notice) {
        if (LOG.isDebugEnabled()) {
            LOG.debug(
                    "transaction {} branch {} on {}: {} to {} {}",
                    notice.tx(),
                    notice.branch(),
                    notice.resource(),
                    notice.from(),
                    notice.to(),
                    notice.reason() == null ? "" : notice.reason());
        }
    }

    @Override
    public void voted(AgentNotice.Voted notice) {}

    @Override
    public void refused(AgentNotice.Refused notice) {
        if (notice.reason().code() == ErrorCode.OVERLOADED) {
            warn(notice, ErrorCode.OVERLOADED, "new branches are refused: " + notice.reason());
        } else if (LOG.isDebugEnabled()) {
            LOG.debug("refused: {}", notice.reason());
        }
    }

    @Override
    public void scanned(AgentNotice.Scanned notice) {
        int others = notice.otherClusters();
        Integer before = otherClusters.put(notice.resource(), others);
        if (others > 0 && (before == null || before != others)) {
            LOG.warn(
                    "{} holds {} prepared branches of other Troth clusters; they hold their locks, and are never touched"
                            + " from here",
                    notice.resource(),
                    others);
        }
    }

    @Override
    public void scanFailed(AgentNotice.ScanFailed notice) {
        warn(
                notice,
                notice.resource(),
                "the prepared branches of " + notice.resource() + " cannot be listed: " + notice.reason());
    }

    @Override
    public void phaseTwoDelayed(AgentNotice.PhaseTwoDelayed notice) {
        warn(
                notice,
                notice.resource(),
                "transaction " + notice.tx() + " branch " + notice.branch() + " on " + notice.resource()
                        + " is decided and not finished yet: " + notice.reason());
    }

    @Override
    public void resolvedElsewhere(AgentNotice.ResolvedElsewhere notice) {
        warn(
                notice,
                notice.resource(),
                "transaction " + notice.tx() + " branch " + notice.branch() + " on " + notice.resource()
                        + " was to be committed and is gone: somebody else has finished it, and nothing tells how");
    }

    @Override
    public void heuristic(AgentNotice.Heuristic notice) {
        LOG.error(
                "transaction {} branch {} on {}: HEURISTIC: {}",
                notice.tx(),
                notice.branch(),
                notice.resource(),
                notice.detail());
    }

    @Override
    public void leftAlone(AgentNotice.LeftAlone notice) {
        if (LOG.isDebugEnabled()) {
            LOG.debug(
                    "transaction {} branch {} stays prepared: the coordinator says {}",
                    notice.tx(),
                    notice.branch(),
                    notice.outcome());
        }
    }

    @Override
    public void alarm(AgentNotice.Alarm notice) {
        GlobalTxId tx = notice.tx();
        error(
                notice,
                notice.reason().code(),
                "ALARM" + (tx == null ? "" : ", transaction " + tx) + ": " + notice.reason());
    }
}
