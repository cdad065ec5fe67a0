package io.troth.coordinator.engine;

import io.troth.core.EpochId;
import io.troth.core.ErrorCode;
import io.troth.core.GlobalTxId;
import io.troth.core.ProtocolViolation;
import io.troth.core.Reason;
import io.troth.core.SessionKey;
import io.troth.core.TrothException;
import io.troth.core.coordinator.Action;
import io.troth.core.coordinator.CoordinatorLimits;
import io.troth.core.coordinator.CoordinatorStateMachine;
import io.troth.core.coordinator.Event;
import io.troth.core.coordinator.LeaderView;
import io.troth.core.coordinator.LogEntry;
import io.troth.core.coordinator.LogRecord;
import io.troth.core.coordinator.StreamId;
import io.troth.core.coordinator.TimerKey;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.atomic.AtomicLong;
import java.util.concurrent.atomic.AtomicReference;
import java.util.function.Function;
import org.jspecify.annotations.Nullable;

/**
 * Drives the core over the ports: takes what the edges and the log hand over, steps the machine, carries its actions out
 * in order, and lets what was sent leave at the end of each turn. It decides nothing of the protocol.
 *
 * <h2>Turns</h2>
 *
 * {@link #start} once, then {@link #runOnce} again and again, by one thread at a time: the <i>engine thread</i>. There is
 * no thread in here, so that a simulator drives exactly this class; {@code EngineLoop} is what drives it in production.
 * A turn fires the timers that are due, takes what waits in the queue (at most about {@value #EVENTS_PER_TURN} events)
 * and flushes once: what is ready together leaves together, to streams and log, which gets a part before if it is much.
 *
 * <h2>What stops or holds it</h2>
 *
 * <ul>
 *   <li>The log <b>failed</b> (protocol L4, L5): whoever waits hears NOT_LEADER, which is no outcome; nothing else is said
 *       any more. The next process reads the truth.
 *   <li>A write of the log <b>hangs</b>: no new transaction begins, no timer fires, and whatever is said waits ({@link
 *       HeldGateway}). Events are still stepped, but their edges do not hear that they were, so that they read no more
 *       than they may. When the write returns everything goes on; when it fails what was held is never said.
 *   <li>An <b>invariant</b> is broken, or something unforeseen is thrown: the machine is never stepped again, and what
 *       this turn has sent does not leave.
 *   <li>{@link #drain}: no new transaction begins, and when the running ones have ended, or time is over, it stops.
 * </ul>
 *
 * <p>Methods are for the engine thread unless they say otherwise.
 */
public final class CoordinatorEngine implements EngineInbox, LogListener {

    /** A turn takes no further batch after so many events, so that answers leave in time. */
    static final int EVENTS_PER_TURN = 256;

    private enum Phase {
        NEW,
        RUNNING,
        STOPPED
    }

    private final CoordinatorStateMachine machine;
    private final EnginePorts ports;
    private final HeldGateway gateway;
    private final @Nullable StepPoints points;
    private final ActionCarrier carrier;

    // Shared with other threads.
    private final TaskQueue inbox = new TaskQueue();
    private final AtomicLong streams = new AtomicLong();
    private final AtomicReference<@Nullable Throwable> logFailure = new AtomicReference<>();
    private volatile Phase phase = Phase.NEW;
    private volatile @Nullable Reason notReady = Reason.of(ErrorCode.NOT_READY);

    // Engine thread only.
    private final TimerQueue timers = new TimerQueue();
    private final Admission admission;
    /** The edges that wait to hear that their batch was stepped, while a write of the log hangs. */
    private final List<Runnable> unheard = new ArrayList<>();

    private final List<CompletableFuture<Boolean>> drains = new ArrayList<>();
    private @Nullable EpochId own;
    private long durableBatch;

    /** An engine that has done nothing yet. */
    public CoordinatorEngine(int shard, CoordinatorLimits limits, EnginePorts ports) {
        this(new CoordinatorStateMachine(shard, limits), limits, ports);
    }

    /** For tests: around a machine in any state. */
    CoordinatorEngine(CoordinatorStateMachine machine, CoordinatorLimits limits, EnginePorts ports) {
        this.machine = machine;
        admission = new Admission(limits.openTransactionsMax());
        this.ports = ports;
        gateway = new HeldGateway(ports.gateway());
        LogLookups lookups = new LogLookups(ports, this::found, this::lookUpFailed);
        carrier = new ActionCarrier(ports, gateway, timers, lookups);
        points = ports.steps() == StepListener.NONE ? null : new StepPoints(ports.steps());
    }

    /**
     * Recovers, and begins to lead the next epoch. It answers nobody before its EPOCH is applied, some turns later.
     *
     * @return what the log says of itself
     * @throws LeadershipLostException when somebody else leads already
     * @throws RuntimeException when the log is damaged, or an invariant does not hold for what is in it (the listener
     *     was told); the process must not go on
     */
    public Recovered start() {
        if (phase != Phase.NEW) {
            throw new IllegalStateException("an engine starts once");
        }
        try {
            Recovered recovered = ports.log().recover(this::apply);
            EpochId epoch =
                    new EpochId(recovered.nextEpoch(), ports.secureBits().getAsLong());
            own = epoch;
            durableBatch = recovered.durableBatch();
            admission.checkLoad(ports.nanoTime().getAsLong(), 0);
            ports.log().start(epoch.number(), this);
            phase = Phase.RUNNING;
            step(new Event.LeadershipStarted(epoch, recovered.durableBatch()));
            handOver();
            return recovered;
        } catch (ProtocolViolation e) {
            violated(e);
            throw e;
        } catch (RuntimeException e) {
            end(false);
            throw e;
        }
    }

    /**
     * One turn.
     *
     * @return false when there was nothing to do: then {@link #nanosToNextTurn} says how long to wait
     */
    public boolean runOnce() {
        if (phase != Phase.RUNNING) {
            return false;
        }
        try {
            return turn(ports.nanoTime().getAsLong());
        } catch (ProtocolViolation e) {
            violated(e);
        } catch (Throwable e) {
            end(false);
            ports.listener().crashed(e);
        }
        return true;
    }

    /** How long nothing will be to do unless something is handed over; {@link Long#MAX_VALUE} for ever. */
    public long nanosToNextTurn() {
        if (phase != Phase.RUNNING) {
            return Long.MAX_VALUE;
        }
        if (!inbox.isEmpty() || logFailure.get() != null) {
            return 0;
        }
        long now = ports.nanoTime().getAsLong();
        long nanos = gateway.isHolding() ? Long.MAX_VALUE : timers.nanosToNext(now);
        return Math.min(nanos, admission.nanosToNext(now));
    }

    /** Whom to call, on any thread, when something was handed over. Set before the first turn. */
    public void wakeWith(Runnable wakes) {
        inbox.wakeWith(wakes);
    }

    /** True when it will never do anything again. Any thread. */
    public boolean isStopped() {
        return phase == Phase.STOPPED;
    }

    /** Why this coordinator is not one to send clients to; null when it is. Any thread. */
    public @Nullable Reason notReady() {
        return notReady;
    }

    /**
     * Lets no new transaction begin, waits until the running ones have ended, at most this long, and stops. Any thread.
     *
     * @return completed on the engine thread after the engine has stopped: true when every transaction had ended
     */
    public CompletableFuture<Boolean> drain(Duration limit) {
        CompletableFuture<Boolean> result = new CompletableFuture<>();
        inbox.offer(() -> beginDrain(limit, result), () -> result.complete(false));
        return result;
    }

    // The inbox: any thread.

    @Override
    public StreamId newStream() {
        return new StreamId(streams.incrementAndGet());
    }

    @Override
    public SessionKey newSessionKey() {
        return new SessionKey(ports.secureBits().getAsLong(), ports.secureBits().getAsLong());
    }

    @Override
    public void submit(List<Event> events, Runnable stepped) {
        List<Event> batch = List.copyOf(events);
        inbox.offer(() -> stepAll(batch, stepped));
    }

    @Override
    public <T> CompletableFuture<T> look(Function<CoordinatorStateMachine, T> look) {
        CompletableFuture<T> result = new CompletableFuture<>();
        Reason stopped = new Reason(ErrorCode.NOT_READY, "the engine has stopped");
        inbox.offer(
                () -> {
                    try {
                        result.complete(look.apply(machine));
                    } catch (RuntimeException e) {
                        result.completeExceptionally(e);
                    }
                    return 1;
                },
                () -> result.completeExceptionally(new TrothException(stopped)));
        return result;
    }

    // The log's listener: any thread.

    @Override
    public void applied(List<LogEntry> entries, long durable) {
        inbox.offer(() -> {
            durableBatch = Math.max(durableBatch, durable);
            entries.forEach(this::apply);
            return entries.size();
        });
    }

    @Override
    public void failed(Throwable cause) {
        logFailure.set(cause);
        inbox.wake();
    }

    @Override
    public void stalled(boolean stalled) {
        inbox.offer(() -> {
            if (stalled) {
                beginHold();
            } else if (logFailure.get() == null) {
                // Otherwise another write has failed in the meantime.
                endHold();
            }
            return 1;
        });
    }

    @Override
    public void free(boolean aboveFloor, long freeBytes) {
        inbox.offer(() -> {
            if (aboveFloor) {
                admission.clear(Admission.Cause.DISK_FLOOR);
            } else {
                admission.raise(Admission.Cause.DISK_FLOOR, freeBytes + " bytes are left on the log's disk");
            }
            announce();
            return 1;
        });
    }

    // One turn.

    private boolean turn(long now) {
        if (hasLost()) {
            return true;
        }
        boolean busy = fireDue(now) > 0;
        int done = 0;
        while (done < EVENTS_PER_TURN) {
            TaskQueue.Task task = inbox.poll();
            if (task == null) {
                break;
            }
            done += task.run();
            if (hasLost()) {
                return true;
            }
        }
        busy |= watchLoad(now) || done > 0;
        if (isDrained(now)) {
            LeaderView last = machine.view();
            if (last.undecided() > 0) {
                ports.listener().drainOutlived(last.undecided());
            }
            resign();
            end(last.openTransactions() == 0);
            return true;
        }
        if (busy) {
            flush();
            updateReadiness();
        }
        return busy;
    }

    /** True when the log has failed: then nothing is said any more but that this is not the place to ask. */
    private boolean hasLost() {
        Throwable cause = logFailure.get();
        if (cause == null) {
            return false;
        }
        resign();
        end(false);
        ports.listener().logFailed(cause);
        return true;
    }

    private void resign() {
        if (points != null && gateway.isHolding()) {
            points.discard();
        }
        gateway.discard();
        step(new Event.LeadershipLost());
        flush();
    }

    private int fireDue(long now) {
        int fired = 0;
        // Not while a write hangs: a timer could only repeat what is held already.
        while (fired < EVENTS_PER_TURN && !gateway.isHolding()) {
            TimerKey due = timers.pollDue(now);
            if (due == null) {
                break;
            }
            step(new Event.TimerFired(due));
            fired++;
        }
        return fired;
    }

    private int stepAll(List<Event> events, Runnable stepped) {
        for (Event event : events) {
            step(event);
            if (carrier.isFull()) {
                handOver();
            }
            if (gateway.isHolding()) {
                forgetGone(event);
            }
        }
        if (gateway.isHolding()) {
            unheard.add(stepped);
        } else {
            stepped.run();
        }
        return Math.max(1, events.size());
    }

    private void step(Event event) {
        ports.listener().stepping(event);
        carryOut(machine.step(event));
    }

    private void apply(LogEntry entry) {
        List<Action> actions = machine.apply(entry);
        if (points != null
                && phase == Phase.RUNNING
                && entry.record() instanceof LogRecord.Commit commit
                && commit.tx().epoch().equals(own)) {
            points.commitDurable(commit.tx());
        }
        ports.listener().applied(entry);
        carryOut(actions);
    }

    private void carryOut(List<Action> actions) {
        if (points == null) {
            for (Action action : actions) {
                action.accept(carrier);
            }
            return;
        }
        points.begin();
        for (Action action : actions) {
            points.before(action);
            action.accept(carrier);
        }
    }

    private void handOver() {
        carrier.handOver();
        if (points != null) {
            points.handedOver();
        }
    }

    private void flush() {
        handOver();
        gateway.flush(carrier.hasBecomeReady() ? own : null, durableBatch);
        if (points != null && !gateway.isHolding()) {
            points.flushed();
        }
    }

    // What holds it, and why nothing may begin.

    private void beginHold() {
        admission.raise(Admission.Cause.LOG_STALLED, "a write of the log hangs");
        announce();
        gateway.hold();
    }

    private void endHold() {
        gateway.release();
        admission.clear(Admission.Cause.LOG_STALLED);
        announce();
        List<Runnable> waiting = List.copyOf(unheard);
        unheard.clear();
        waiting.forEach(Runnable::run);
    }

    private void forgetGone(Event event) {
        if (event instanceof Event.AgentDisconnected gone) {
            gateway.forget(gone.stream());
        } else if (event instanceof Event.ClientDisconnected gone) {
            gateway.forget(gone.stream());
        }
    }

    private boolean watchLoad(long now) {
        if (!admission.isLoadCheckDue(now)) {
            return false;
        }
        admission.checkLoad(now, machine.view().openTransactions());
        return announce();
    }

    /** True when there was something to tell. */
    private boolean announce() {
        Event change = admission.change();
        if (change != null) {
            step(change);
        }
        return change != null;
    }

    private int beginDrain(Duration limit, CompletableFuture<Boolean> result) {
        drains.add(result);
        admission.drain(ports.nanoTime().getAsLong(), limit.toNanos());
        announce();
        return 1;
    }

    private boolean isDrained(long now) {
        if (!admission.isDraining() || admission.isDrainOver(now)) {
            return admission.isDraining();
        }
        LeaderView view = machine.view();
        boolean allHeard = admission.isBegunHeard(now) || view.sessions() == 0;
        return allHeard && !gateway.isHolding() && view.openTransactions() == 0;
    }

    private void updateReadiness() {
        boolean before = notReady == null;
        notReady = carrier.notReady() == null ? admission.notReady() : carrier.notReady();
        boolean ready = notReady == null;
        if (ready != before) {
            ports.gateway().ready(ready);
        }
    }

    private void violated(ProtocolViolation violation) {
        end(false);
        ports.listener().violated(violation);
    }

    private void end(boolean drained) {
        notReady = new Reason(ErrorCode.NOT_READY, "the engine has stopped");
        phase = Phase.STOPPED;
        timers.clear();
        unheard.clear();
        drains.forEach(result -> result.complete(drained));
        drains.clear();
        inbox.close();
    }

    private void found(GlobalTxId tx, LogRecord.@Nullable Commit commit) {
        submit(List.of(new Event.CommitFetched(tx, commit)), () -> {});
    }

    private void lookUpFailed(Throwable cause) {
        logFailure.compareAndSet(null, cause);
        inbox.wake();
    }
}
