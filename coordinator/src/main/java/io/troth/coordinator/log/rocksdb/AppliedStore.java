package io.troth.coordinator.log.rocksdb;

import io.troth.coordinator.engine.Recovered;
import io.troth.coordinator.log.DamagedRecordException;
import io.troth.coordinator.log.LogEnvironment;
import io.troth.coordinator.log.LogRefusal;
import io.troth.coordinator.log.LogRefusedException;
import io.troth.coordinator.log.LogSettings;
import io.troth.coordinator.log.Meta;
import io.troth.coordinator.log.Position;
import io.troth.coordinator.log.RecordKeys;
import io.troth.coordinator.log.ReplicatedEntry;
import io.troth.coordinator.log.ReplicatedState;
import io.troth.coordinator.log.Watermark;
import io.troth.core.EpochId;
import io.troth.core.GlobalTxId;
import io.troth.core.coordinator.LogEntry;
import io.troth.core.coordinator.LogRecord;
import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.locks.ReadWriteLock;
import java.util.concurrent.locks.ReentrantReadWriteLock;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;
import org.rocksdb.RocksDBException;
import org.rocksdb.WriteBatch;

/**
 * What one member of a replicated log has applied, in the same RocksDB database, families and records as the log of a
 * single node. Thread-safe; the applying thread is one.
 *
 * <p>The replicated log is what is durable, so nothing is logged or flushed here: after a crash the store is one of some
 * entries ago, and says of which ({@link ReplicatedState}, in the same batch as the entry, and all families are flushed
 * together). The entries after that are applied once more; those up to it are passed over.
 *
 * <p>Everything that is written depends on the entries alone, batch numbers too: every member has the same content at the
 * same position, so that the next leader's batch numbers go on where an agent has heard of the last one's.
 */
public final class AppliedStore implements AutoCloseable {

    private final LogSettings settings;
    /** Held for writing while no database is open: who looks something up waits for the next one. */
    private final ReadWriteLock replacing = new ReentrantReadWriteLock();

    // Written under the monitor; read on any thread.
    private volatile OpenLog log;
    private volatile ReplicatedState state;

    // Guarded by this.
    private RecordWriter writer;
    private @Nullable EpochId lastEpoch;
    private boolean closed;

    private AppliedStore(LogSettings settings, OpenLog log) {
        this.settings = settings;
        this.log = log;
        state = ReplicatedState.START;
        writer = load(log);
    }

    /**
     * What a member does with an entry.
     *
     * @param epochNumber the epoch of the leader that appended it, for each of its records
     * @param batch the batch that it became; 0 when nothing was written
     */
    public record Applied(long epochNumber, long batch) {}

    /**
     * Locks and opens the data directory of a member, or makes a new one.
     *
     * @throws LogRefusedException when it is not to be used: the message says why and what to do
     */
    public static AppliedStore open(LogSettings settings, LogEnvironment environment) {
        AppliedStore store = ofMember(settings, OpenLog.open(settings, environment));
        if (store == null) {
            throw new LogRefusedException(
                    LogRefusal.NOT_REPLICATED, settings.directory(), "there is the log of a single node");
        }
        return store;
    }

    /**
     * The same to restore it, not to lead it.
     *
     * @return null when it is the log of a single node, which may be cut
     * @throws LogRefusedException when it is not to be used: the message says why and what to do
     */
    public static @Nullable AppliedStore openForRestore(LogSettings settings, LogEnvironment environment) {
        return ofMember(settings, OpenLog.openCut(settings, environment));
    }

    /** Null, and the log closed, when it is that of a single node. */
    private static @Nullable AppliedStore ofMember(LogSettings settings, OpenLog log) {
        AppliedStore store = null;
        try {
            if (log.replicated() != null || log.lastBatch().batch() == 0) {
                store = new AppliedStore(settings, log);
            }
            return store;
        } finally {
            if (store == null) {
                log.close();
            }
        }
    }

    /** Makes what else a member has. */
    @FunctionalInterface
    public interface Rest {
        void make() throws IOException;
    }

    /**
     * Makes the log of a single node the store that a cluster is founded on, with everything that is in it. From one moment
     * on, which is the last, it is no single node's any more.
     *
     * @param rest done before, while nobody else can have the log
     * @throws LogRefusedException when it is not to be used; nothing was changed
     */
    public static void found(LogSettings settings, LogEnvironment environment, Rest rest) throws IOException {
        try (OpenLog log = OpenLog.open(settings, environment)) {
            if (log.replicated() != null) {
                throw new LogRefusedException(
                        LogRefusal.REPLICATED, settings.directory(), "it is that of a member already");
            }
            ReplicatedState founded =
                    ReplicatedState.founded(LogReader.verified(log).highestEpoch());
            rest.make();
            try (WriteBatch batch = new WriteBatch()) {
                batch.put(Meta.REPLICATED, Meta.replicated(founded));
                log.store().writeUnlogged(batch);
                log.store().flush();
            }
        } catch (RocksDBException e) {
            throw new IOException("the log in " + settings.directory() + " cannot be written: " + e.getMessage(), e);
        }
    }

    /** Reads where the database stands; the writer that goes on there. */
    private RecordWriter load(OpenLog opened) {
        ReplicatedState found = opened.replicated();
        state = found == null ? ReplicatedState.START : found;
        lastEpoch = null;
        LogReader reader = new LogReader(opened);
        reader.replayHead(stored -> {
            if (stored.record() instanceof LogRecord.Epoch epoch) {
                lastEpoch = epoch.epoch();
            }
        });
        // What a leader recovers beside that: a damage is to be seen before this member leads.
        reader.verifyOpen();
        RecordWriter going = new RecordWriter(
                opened.store(), this::write, 0, opened.lastBatch().batch(), reader.lowWater());
        if (lastEpoch != null) {
            going.leads(lastEpoch.number(), lastEpoch);
        }
        return going;
    }

    /** The seam of the writer: what an entry writes and where it stands are one batch. */
    private void write(WriteBatch batch, boolean sync) throws RocksDBException {
        batch.put(Meta.REPLICATED, Meta.replicated(state));
        log.store().writeUnlogged(batch);
    }

    /** The last entry that is in the store. Any thread. */
    public Position position() {
        return state.position();
    }

    /** The epoch of the leader of this term, if it becomes ready now. */
    public long epochOf(long term) {
        return state.epochBase() + term;
    }

    /**
     * Applies an entry. One that is in the store already, or that its leader made in another term than the log has it in
     * (record fence), has no effect.
     *
     * @param at where the log has it
     * @return null when it had no effect
     * @throws IllegalStateException when no leader can have appended it, or the store cannot be written
     */
    public synchronized @Nullable Applied apply(Position at, ReplicatedEntry entry) {
        if (at.index() <= state.position().index()) {
            return null;
        }
        ReplicatedState before = state;
        state = before.at(at);
        if (!entry.hasEffectIn(at.term())) {
            return null;
        }
        try {
            return entry.purge() == null ? applyRecords(at.term(), entry.records()) : purge(entry.purge());
        } catch (RocksDBException e) {
            // What is in the store is unknown: nobody may go on with it.
            state = before;
            throw new IllegalStateException("entry " + at + " cannot be applied in " + settings.directory(), e);
        }
    }

    private Applied applyRecords(long term, List<LogRecord> records) throws RocksDBException {
        if (records.isEmpty()) {
            return new Applied(0, 0);
        }
        if (records.get(0) instanceof LogRecord.Epoch first) {
            checkEpoch(first.epoch(), term);
            writer.leads(first.epoch().number(), null);
            lastEpoch = first.epoch();
            state = state.ledInTerm(term);
        }
        EpochId epoch = lastEpoch;
        if (epoch == null || state.epochTerm() != term) {
            throw new IllegalStateException("records of term " + term + " before its EPOCH (protocol L3)");
        }
        for (LogRecord record : records) {
            if (record instanceof LogRecord.Distrust distrust) {
                state = state.distrusting(distrust.epochNumber(), term);
            }
        }
        writer.write(records, false);
        return new Applied(epoch.number(), writer.batchNumber());
    }

    private void checkEpoch(EpochId epoch, long term) {
        if (epoch.number() != epochOf(term) || state.epochTerm() == term) {
            throw new IllegalStateException(
                    "EPOCH " + epoch + " in term " + term + " over epoch base " + state.epochBase() + " (protocol L3)");
        }
    }

    private Applied purge(LogRecord.Horizon horizon) throws RocksDBException {
        writer.purge(horizon);
        return new Applied(0, writer.batchNumber());
    }

    /** An entry that is not for the store was passed. */
    public synchronized void pass(Position at) {
        if (at.index() > state.position().index()) {
            state = state.at(at);
        }
    }

    /**
     * Hands over what a leader of this term recovers, as {@link io.troth.coordinator.engine.DecisionLog#recover} says, and
     * lets nothing be applied meanwhile.
     *
     * @param isOver asked first: true when another leader may have appended already
     * @return null when it was over
     */
    public synchronized @Nullable Recovered replay(long term, IsOver isOver, Consumer<LogEntry> applier) {
        // Ratis tells late that a term is over: entries of the next one may have been applied meanwhile.
        if (isOver.isOver() || state.position().term() > term) {
            return null;
        }
        LogReader reader = new LogReader(current());
        reader.replay(applier);
        return new Recovered(reader.highestEpoch(), epochOf(term), writer.batchNumber());
    }

    /** Whether a leadership is over. */
    @FunctionalInterface
    public interface IsOver {
        boolean isOver();
    }

    /** The log as of now: a reader refuses what is younger than the last batch. */
    private OpenLog current() {
        OpenLog now = log;
        long number = lastEpoch == null ? 0 : lastEpoch.number();
        return new OpenLog(
                now.directory(),
                now.incarnation(),
                new Watermark(writer.batchNumber(), number),
                now.store(),
                now.lock());
    }

    /**
     * The applied COMMIT of T, ended or not, or null. Any thread; waits while the store is replaced.
     *
     * @throws IllegalStateException when the store is closed
     */
    public LogRecord.@Nullable Commit find(GlobalTxId tx) {
        replacing.readLock().lock();
        try {
            return log.find(tx);
        } finally {
            replacing.readLock().unlock();
        }
    }

    /**
     * Makes a copy of the store, which is on disk on return, and removes what was deleted.
     *
     * @param target a directory that does not exist
     * @return the position of the copy
     */
    public synchronized Position checkpoint(Path target) throws IOException {
        try (WriteBatch batch = new WriteBatch()) {
            // Where it stands may have moved since the last batch.
            write(batch, false);
            log.store().compactOpen(RecordKeys.afterAll());
            log.store().checkpoint(target);
        } catch (RocksDBException e) {
            throw new IOException("no checkpoint of " + settings.directory() + ": " + e.getMessage(), e);
        }
        return position();
    }

    /**
     * Goes on with a copy that a member has made with {@link #checkpoint}, instead of what is in the store.
     *
     * @throws IOException when that cannot be done; then the store is closed
     */
    public synchronized void replaceBy(Path checkpoint) throws IOException {
        writer.close();
        replacing.writeLock().lock();
        try {
            log.store().close();
            RocksStore store = OpenLog.replaceDatabase(settings.directory(), log.incarnation(), checkpoint);
            Watermark last = Meta.lastBatch(required(store.get(Family.META, Meta.LAST_BATCH)));
            OpenLog opened = new OpenLog(settings.directory(), log.incarnation(), last, store, log.lock());
            try {
                writer = load(opened);
            } finally {
                // After the position: who misses something in it must see that a later leader has been there.
                log = opened;
            }
        } catch (RocksDBException | DamagedRecordException e) {
            throw new IOException("the checkpoint " + checkpoint + " cannot be used: " + e.getMessage(), e);
        } finally {
            replacing.writeLock().unlock();
        }
    }

    /** Brings to disk what was applied. */
    public synchronized void flush() throws IOException {
        try {
            log.store().flush();
        } catch (RocksDBException e) {
            throw notWritten(e);
        }
    }

    /**
     * Reads all of it, and every block of its files.
     *
     * @throws LogRefusedException when something is damaged
     */
    public synchronized void verify() {
        LogReader unused = LogReader.verified(current());
    }

    /** Makes it the log of a single node, which has everything that was applied. */
    public synchronized void dissolve() throws IOException {
        try (WriteBatch batch = new WriteBatch()) {
            // First all that the single node must find.
            log.store().flush();
            batch.delete(Meta.REPLICATED);
            log.store().writeUnlogged(batch);
            log.store().flush();
        } catch (RocksDBException e) {
            throw notWritten(e);
        }
    }

    /**
     * Makes what is left of a member the store that another cluster is founded on: a DISTRUST says that up to some epoch the
     * absence of a record is no word about a transaction, and leaders take epochs above that.
     *
     * @param nonce of the epoch that writes it
     * @param throughEpoch as in {@link LogRestore#restore}
     */
    public synchronized LogRestore.Restored distrust(long nonce, long throughEpoch) throws IOException {
        LogReader reader = new LogReader(current());
        reader.replayHead(stored -> {});
        long highest = reader.highestEpoch();
        long distrusted = LogRestore.distrusted(highest, throughEpoch);
        EpochId epoch = new EpochId(Math.addExact(highest, 1), nonce);
        state = ReplicatedState.founded(Math.max(distrusted, epoch.number()));
        lastEpoch = epoch;
        writer.leads(epoch.number(), epoch);
        try {
            writer.write(List.of(new LogRecord.Epoch(epoch), new LogRecord.Distrust(distrusted)), false);
            log.store().flush();
            // One of a single node's days may be above what is left, and nobody could start on it.
            new Watermark(writer.batchNumber(), epoch.number()).write(settings.directory());
        } catch (RocksDBException e) {
            throw notWritten(e);
        }
        return new LogRestore.Restored(log.incarnation().cluster(), highest, distrusted);
    }

    private IOException notWritten(RocksDBException cause) {
        return new IOException(
                "the store in " + settings.directory() + " cannot be written: " + cause.getMessage(), cause);
    }

    private static byte[] required(byte @Nullable [] value) {
        if (value == null) {
            throw new DamagedRecordException("there is no last batch");
        }
        return value;
    }

    /** Everything in it but the position, as text, in order: the same on every member that has applied as much. */
    public synchronized List<String> content() {
        List<String> content = new ArrayList<>();
        LogReader reader = new LogReader(current());
        reader.replayHead(stored -> content.add(stored.toString()));
        reader.replayOpen(stored -> content.add(stored.toString()));
        reader.replayEnded(stored -> content.add(stored.toString()));
        content.add(state.at(Position.START).toString());
        return content;
    }

    /** What was not flushed is applied again from the log. Idempotent. */
    @Override
    public synchronized void close() {
        if (!closed) {
            closed = true;
            writer.close();
            log.close();
        }
    }
}
