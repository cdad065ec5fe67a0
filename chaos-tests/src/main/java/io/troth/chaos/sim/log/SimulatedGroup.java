package io.troth.chaos.sim.log;

import io.troth.chaos.sim.world.Broken;
import io.troth.chaos.sim.world.Fault;
import io.troth.chaos.sim.world.SimProcess;
import io.troth.chaos.sim.world.World;
import io.troth.coordinator.log.ReplicatedEntry;
import io.troth.core.coordinator.LogEntry;
import io.troth.core.coordinator.LogRecord;
import java.util.ArrayList;
import java.util.List;
import java.util.function.LongSupplier;
import org.jspecify.annotations.Nullable;

/**
 * The decision log of a cluster: what Raft promises of it (protocol 3, L1-L5), and not more. All members apply the same
 * entries in the same order, so that there is one list of entries and one store for all of them; who leads recovers from
 * it. The entries are the real ones, in bytes, and so are the records in the store. Nobody restores it, so that an epoch
 * is a term. One thread.
 *
 * <p>An entry of a leader is durable at some time after it was handed over, and applied by the leader later still. When
 * another term begins, what is durable stays, and of what follows any first part: its leader learns of it late, or never,
 * and goes on meanwhile. The next one hears of it before it leads, or between that and its own EPOCH. What a deposed
 * leader had handed over, kept or not, may come once more, as an entry of a later term.
 */
public final class SimulatedGroup implements LogStore {

    /** In the log, in the term of the leader that appended it. */
    private static final class Entry {
        final long term;
        final byte[] bytes;

        Entry(long term, byte[] bytes) {
            this.term = term;
            this.bytes = bytes;
        }
    }

    /** Members that are far away or busy let more be under way when a leader goes. */
    private static final long[] SLOWNESS_NANOS = {0, 200_000_000, 2_000_000_000};

    private final World world;
    private final LogWatcher watcher;
    private final int recordsPerEntryMax;
    private final long slownessNanos;
    private final TableWriter writer = new TableWriter(new SimulatedDisk.Tables(), 0);

    /** What is not applied yet. */
    private final List<Entry> entries = new ArrayList<>();

    /** So many of them are durable. */
    private int durable;

    /** Entries of earlier leaders that somebody may still hold. */
    private final List<byte[]> held = new ArrayList<>();

    private long term;
    private long epochTerm;
    private @Nullable SimulatedLeadership leading;

    public SimulatedGroup(World world, LogWatcher watcher) {
        this.world = world;
        this.watcher = watcher;
        recordsPerEntryMax = world.random().nextInt(4) == 0 ? 1 : 1_024;
        slownessNanos = SLOWNESS_NANOS[world.random().nextInt(SLOWNESS_NANOS.length)];
    }

    @Override
    public SimulatedLeadership open(SimProcess process) {
        return elect(process);
    }

    @Override
    public SimulatedLeadership takeOver(SimProcess process) {
        return elect(process);
    }

    private SimulatedLeadership elect(SimProcess process) {
        SimulatedLeadership old = leading;
        List<byte[]> kept = keep();
        if (old != null) {
            held.addAll(old.depose(kept));
        }
        // A term can pass without a leader.
        term += world.random().nextInt(4) == 0 ? 1 + world.random().nextInt(3) : 1;
        SimulatedLeadership next = new SimulatedLeadership(this, world, process, watcher, term);
        leading = next;
        boolean hearsTheEndLate = world.isFaulty() && world.random().nextBoolean();
        if (!hearsTheEndLate) {
            applyDurable();
        }
        return next;
    }

    /** The entries that are in the log of the next leader are durable now; the others are gone. Returns those that stay. */
    private List<byte[]> keep() {
        int open = entries.size() - durable;
        int kept = durable + (open == 0 ? 0 : world.random().nextInt(open + 1));
        if (open > 0) {
            world.saw(kept > durable ? "entry kept at an election" : "entry dropped at an election");
        }
        entries.subList(kept, entries.size()).clear();
        commit(kept);
        return entries.stream().map(entry -> entry.bytes).toList();
    }

    // What a leadership does.

    /** Takes an entry, if this is the term of its leader: else it goes nowhere. */
    boolean append(SimulatedLeadership leader, byte[] entry) {
        if (leader.term() != term) {
            return false;
        }
        add(entry);
        return true;
    }

    private void add(byte[] bytes) {
        entries.add(new Entry(term, bytes));
    }

    /** How long it takes until a majority has an entry, or the leader's member has applied it. */
    long delay() {
        return world.shortDelay() + (slownessNanos == 0 ? 0 : world.random().nextLong(slownessNanos));
    }

    /** A majority has all that there is, if the leader of this term still leads then. */
    void commitAll(long ofTerm) {
        if (term == ofTerm) {
            commit(entries.size());
        }
    }

    private void commit(int count) {
        for (Entry entry : entries.subList(durable, count)) {
            ReplicatedEntry made = ReplicatedEntry.decode(entry.bytes);
            for (LogRecord record : made.hasEffectIn(entry.term) ? made.records() : List.<LogRecord>of()) {
                if (record instanceof LogRecord.Commit commit
                        && commit.tx().epoch().number() == entry.term) {
                    watcher.committed(commit);
                }
            }
        }
        durable = count;
    }

    /** Applies what is durable, in order, and tells the leader. */
    void applyDurable() {
        while (durable > 0) {
            Entry entry = entries.remove(0);
            durable--;
            apply(entry);
        }
    }

    private void apply(Entry entry) {
        ReplicatedEntry made = ReplicatedEntry.decode(entry.bytes);
        if (!made.hasEffectIn(entry.term)) {
            world.saw("fenced entry");
            return;
        }
        if (made.purge() != null) {
            SimulatedDisk.Batch unused = writer.purge(made.purge(), watcher);
        } else {
            write(entry.term, made.records());
        }
        SimulatedLeadership leader = leading;
        if (leader != null) {
            List<LogEntry> applied = made.records().stream()
                    .map(record -> new LogEntry(entry.term, record))
                    .toList();
            leader.applied(entry.bytes, applied, writer.batchNumber());
        }
        if (!made.records().isEmpty() && made.records().get(0) instanceof LogRecord.Epoch) {
            proposeAgain();
        }
    }

    /** With the checks of a real member, which stops where one of them fails. */
    private void write(long inTerm, List<LogRecord> records) {
        if (records.get(0) instanceof LogRecord.Epoch first) {
            Broken.unless(
                    first.epoch().number() == inTerm && epochTerm != inTerm,
                    () -> "L3: EPOCH " + first.epoch() + " in term " + inTerm);
            writer.leads(first.epoch().number());
            epochTerm = inTerm;
        }
        Broken.unless(epochTerm == inTerm, () -> "L3: " + records + " of term " + inTerm + " before its EPOCH");
        SimulatedDisk.Batch unused = writer.batch(records);
        for (LogRecord record : records) {
            if (record instanceof LogRecord.End end) {
                watcher.ended(end.tx());
            } else if (record instanceof LogRecord.Heuristic heuristic) {
                watcher.forced(heuristic);
            }
        }
    }

    /** Somebody hands over what an earlier leader has made, as if it were of this term. */
    private void proposeAgain() {
        long own = term;
        for (byte[] bytes : held) {
            if (world.fault(Fault.LOG_PROPOSES_AGAIN)) {
                world.after(delay(), () -> "an entry of an earlier term is proposed again", () -> {
                    if (term == own) {
                        add(bytes);
                    }
                });
            }
        }
        held.clear();
    }

    TableWriter writer() {
        return writer;
    }

    int recordsPerEntryMax() {
        return recordsPerEntryMax;
    }

    // What a majority is for.

    /** The others have what is durable; what is not, the next election decides about. */
    @Override
    public void losePower() {}

    /** A member with a damaged log does not start, and another one leads. */
    @Override
    public boolean decay() {
        return false;
    }

    @Override
    public void restore() {}

    @Override
    public LongSupplier backup() {
        throw new IllegalStateException("only the log of a single node comes from a backup");
    }
}
