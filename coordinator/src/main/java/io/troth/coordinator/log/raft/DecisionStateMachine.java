package io.troth.coordinator.log.raft;

import io.troth.coordinator.log.LaterFormatException;
import io.troth.coordinator.log.LogEnvironment;
import io.troth.coordinator.log.LogRefusal;
import io.troth.coordinator.log.LogRefusedException;
import io.troth.coordinator.log.Position;
import io.troth.coordinator.log.ReplicatedEntry;
import io.troth.coordinator.log.rocksdb.AppliedStore;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.time.Instant;
import java.util.Collection;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicLong;
import java.util.concurrent.atomic.AtomicReference;
import org.apache.ratis.proto.RaftProtos.LogEntryProto;
import org.apache.ratis.proto.RaftProtos.RaftConfigurationProto;
import org.apache.ratis.protocol.Message;
import org.apache.ratis.protocol.RaftGroupId;
import org.apache.ratis.protocol.RaftGroupMemberId;
import org.apache.ratis.protocol.RaftPeerId;
import org.apache.ratis.server.RaftServer;
import org.apache.ratis.server.protocol.TermIndex;
import org.apache.ratis.server.raftlog.RaftLog;
import org.apache.ratis.server.storage.RaftStorage;
import org.apache.ratis.statemachine.SnapshotInfo;
import org.apache.ratis.statemachine.StateMachineStorage;
import org.apache.ratis.statemachine.TransactionContext;
import org.apache.ratis.statemachine.impl.BaseStateMachine;
import org.apache.ratis.util.LifeCycle;
import org.jspecify.annotations.Nullable;

/**
 * What Ratis drives: applies entries to the store, takes and installs checkpoints, and hears what this member is.
 *
 * <p><b>Threads.</b> Ratis applies, takes checkpoints and reloads on one thread. {@link #notifyNotLeader} comes on any
 * thread that holds a lock of Ratis, and before anything of the next leader is applied: it only marks the term as over.
 */
final class DecisionStateMachine extends BaseStateMachine {

    /** The reply for an entry that had no effect. */
    static final Message FENCED = Message.valueOf("fenced");

    /** What a leadership needs from the member. */
    interface Leaderships {
        /** The log of the term in which this member leads from now on. */
        RaftDecisionLog open(long term, AppliedStore store);
    }

    private final RaftSettings settings;
    private final LogEnvironment environment;
    private final LeadershipListener listener;
    private final Leaderships leaderships;
    private final Checkpoints checkpoints = new Checkpoints();
    private final Promises promises = new Promises();
    private final AtomicReference<@Nullable RaftDecisionLog> leading = new AtomicReference<>();

    private volatile @Nullable AppliedStore store;
    private final AtomicLong leaderChanges = new AtomicLong();
    /** Who leads, as the listener was told. */
    private final AtomicReference<@Nullable String> leader = new AtomicReference<>();

    /** Nothing is told of this member any more: it is being closed in order, or has told its failure. */
    private final AtomicBoolean silent = new AtomicBoolean();

    // Applying thread only.
    private long configuredTerm;
    private long lastSeenIndex = RaftLog.INVALID_LOG_INDEX;

    DecisionStateMachine(
            RaftSettings settings, LogEnvironment environment, LeadershipListener listener, Leaderships leaderships) {
        this.settings = settings;
        this.environment = environment;
        this.listener = listener;
        this.leaderships = leaderships;
    }

    @Override
    public void initialize(RaftServer server, RaftGroupId group, RaftStorage storage) throws IOException {
        super.initialize(server, group, storage);
        promises.begin(storage);
        getLifeCycle()
                .startAndTransition(
                        () -> {
                            checkpoints.init(storage);
                            AppliedStore opened = AppliedStore.open(settings.log(), environment);
                            store = opened;
                            reload(opened);
                            // Ratis reads its log after this, and cuts off what it takes for never finished.
                            RaftFiles.of(settings).checkEnd(opened.position());
                            if (opened.position().equals(Position.FOUNDED) && checkpoints.newest() == null) {
                                // It is in no log: the others can have it only as a copy.
                                checkpoints.take(opened);
                            }
                        },
                        IOException.class);
    }

    /** Goes on with the newest checkpoint when the store is behind it: it came from the leader, and the log goes on there. */
    private void reload(AppliedStore opened) throws IOException {
        checkpoints.refresh();
        Checkpoints.Checkpoint newest = checkpoints.newest();
        if (newest != null && newest.position().index() > opened.position().index()) {
            opened.replaceBy(newest.directory());
        }
    }

    /** The store; there is one as long as Ratis runs this. */
    AppliedStore store() {
        AppliedStore opened = store;
        if (opened == null) {
            throw new IllegalStateException("not initialized");
        }
        return opened;
    }

    // Applying.

    @Override
    public CompletableFuture<Message> applyTransaction(TransactionContext transaction) {
        LogEntryProto entry = transaction.getLogEntry();
        Position at = new Position(entry.getTerm(), entry.getIndex());
        try {
            byte[] bytes = entry.getStateMachineLogEntry().getLogData().toByteArray();
            ReplicatedEntry made = ReplicatedEntry.decode(bytes);
            lastSeenIndex = at.index();
            AppliedStore.Applied applied = store().apply(at, made);
            RaftDecisionLog leader = leading.get();
            if (!made.hasEffectIn(at.term())) {
                LOG.warn("an entry of term {} in term {} was dropped (record fence)", made.term(), at.term());
                return CompletableFuture.completedFuture(FENCED);
            }
            if (applied != null && leader != null && leader.term() == at.term()) {
                leader.applied(made.records(), applied);
            }
            return CompletableFuture.completedFuture(Message.EMPTY);
        } catch (LaterFormatException e) {
            LogRefusedException refused = new LogRefusedException(
                    LogRefusal.FORMAT_UNKNOWN,
                    settings.log().directory(),
                    "the entry " + at.index() + " of term " + at.term() + " is " + e.getMessage(),
                    e);
            failed(refused);
            throw refused;
        } catch (RuntimeException | Error e) {
            // Ratis closes the member: nobody may go on with a store that has missed an entry.
            failed(e);
            throw e;
        }
    }

    @Override
    public void notifyTermIndexUpdated(long term, long index) {
        lastSeenIndex = index;
        store().pass(new Position(term, index));
    }

    /** Not that of the super class, which must never go back, as it does after a crash until the store is reached. */
    @Override
    public TermIndex getLastAppliedTermIndex() {
        AppliedStore opened = store;
        Position position = opened == null ? Position.START : opened.position();
        return TermIndex.valueOf(position.term(), position.index());
    }

    // Checkpoints.

    @Override
    public StateMachineStorage getStateMachineStorage() {
        return checkpoints;
    }

    @Override
    public @Nullable SnapshotInfo getLatestSnapshot() {
        return checkpoints.getLatestSnapshot();
    }

    @Override
    public long takeSnapshot() throws IOException {
        AppliedStore opened = store();
        synchronized (checkpoints) {
            // While the log is applied once more, the store is ahead of what Ratis believes.
            if (!getLifeCycleState().isRunning()
                    || lastSeenIndex < opened.position().index()) {
                return RaftLog.INVALID_LOG_INDEX;
            }
            return takeSnapshot(opened);
        }
    }

    private long takeSnapshot(AppliedStore opened) throws IOException {
        try {
            return checkpoints.take(opened).index();
        } catch (IOException | RuntimeException e) {
            // Ratis would only try again later. What of the store came to the disk is unknown now (protocol L5).
            failed(e);
            throw e;
        }
    }

    /** From here on until {@link #reinitialize} the checkpoints belong to Ratis, which installs one. */
    @Override
    public void pause() {
        synchronized (checkpoints) {
            getLifeCycle().transition(LifeCycle.State.PAUSING);
            getLifeCycle().transition(LifeCycle.State.PAUSED);
        }
    }

    @Override
    public void reinitialize() throws IOException {
        try {
            getLifeCycle().startAndTransition(() -> reload(store()), IOException.class);
        } catch (IOException | RuntimeException e) {
            failed(e);
            throw e;
        }
    }

    // What this member is.

    @Override
    public void notifyConfigurationChanged(long term, long index, RaftConfigurationProto configuration) {
        // A leader begins with such an entry, and is told to be ready when it has applied it.
        configuredTerm = term;
    }

    @Override
    public void notifyLeaderReady() {
        RaftDecisionLog log = leaderships.open(configuredTerm, store());
        RaftDecisionLog before = leading.getAndSet(log);
        if (before != null) {
            before.end("term " + configuredTerm + " has begun");
        }
        listener.leads(log);
    }

    @Override
    public void notifyNotLeader(Collection<TransactionContext> pending) {
        RaftDecisionLog before = leading.getAndSet(null);
        if (before != null) {
            before.end("somebody else leads, or nobody, after term " + before.term());
        }
        // Ratis says who leads next, and nothing as long as nobody does.
        if (leader.compareAndSet(settings.node(), null)) {
            listener.leaderChanged(null);
        }
    }

    @Override
    public void notifyLeaderChanged(RaftGroupMemberId member, RaftPeerId leader) {
        leaderChanges.incrementAndGet();
        if (member.getPeerId().equals(leader)) {
            // It has voted for itself, and has not appended anything yet.
            forcePromises();
        }
        String node = leader == null ? null : MemberId.nodeOf(leader);
        // The same object as the settings have, for it is compared as such.
        this.leader.set(settings.node().equals(node) ? settings.node() : node);
        listener.leaderChanged(node);
    }

    /** Returns when the term and the vote are on disk, before anything leaves this member that rests on them. Any thread. */
    void forcePromises() {
        try {
            promises.force();
        } catch (IOException e) {
            failed(e);
            throw new UncheckedIOException(e);
        }
    }

    /** For tests. */
    Promises promises() {
        return promises;
    }

    /** How often {@link #notifyLeaderChanged} came. Any thread. */
    long leaderChanges() {
        return leaderChanges.get();
    }

    /** When the newest copy of the store was made; null when there is none. Any thread. */
    @Nullable
    Instant newestCheckpoint() throws IOException {
        Checkpoints.Checkpoint newest = checkpoints.newest();
        return newest == null
                ? null
                : Files.getLastModifiedTime(newest.directory()).toInstant();
    }

    @Override
    public void notifyLogFailed(Throwable cause, LogEntryProto entry) {
        failed(cause);
    }

    /** The member is being closed in order: what Ratis says of it from now on is no failure. */
    void closes() {
        silent.set(true);
    }

    private void failed(Throwable cause) {
        if (silent.compareAndSet(false, true)) {
            listener.failed(cause);
        }
    }

    /** Ratis closes this with itself, for whatever reason: not always does it say more than that in its own log. */
    @Override
    public void close() {
        failed(new RaftStoppedException());
        AppliedStore opened = store;
        if (opened != null) {
            opened.close();
        }
    }
}
