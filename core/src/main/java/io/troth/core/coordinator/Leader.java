package io.troth.core.coordinator;

import io.troth.core.EpochId;
import io.troth.core.ErrorCode;
import io.troth.core.GlobalTxId;
import io.troth.core.Reason;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.PriorityQueue;
import java.util.TreeMap;
import java.util.function.Predicate;
import org.jspecify.annotations.Nullable;

/**
 * All state of the coordinator's core in one place, and the outbox. The parts ({@link Transactions}, {@link PhaseTwo},
 * ...) hold no state of their own; each works on these tables.
 */
final class Leader {

    /** Where this process stands as a leader. */
    enum Phase {
        /** The log is being replayed; nothing is said to anyone. */
        RECOVERING,
        /** The own EPOCH is handed to the log and not applied. */
        STARTING,
        /** The own EPOCH is applied: everything is answered. */
        READY,
        /** An agent has seen more of the log than is left of it: nothing is answered (protocol 10.5). */
        DISTRUSTED,
        /** Deposed, or the log failed: nothing is answered, for ever. */
        LOST
    }

    private static final Comparator<CommittedTransaction> BY_ID = Comparator.comparing(transaction -> transaction.tx);

    final int shard;
    final CoordinatorLimits limits;
    final Outbox out = new Outbox();

    final EpochTable epochs = new EpochTable();
    final SessionTable sessions = new SessionTable();
    final AgentTable agents = new AgentTable();
    /** Applied COMMITs without an applied END. Looked up by key only; iterated through {@link #sortedCommitted}. */
    final Map<GlobalTxId, CommittedTransaction> committed = new HashMap<>();
    /** One-phase transactions without a word yet. Iterated through {@link #sortedOnePhase}. */
    final Map<GlobalTxId, OnePhaseCase> onePhase = new HashMap<>();
    /** Questions that wait for the log. */
    final TreeMap<GlobalTxId, List<Question>> fetching = new TreeMap<>();

    final OperatorTable operator = new OperatorTable();
    final HorizonState horizon = new HorizonState();

    Phase phase = Phase.RECOVERING;

    @Nullable
    EpochId own;

    long recoveredBatch;
    boolean accepting = true;
    /** Why what is begun all the same is refused; null when it is taken, as by a leader that only drains. */
    @Nullable
    Reason refusing;

    Reason notAccepting = Reason.of(ErrorCode.OVERLOADED);
    /** Open transactions of all sessions. */
    int openTransactions;
    /** The same, of each state, by its ordinal. */
    private final int[] openCounts = new int[TransactionState.values().length];
    /** Unended COMMITs of older epochs. */
    int unendedOlder;
    /** Kept results of all sessions. */
    int keptResults;
    /** Questions in {@link #fetching}. */
    int questions;

    Leader(int shard, CoordinatorLimits limits) {
        this.shard = shard;
        this.limits = limits;
    }

    @SuppressWarnings("EnumOrdinal") // An array of counters is all an ordinal is good for.
    void count(TransactionState state, int change) {
        openCounts[state.ordinal()] += change;
    }

    @SuppressWarnings("EnumOrdinal")
    int count(TransactionState state) {
        return openCounts[state.ordinal()];
    }

    /** Moves an open T to another state. Where it ends, {@link Endings} does. */
    void move(GlobalTransaction open, TransactionState to) {
        out.notice(new Notice.StateChanged(open.tx, open.state, to));
        count(open.state, -1);
        count(to, 1);
        open.state = to;
    }

    /**
     * True when the result of this sequence may be kept: it is in the window of its session, and all sessions together
     * do not keep too many.
     */
    boolean mayKeep(ClientSession session, long sequence) {
        return session.isWithin(sequence, limits.sequenceWindowMax()) && !keepsTooMany();
    }

    boolean keepsTooMany() {
        return keptResults >= limits.keptResultsMax();
    }

    boolean isReady() {
        return phase == Phase.READY;
    }

    boolean isOwn(EpochId epoch) {
        return epoch.equals(own);
    }

    /** The own epoch; only asked for once leadership has started. */
    EpochId epoch() {
        if (own == null) {
            throw new IllegalStateException("leadership has not started");
        }
        return own;
    }

    /** The open T, null when there is none of this id. */
    @Nullable
    GlobalTransaction open(GlobalTxId tx) {
        if (tx.shard() != shard || !isOwn(tx.epoch())) {
            return null;
        }
        ClientSession session = sessions.find(tx.session());
        return session == null ? null : session.open.get(tx.sequence());
    }

    /** Why nothing is answered at the moment; not asked when ready. */
    Reason notReady() {
        return switch (phase) {
            case RECOVERING, STARTING, READY -> Reason.of(ErrorCode.NOT_READY);
            case DISTRUSTED -> Reason.of(ErrorCode.LOG_DISTRUSTED);
            case LOST -> Reason.of(ErrorCode.NOT_LEADER);
        };
    }

    /** A copy in the order of ids, for the rare walks over all. */
    List<CommittedTransaction> sortedCommitted() {
        return sortedCommitted(transaction -> true);
    }

    /** The same of some of them. Sorting a million takes a second, choosing from them does not. */
    List<CommittedTransaction> sortedCommitted(Predicate<CommittedTransaction> chosen) {
        List<CommittedTransaction> some = new ArrayList<>();
        for (CommittedTransaction transaction : committed.values()) {
            if (chosen.test(transaction)) {
                some.add(transaction);
            }
        }
        some.sort(BY_ID);
        return some;
    }

    /**
     * The first of some of them in the same order, without sorting all: operators look while the engine thread is to do
     * other things.
     */
    List<CommittedTransaction> firstCommitted(int limit, Predicate<CommittedTransaction> chosen) {
        PriorityQueue<CommittedTransaction> first = new PriorityQueue<>(BY_ID.reversed());
        for (CommittedTransaction transaction : committed.values()) {
            if (chosen.test(transaction)) {
                first.add(transaction);
                if (first.size() > limit) {
                    // The last of those that are kept.
                    first.poll();
                }
            }
        }
        List<CommittedTransaction> sorted = new ArrayList<>(first);
        sorted.sort(BY_ID);
        return sorted;
    }

    /** A copy in the order of ids, for the rare walks over all. */
    List<OnePhaseCase> sortedOnePhase() {
        List<OnePhaseCase> all = new ArrayList<>(onePhase.values());
        all.sort(Comparator.comparing(one -> one.tx));
        return all;
    }

    /** A copy in the order of ids, for the rare walks over all. */
    List<GlobalTransaction> sortedOpen() {
        List<GlobalTransaction> all = new ArrayList<>(openTransactions);
        for (ClientSession session : sessions.byNumber.values()) {
            all.addAll(session.open.values());
        }
        return all;
    }
}
