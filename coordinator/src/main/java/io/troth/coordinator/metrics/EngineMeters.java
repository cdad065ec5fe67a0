package io.troth.coordinator.metrics;

import io.micrometer.core.instrument.Counter;
import io.micrometer.core.instrument.Gauge;
import io.micrometer.core.instrument.MeterRegistry;
import io.micrometer.core.instrument.Timer;
import io.troth.coordinator.engine.EngineListener;
import io.troth.core.EpochId;
import io.troth.core.ErrorCode;
import io.troth.core.GlobalTxId;
import io.troth.core.Outcome;
import io.troth.core.ProtocolViolation;
import io.troth.core.Reason;
import io.troth.core.coordinator.CoordinatorStateMachine;
import io.troth.core.coordinator.Event;
import io.troth.core.coordinator.LeaderView;
import io.troth.core.coordinator.LogEntry;
import io.troth.core.coordinator.LogRecord;
import io.troth.core.coordinator.Notice;
import io.troth.core.coordinator.TransactionState;
import java.time.Duration;
import java.util.EnumMap;
import java.util.EnumSet;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicLong;
import java.util.function.LongSupplier;
import org.jspecify.annotations.Nullable;

/** Counts what the engine tells. Engine thread only, but for {@link #refused}; the gauges are read by any thread. */
final class EngineMeters implements EngineListener, Notice.Visitor<Boolean> {

    private final LongSupplier nanoTime;
    private final MeterTags.Counters<Outcome> ended;
    private final MeterTags.Counters<ErrorCode> rolledBack;
    private final MeterTags.Counters<ErrorCode> refused;
    private final MeterTags.Counters<ErrorCode> alarms;
    private final Counter heuristicMixed;
    private final Counter resolvedElsewhere;
    private final Counter fenced;
    private final Counter drainOutlived;
    private final Timer prepare;
    private final Timer twoPhase;
    private final Timer onePhase;

    // Written by sample().
    private final Map<TransactionState, AtomicLong> open = new EnumMap<>(TransactionState.class);
    private final AtomicLong inDoubtCount = new AtomicLong();
    private final AtomicLong oldestInDoubtNanos = new AtomicLong();
    private final AtomicLong leftAlone = new AtomicLong();
    private final AtomicLong sessions = new AtomicLong();
    private final AtomicLong keptResults = new AtomicLong();
    private final AtomicLong keptResultsMax = new AtomicLong();
    private final AtomicLong ready = new AtomicLong();
    private final AtomicLong accepting = new AtomicLong();

    /** When commit was asked for. As many as there are open transactions, which the core bounds. */
    private final Map<GlobalTxId, Long> askedNanos = new HashMap<>();
    /** COMMITs of the own epoch not ended at every branch, the oldest first, and since when this process knows. */
    private final Map<GlobalTxId, Long> inDoubtSinceNanos = new LinkedHashMap<>();

    /** COMMITs that were recovered and are not ended: only counted, because there may be a million. */
    private long recovered;

    private long recoveredSinceNanos;
    private @Nullable EpochId own;

    /** A write of the log hangs, so that nothing is answered. */
    private boolean logHangs;

    EngineMeters(MeterRegistry registry, LongSupplier nanoTime) {
        this.nanoTime = nanoTime;
        ended = new MeterTags.Counters<>(registry, "troth.transactions.ended", "outcome", "Transactions by outcome");
        rolledBack = new MeterTags.Counters<>(
                registry, "troth.transactions.rolled.back", "reason", "Rolled back transactions by reason");
        refused = new MeterTags.Counters<>(registry, "troth.refused", "reason", "Requests that changed nothing");
        alarms = new MeterTags.Counters<>(registry, "troth.alarms", "reason", "Things an operator has to look at");
        EnumSet.allOf(ErrorCode.class).forEach(alarms::of);
        heuristicMixed = counter(registry, "troth.heuristic.mixed", "Branches resolved against the decision");
        resolvedElsewhere =
                counter(registry, "troth.resolved.elsewhere", "Prepared branches that somebody else had finished");
        fenced = counter(registry, "troth.records.fenced", "COMMITs dropped by the record fence");
        drainOutlived = counter(registry, "troth.drain.outlived", "Transactions for which a drain was too short");
        prepare = timer(registry, "troth.prepare.duration", "From the first prepare to the last vote", "");
        twoPhase = timer(registry, "troth.commit.duration", "From the request to commit to the end", "two");
        onePhase = timer(registry, "troth.commit.duration", "From the request to commit to the end", "one");
        for (TransactionState state : TransactionState.values()) {
            if (state != TransactionState.ENDED) {
                AtomicLong count = new AtomicLong();
                open.put(state, count);
                registry.gauge("troth.transactions.open", MeterTags.of("state", state), count);
            }
        }
        registry.gauge("troth.in.doubt.transactions", inDoubtCount);
        Gauge.builder("troth.in.doubt.oldest.age", oldestInDoubtNanos, nanos -> nanos.get() / 1e9)
                .baseUnit("seconds")
                .register(registry);
        registry.gauge("troth.branches.left.alone", leftAlone);
        registry.gauge("troth.sessions.open", sessions);
        registry.gauge("troth.kept.results", keptResults);
        registry.gauge("troth.kept.results.max", keptResultsMax);
        registry.gauge("troth.ready", ready);
        registry.gauge("troth.accepting", accepting);
    }

    private static Counter counter(MeterRegistry registry, String name, String description) {
        return Counter.builder(name).description(description).register(registry);
    }

    private static Timer timer(MeterRegistry registry, String name, String description, String phases) {
        Timer.Builder builder = Timer.builder(name)
                .description(description)
                .publishPercentileHistogram()
                .minimumExpectedValue(Duration.ofNanos(100_000))
                .maximumExpectedValue(Duration.ofSeconds(60));
        return (phases.isEmpty() ? builder : builder.tag("phases", phases)).register(registry);
    }

    /** Takes over what the leader says of itself. Engine thread. */
    void sample(CoordinatorStateMachine leader) {
        keptResults.set(leader.keptResults());
        keptResultsMax.set(leader.keptResultsMax());
        sample(leader.view());
    }

    void sample(LeaderView view) {
        open.forEach((state, count) -> count.set(view.open().getOrDefault(state, 0)));
        leftAlone.set(view.leftAlone());
        sessions.set(view.sessions());
        boolean answers = view.ready() && !logHangs;
        ready.set(answers ? 1 : 0);
        accepting.set(answers && view.accepting() ? 1 : 0);
        inDoubtCount.set(inDoubtSinceNanos.size() + recovered);
        if (recovered > 0) {
            oldestInDoubtNanos.set(nanoTime.getAsLong() - recoveredSinceNanos);
        } else if (!inDoubtSinceNanos.isEmpty()) {
            oldestInDoubtNanos.set(
                    nanoTime.getAsLong() - inDoubtSinceNanos.values().iterator().next());
        } else {
            oldestInDoubtNanos.set(0);
        }
    }

    /** An engine will begin to lead, and none does now: it reads again what one before it knew, ready or not. */
    void begins() {
        own = null;
        logHangs = false;
        recovered = 0;
        askedNanos.clear();
        inDoubtSinceNanos.clear();
        leadsNot();
    }

    /** Nothing leads here: no gauge shows what once was. Not while an engine is sampled. */
    void leadsNot() {
        open.values().forEach(count -> count.set(0));
        List.of(inDoubtCount, oldestInDoubtNanos, leftAlone, sessions, keptResults, keptResultsMax, ready, accepting)
                .forEach(gauge -> gauge.set(0));
    }

    /** Something was refused. Any thread. */
    void refused(Reason reason) {
        refused.increment(reason.code());
    }

    @Override
    public void stepping(Event event) {
        if (event instanceof Event.AcceptingChanged changed) {
            Reason refusing = changed.refusing();
            logHangs = refusing != null && refusing.code() == ErrorCode.LOG_STALLED;
        }
    }

    @Override
    public void heard(Notice notice) {
        notice.accept(this);
    }

    @Override
    public void applied(LogEntry entry) {
        if (entry.record() instanceof LogRecord.Commit commit) {
            if (own != null) {
                inDoubtSinceNanos.putIfAbsent(commit.tx(), nanoTime.getAsLong());
            } else if (recovered++ == 0) {
                recoveredSinceNanos = nanoTime.getAsLong();
            }
        } else if (entry.record() instanceof LogRecord.End end) {
            over(end.tx());
        }
    }

    /** Not in doubt any more. */
    private void over(GlobalTxId tx) {
        if (tx.epoch().equals(own)) {
            inDoubtSinceNanos.remove(tx);
        } else {
            recovered--;
        }
    }

    @Override
    public void drainOutlived(int transactions) {
        drainOutlived.increment(transactions);
    }

    @Override
    public void logFailed(Throwable cause) {
        ready.set(0);
    }

    @Override
    public void violated(ProtocolViolation violation) {
        ready.set(0);
    }

    @Override
    public void crashed(Throwable cause) {
        ready.set(0);
    }

    @Override
    public Boolean ready(Notice.Ready notice) {
        own = notice.epoch();
        ready.set(1);
        return true;
    }

    @Override
    public Boolean stateChanged(Notice.StateChanged notice) {
        long now = nanoTime.getAsLong();
        boolean asked = notice.to() == TransactionState.PREPARING || notice.to() == TransactionState.ONE_PHASE;
        if (asked) {
            askedNanos.put(notice.tx(), now);
        }
        Long since = askedNanos.get(notice.tx());
        if (since != null && notice.from() == TransactionState.PREPARING) {
            prepare.record(now - since, TimeUnit.NANOSECONDS);
        }
        if (since != null && notice.to() == TransactionState.ENDED) {
            askedNanos.remove(notice.tx());
            (notice.from() == TransactionState.ONE_PHASE ? onePhase : twoPhase)
                    .record(now - since, TimeUnit.NANOSECONDS);
        }
        return true;
    }

    @Override
    public Boolean ended(Notice.Ended notice) {
        inDoubtSinceNanos.remove(notice.tx());
        ended.increment(notice.outcome());
        if (notice.outcome() == Outcome.ROLLED_BACK && notice.reason() != null) {
            rolledBack.increment(notice.reason().code());
        }
        return true;
    }

    @Override
    public Boolean requestRefused(Notice.RequestRefused notice) {
        refused(notice.reason());
        return true;
    }

    @Override
    public Boolean resolvedElsewhere(Notice.ResolvedElsewhere notice) {
        resolvedElsewhere.increment();
        return true;
    }

    @Override
    public Boolean heuristicMixed(Notice.HeuristicMixed notice) {
        heuristicMixed.increment();
        return true;
    }

    @Override
    public Boolean alarm(Notice.Alarm notice) {
        alarms.increment(notice.reason().code());
        return true;
    }

    @Override
    public Boolean fenced(Notice.Fenced notice) {
        over(notice.tx());
        fenced.increment();
        return true;
    }
}
