package io.troth.chaos.sim.log;

import io.troth.chaos.sim.world.Fault;
import io.troth.chaos.sim.world.SimProcess;
import io.troth.chaos.sim.world.World;
import io.troth.coordinator.engine.LeadershipLostException;
import io.troth.coordinator.engine.LogListener;
import io.troth.coordinator.engine.Recovered;
import io.troth.coordinator.log.AppendRules;
import io.troth.coordinator.log.ReplicatedEntry;
import io.troth.core.GlobalTxId;
import io.troth.core.coordinator.LogEntry;
import io.troth.core.coordinator.LogRecord;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.List;
import java.util.Objects;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;

/** The log of a {@link SimulatedGroup} as the leader of one term has it. One thread. */
public final class SimulatedLeadership implements LeaderLog {

    private static final long MILLI = 1_000_000;
    private static final long LAZY_IDLE_NANOS = 1_000 * MILLI;
    private static final long STALL_LIMIT_NANOS = 10_000 * MILLI;
    private static final int ENTRIES_IN_FLIGHT_MAX = 2;

    /** Either a record or a purge. */
    private record Item(@Nullable LogRecord record, LogRecord.@Nullable Horizon purge, boolean forced) {}

    private final SimulatedGroup group;
    private final World world;
    private final SimProcess process;
    private final LogWatcher watcher;
    private final long term;
    private final Deque<Item> waiting = new ArrayDeque<>();

    /** Those that are in the log and not applied yet, the oldest first. */
    private final Deque<byte[]> inFlight = new ArrayDeque<>();

    private @Nullable AppendRules rules;
    private @Nullable LogListener listener;
    private LogRecord.@Nullable Horizon appliedHorizon;
    private World.@Nullable Task idle;
    private @Nullable Recovered recovered;
    private boolean planned;
    private boolean stalled;

    /** Nothing is sent any more. */
    private boolean dead;

    /** Another one leads. What this one's member had applied can be read until it learns of that. */
    private @Nullable TableWriter frozen;

    private boolean over;

    /** The next entry, whatever it is, finds no room on this member's disk. */
    private boolean full;

    SimulatedLeadership(SimulatedGroup group, World world, SimProcess process, LogWatcher watcher, long term) {
        this.group = group;
        this.world = world;
        this.process = process;
        this.watcher = watcher;
        this.term = term;
    }

    long term() {
        return term;
    }

    @Override
    public Recovered recover(Consumer<LogEntry> applier) {
        TableWriter store = group.writer();
        LogReplay replay = new LogReplay(store.tables(), store.batchNumber());
        replay.run(applier);
        replay.commits().forEach(watcher::committed);
        replay.heuristics().forEach(watcher::forced);
        appliedHorizon = replay.horizon();
        Recovered found = new Recovered(replay.highestEpoch(), term, store.batchNumber());
        recovered = found;
        return found;
    }

    @Override
    public void start(long number, LogListener hears) {
        rules = new AppendRules(number, Objects.requireNonNull(recovered));
        listener = hears;
    }

    @Override
    public void append(LogRecord record, boolean forced) {
        if (rules == null) {
            throw new IllegalStateException("append before start");
        }
        rules.check(record, forced);
        add(new Item(record, null, forced));
    }

    @Override
    public void purge(LogRecord.Horizon horizon) {
        if (appliedHorizon == null || LogReplay.HORIZON_ORDER.compare(horizon, appliedHorizon) > 0) {
            throw new IllegalArgumentException("no HORIZON applied up to " + horizon);
        }
        add(new Item(null, horizon, true));
    }

    private void add(Item item) {
        if (dead) {
            return;
        }
        waiting.add(item);
        if (waiting.stream().anyMatch(Item::forced)) {
            planSend();
        } else if (idle == null) {
            idle = process.after(LAZY_IDLE_NANOS, () -> "the log is idle", () -> {
                idle = null;
                planSend();
            });
        }
    }

    private void planSend() {
        if (!planned && !dead && !waiting.isEmpty() && inFlight.size() < ENTRIES_IN_FLIGHT_MAX) {
            planned = true;
            // The EPOCH may take long: an election is hardly over, and everybody asks already.
            long most = waiting.peek().record() instanceof LogRecord.Epoch ? 500 * MILLI : MILLI;
            long gathers = world.random().nextInt(3) == 0 ? world.random().nextLong(most) : 0;
            world.after(gathers, process, () -> "", this::send);
        }
    }

    private void send() {
        planned = false;
        if (dead || waiting.isEmpty()) {
            return;
        }
        byte[] entry = take().encode();
        inFlight.add(entry);
        boolean fails = full || world.fault(Fault.FSYNC_FAILS);
        boolean arrives = (!fails || world.faultRandom().nextBoolean()) && group.append(this, entry);
        if (fails || !arrives) {
            world.saw(arrives ? "entry of unknown end, in the log" : "entry of unknown end, lost");
            dead = true;
            world.after(world.shortDelay(), process, () -> "the end of an entry is unknown", () -> end("unknown"));
            return;
        }
        long nanos = group.delay();
        if (world.fault(Fault.FSYNC_HANGS)) {
            process.after(STALL_LIMIT_NANOS, () -> "an entry hangs", () -> stalls(entry));
            nanos = STALL_LIMIT_NANOS + world.faultRandom().nextLong(10_000 * MILLI) + MILLI;
        }
        world.after(nanos, () -> "durable up to an entry of term " + term, () -> {
            group.commitAll(term);
            world.after(group.delay(), process, () -> "applies", () -> {
                if (frozen == null && !over) {
                    group.applyDurable();
                }
            });
        });
        planSend();
    }

    private void stalls(byte[] entry) {
        if (inFlight.contains(entry) && !over) {
            stalled = true;
            listener().stalled(true);
        }
    }

    /** What waits, as far as one entry goes; a purge is an entry of its own. */
    private ReplicatedEntry take() {
        List<LogRecord> records = new ArrayList<>();
        while (!waiting.isEmpty() && records.size() < group.recordsPerEntryMax()) {
            Item next = waiting.element();
            if (next.purge() != null) {
                if (records.isEmpty()) {
                    waiting.remove();
                    return new ReplicatedEntry(term, List.of(), next.purge());
                }
                break;
            }
            records.add(Objects.requireNonNull(next.record()));
            waiting.remove();
        }
        return new ReplicatedEntry(term, records);
    }

    /** An entry was applied by this leader's member: its own, or what one before had left. */
    void applied(byte[] entry, List<LogEntry> entries, long batch) {
        for (LogEntry each : entries) {
            if (each.record() instanceof LogRecord.Horizon horizon
                    && (appliedHorizon == null || LogReplay.HORIZON_ORDER.compare(horizon, appliedHorizon) > 0)) {
                appliedHorizon = horizon;
            }
        }
        boolean unused = inFlight.remove(entry);
        if (over || listener == null || !process.isUp()) {
            return;
        }
        if (stalled) {
            stalled = false;
            listener.stalled(false);
        }
        if (!entries.isEmpty()) {
            listener.applied(entries, batch);
        }
        planSend();
    }

    private void end(String why) {
        if (!over) {
            over = true;
            dead = true;
            waiting.clear();
            if (listener != null) {
                listener.failed(new LeadershipLostException(why));
            }
        }
    }

    /**
     * Another one leads from now on, and this one does not know it yet.
     *
     * @param kept the entries that stay and are not applied, its own and those before, in their order
     * @return what it has made, sent or not
     */
    List<byte[]> depose(List<byte[]> kept) {
        List<byte[]> made = new ArrayList<>(inFlight);
        if (!dead && !waiting.isEmpty()) {
            made.add(take().encode());
        }
        if (over || !process.isUp() || listener == null) {
            over = true;
            dead = true;
            return made;
        }
        dead = true;
        waiting.clear();
        frozen = group.writer().copy();
        long learns = world.faultRandom().nextLong(4_000 * MILLI);
        List<byte[]> own = inFlight.stream().filter(kept::contains).toList();
        // Of none of its own before what comes before it, which its member has not applied (protocol L1).
        boolean isNext = !own.isEmpty() && kept.indexOf(own.get(0)) == 0;
        if (world.faultRandom().nextBoolean() && isNext) {
            hearsOf(own, learns / 2);
        }
        world.after(learns, process, () -> "learns that another one leads", () -> end("another one leads"));
        return made;
    }

    /** Its member applies them before it hears of another leader. */
    private void hearsOf(List<byte[]> entries, long nanos) {
        List<LogEntry> records = new ArrayList<>();
        for (byte[] entry : entries) {
            for (LogRecord record : ReplicatedEntry.decode(entry).records()) {
                records.add(new LogEntry(term, record));
            }
        }
        long batch = group.writer().batchNumber();
        if (!records.isEmpty()) {
            world.after(nanos, process, () -> "learns that it had appended " + records, () -> {
                if (!over) {
                    listener().applied(records, batch);
                }
            });
        }
    }

    @Override
    public LogRecord.@Nullable Commit find(GlobalTxId tx) {
        if (over) {
            throw new IllegalStateException("the leadership is over");
        }
        TableWriter then = frozen;
        return (then == null ? group.writer() : then).find(tx);
    }

    @Override
    public void reportFree(boolean aboveFloor, boolean nothingLeft) {
        full = nothingLeft && !aboveFloor;
        if (listener != null && !dead) {
            listener.free(aboveFloor, aboveFloor ? 1L << 40 : 1_000);
        }
    }

    /** Waits until what was handed over is applied. */
    @Override
    public void close() {
        while (!dead && !waiting.isEmpty()) {
            byte[] entry = take().encode();
            inFlight.add(entry);
            boolean unused = group.append(this, entry);
        }
        if (!dead && listener != null) {
            group.commitAll(term);
            group.applyDurable();
        }
        over = true;
        dead = true;
        waiting.clear();
    }

    private LogListener listener() {
        return Objects.requireNonNull(listener);
    }
}
