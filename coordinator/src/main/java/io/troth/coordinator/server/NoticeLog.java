package io.troth.coordinator.server;

import io.troth.coordinator.engine.EngineListener;
import io.troth.core.ErrorCode;
import io.troth.core.ProtocolViolation;
import io.troth.core.Reason;
import io.troth.core.coordinator.Event;
import io.troth.core.coordinator.LogEntry;
import io.troth.core.coordinator.Notice;
import java.util.EnumMap;
import java.util.EnumSet;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.TimeUnit;
import java.util.function.LongSupplier;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import org.slf4j.event.Level;

/**
 * Writes what an operator must know into the process's log. A flood of refusals or alarms gives one line a second for each
 * code: a database that was restored can hold thousands of branches that nobody may resolve, and each list names them.
 */
final class NoticeLog implements EngineListener, Notice.Visitor<Boolean> {

    private static final Logger LOG = LoggerFactory.getLogger("coordinator");
    private static final long QUIET_NANOS = TimeUnit.SECONDS.toNanos(1);

    private static final Set<ErrorCode> DISK = EnumSet.of(ErrorCode.DISK_FLOOR, ErrorCode.LOG_STALLED);

    private final LongSupplier nanoTime;
    private final Map<ErrorCode, Flood> refusals = new EnumMap<>(ErrorCode.class);
    private final Map<ErrorCode, Flood> alarms = new EnumMap<>(ErrorCode.class);
    /** What was said of the disk last and is not over. */
    private @Nullable ErrorCode disk;

    /** What was not said of a code since its last line. */
    private static final class Flood {
        private long saidNanos;
        private long unsaid;

        Flood(long saidNanos) {
            this.saidNanos = saidNanos;
        }
    }

    NoticeLog(LongSupplier nanoTime) {
        this.nanoTime = nanoTime;
    }

    /** Clients hear it, and begin nothing: nobody else would say what is the matter with the disk. */
    @Override
    public void stepping(Event event) {
        if (!(event instanceof Event.AcceptingChanged change)) {
            return;
        }
        Reason refusing = change.refusing();
        if (refusing != null && DISK.contains(refusing.code())) {
            if (disk != refusing.code()) {
                LOG.warn(
                        "no new transactions: {}. {}", refusing, refusing.code().advice());
            }
            disk = refusing.code();
        } else if (disk != null) {
            LOG.info("{} is over", disk);
            disk = null;
        }
    }

    @Override
    public void heard(Notice notice) {
        notice.accept(this);
    }

    @Override
    public Boolean ready(Notice.Ready notice) {
        LOG.info("leads epoch {}; {} decided transactions are to be finished", notice.epoch(), notice.inDoubt());
        return true;
    }

    @Override
    public Boolean stateChanged(Notice.StateChanged notice) {
        LOG.debug("{} {} -> {}", notice.tx(), notice.from(), notice.to());
        return true;
    }

    @Override
    public Boolean ended(Notice.Ended notice) {
        LOG.debug("{} ended {} {}", notice.tx(), notice.outcome(), notice.reason());
        return true;
    }

    @Override
    public Boolean requestRefused(Notice.RequestRefused notice) {
        long unsaid = unsaid(refusals, notice.reason().code());
        if (unsaid >= 0) {
            // What comes too late is everyday work, such as the enlist of a branch whose transaction was rolled back.
            LOG.atLevel(notice.reason().code() == ErrorCode.TRANSACTION_ENDED ? Level.INFO : Level.WARN)
                    .log("refused {}{}", notice.reason(), more(unsaid));
        }
        return unsaid >= 0;
    }

    /** How many were not said since the last line of the code; -1 when this one is not to be said either. */
    private long unsaid(Map<ErrorCode, Flood> floods, ErrorCode code) {
        long now = nanoTime.getAsLong();
        Flood flood = floods.computeIfAbsent(code, first -> new Flood(now - QUIET_NANOS));
        if (now - flood.saidNanos < QUIET_NANOS) {
            flood.unsaid++;
            return -1;
        }
        long unsaid = flood.unsaid;
        flood.saidNanos = now;
        flood.unsaid = 0;
        return unsaid;
    }

    @Override
    public Boolean resolvedElsewhere(Notice.ResolvedElsewhere notice) {
        LOG.warn("{} {} was finished by somebody else before its commit came", notice.tx(), notice.branch());
        return true;
    }

    @Override
    public Boolean heuristicMixed(Notice.HeuristicMixed notice) {
        LOG.error(
                "{} {} HEURISTIC_MIXED: resolved against the decision, the data must be repaired by people. {}",
                notice.tx(),
                notice.branch(),
                notice.detail());
        return true;
    }

    @Override
    public Boolean alarm(Notice.Alarm notice) {
        long unsaid = unsaid(alarms, notice.reason().code());
        if (unsaid >= 0) {
            LOG.error("ALARM {} {}{}", notice.tx() == null ? "" : notice.tx(), notice.reason(), more(unsaid));
        }
        return unsaid >= 0;
    }

    private static String more(long unsaid) {
        return unsaid == 0 ? "" : " (" + unsaid + " more since the last line)";
    }

    @Override
    public Boolean fenced(Notice.Fenced notice) {
        LOG.error("{} a COMMIT in an entry of epoch {} was dropped (record fence)", notice.tx(), notice.entryEpoch());
        return true;
    }

    @Override
    public void applied(LogEntry entry) {}

    @Override
    public void logFailed(Throwable cause) {}

    @Override
    public void violated(ProtocolViolation violation) {}

    @Override
    public void crashed(Throwable cause) {}
}
