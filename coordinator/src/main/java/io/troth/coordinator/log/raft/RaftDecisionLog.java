package io.troth.coordinator.log.raft;

import io.troth.coordinator.engine.DecisionLog;
import io.troth.coordinator.engine.LeadershipLostException;
import io.troth.coordinator.engine.LogListener;
import io.troth.coordinator.engine.Recovered;
import io.troth.coordinator.log.AppendRules;
import io.troth.coordinator.log.AppliedHorizon;
import io.troth.coordinator.log.DiskWatch;
import io.troth.coordinator.log.LogEnvironment;
import io.troth.coordinator.log.rocksdb.AppliedStore;
import io.troth.core.GlobalTxId;
import io.troth.core.coordinator.LogEntry;
import io.troth.core.coordinator.LogRecord;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;

/**
 * The decision log as the leader of one Raft term has it. Thread-safe.
 *
 * <p><b>Appending.</b> {@link Proposer} makes entries of the records; an entry is durable when Raft has committed it, and
 * is reported when this member has applied it. Records and their order are those of the appends: Raft appends the entries
 * of a leader in the order in which it is given them, and nothing is given to it after one of unknown end.
 *
 * <p><b>The end.</b> Raft says that somebody else leads, or an entry ends as unknown: then nothing is reported any more,
 * and {@link io.troth.coordinator.engine.LogListener#failed} is told a {@link LeadershipLostException}. What this leader
 * has sent may still be applied, before the EPOCH of the next leader and never after it (protocol L3): an entry that is
 * in the log in a later term than it was made in has no effect.
 */
final class RaftDecisionLog implements DecisionLog {

    private final RaftSettings settings;
    private final LogEnvironment environment;
    private final long term;
    private final AppliedStore store;
    private final EntrySender sender;
    private final Runnable stepDown;
    private final AppliedHorizon horizon = new AppliedHorizon();

    private final AtomicBoolean recovering = new AtomicBoolean();

    // Guarded by this. Raft waits for the monitor when the term ends: never held for long.
    private @Nullable LogListener listener;
    private boolean closed;

    private volatile @Nullable Recovered recovered;
    private volatile @Nullable LeadershipLostException over;
    private volatile @Nullable AppendRules rules;
    private volatile @Nullable Proposer proposer;

    /** {@code stepDown}: gives the term up, when Raft has not done so by itself; returns at once. */
    RaftDecisionLog(
            RaftSettings settings,
            LogEnvironment environment,
            long term,
            AppliedStore store,
            EntrySender sender,
            Runnable stepDown) {
        this.settings = settings;
        this.environment = environment;
        this.term = term;
        this.store = store;
        this.sender = sender;
        this.stepDown = stepDown;
    }

    /** True when this leader reports nothing any more. Any thread. */
    boolean isOver() {
        return over != null;
    }

    long term() {
        return term;
    }

    @Override
    public Recovered recover(Consumer<LogEntry> applier) {
        if (!recovering.compareAndSet(false, true)) {
            throw new IllegalStateException("recovered already");
        }
        Recovered found = store.replay(term, () -> over != null, entry -> {
            if (entry.record() instanceof LogRecord.Horizon applied) {
                horizon.applied(applied);
            }
            applier.accept(entry);
        });
        if (found == null) {
            throw new LeadershipLostException("term " + term + " was over before its leader had recovered", over);
        }
        recovered = found;
        return found;
    }

    @Override
    public synchronized void start(long epochNumber, LogListener hears) {
        Recovered found = recovered;
        if (found == null || listener != null || closed) {
            throw new IllegalStateException("start comes once, after recover");
        }
        if (epochNumber != found.nextEpoch()) {
            throw new IllegalArgumentException("epoch " + epochNumber + " in term " + term + ", which is that of epoch "
                    + found.nextEpoch() + " (protocol L3)");
        }
        rules = new AppendRules(epochNumber, found);
        listener = hears;
        DiskWatch watch = new DiskWatch(
                hears,
                environment.nanoTime(),
                DiskWatch.freeBytes(settings.log()),
                environment.threads(),
                settings.log().stallLimitMillis(),
                settings.log().freeFloorBytes());
        Proposer started = new Proposer(settings, environment, term, sender, watch, this::unknown);
        proposer = started;
        if (over != null) {
            started.end();
            hears.failed(over);
            return;
        }
        started.start();
    }

    @Override
    public void append(LogRecord record, boolean forced) {
        AppendRules checks = rules;
        Proposer proposing = proposer;
        if (checks == null || proposing == null) {
            throw new IllegalStateException("append before start");
        }
        checks.check(record, forced);
        proposing.append(record, forced);
    }

    /** @throws LeadershipLostException when the leadership is over: that is no failure of the log */
    @Override
    public LogRecord.@Nullable Commit find(GlobalTxId tx) {
        if (over != null) {
            // The engine may ask before it is told. That the log cannot be read would end the process.
            throw new LeadershipLostException("term " + term + " is over", over);
        }
        LogRecord.Commit found = store.find(tx);
        if (found == null && store.position().term() > term) {
            // Ratis tells late that a term is over: the next leader may have purged what this one is asked for.
            throw new LeadershipLostException("a later leader than that of term " + term + " has appended");
        }
        return found;
    }

    @Override
    public void purge(LogRecord.Horizon upTo) {
        Proposer proposing = proposer;
        if (proposing == null) {
            throw new IllegalStateException("purge before start");
        }
        horizon.checkPurge(upTo);
        proposing.purge(upTo);
    }

    /** An entry of this term was applied by this member. The applying thread. */
    void applied(List<LogRecord> records, AppliedStore.Applied as) {
        List<LogEntry> entries = new ArrayList<>(records.size());
        for (LogRecord record : records) {
            entries.add(new LogEntry(as.epochNumber(), record));
            if (record instanceof LogRecord.Horizon applied) {
                horizon.applied(applied);
            }
        }
        synchronized (this) {
            if (over == null && listener != null && !entries.isEmpty()) {
                listener.applied(entries, as.batch());
            }
        }
    }

    /** Raft says that this term is over. Any thread; only the first time counts. */
    void end(String why) {
        end(new LeadershipLostException(why));
    }

    private void unknown(Throwable cause) {
        end(new LeadershipLostException("it is unknown whether an entry of term " + term + " is in the log", cause));
        stepDown.run();
    }

    private void end(LeadershipLostException cause) {
        synchronized (this) {
            if (over != null) {
                return;
            }
            over = cause;
            if (listener != null && !closed) {
                listener.failed(cause);
            }
        }
        Proposer proposing = proposer;
        if (proposing != null) {
            proposing.end();
        }
    }

    /** Waits as long as a write may stall. The member goes on, and may lead this term without anybody who uses it. */
    @Override
    public void close() {
        Proposer proposing = proposer;
        if (proposing != null) {
            proposing.stop(TimeUnit.MILLISECONDS.toNanos(settings.log().stallLimitMillis()));
        }
        synchronized (this) {
            closed = true;
        }
        end("closed");
    }
}
