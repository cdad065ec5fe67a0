package io.troth.core.coordinator;

import io.troth.core.EpochId;
import io.troth.core.ErrorCode;
import io.troth.core.GlobalTxId;
import io.troth.core.Invariant;

/** Applies log entries, live and in recovery alike: the only way in which logged facts change the state. */
@SuppressWarnings("NullAway") // A visitor of Void has nothing else to return.
final class LogReplay implements LogRecord.Visitor<Void> {

    private final Leader leader;
    private final Transactions transactions;
    private final Endings endings;
    private final Agents agents;
    private final Horizons horizons;
    private final Operators operators;
    private long entryEpoch;

    LogReplay(
            Leader leader,
            Transactions transactions,
            Endings endings,
            Agents agents,
            Horizons horizons,
            Operators operators) {
        this.leader = leader;
        this.transactions = transactions;
        this.endings = endings;
        this.agents = agents;
        this.horizons = horizons;
        this.operators = operators;
    }

    void apply(LogEntry entry) {
        entryEpoch = entry.epochNumber();
        entry.record().accept(this);
    }

    private boolean isLive() {
        return leader.own != null && leader.epochs.isKnown(leader.own);
    }

    @Override
    public Void epoch(LogRecord.Epoch record) {
        EpochId epoch = record.epoch();
        Invariants.check(
                Invariant.I8_EPOCHS_GROW,
                epoch.number() > leader.epochs.highest() && epoch.number() == entryEpoch,
                epoch,
                "an EPOCH entry that does not grow, or of another epoch");
        leader.epochs.known.put(epoch.number(), epoch);
        if (leader.phase == Leader.Phase.STARTING && leader.isOwn(epoch)) {
            leader.phase = Leader.Phase.READY;
            if (agents.trustTheLog()) {
                operators.ready();
                agents.ready();
            }
        }
        return null;
    }

    @Override
    public Void commit(LogRecord.Commit record) {
        GlobalTxId tx = record.tx();
        boolean fenced =
                entryEpoch != tx.epoch().number() || tx.shard() != leader.shard || !leader.epochs.isKnown(tx.epoch());
        if (fenced) {
            // The record fence (protocol 3): a log that proposes an entry again in a later epoch does no harm.
            leader.out.notice(new Notice.Fenced(tx, entryEpoch));
            leader.out.alarm(ErrorCode.INTERNAL, "a COMMIT of another epoch was dropped", tx);
            return null;
        }
        Invariants.check(
                Invariant.I8_EPOCHS_GROW,
                !isLive() || leader.isOwn(tx.epoch()),
                tx,
                "a COMMIT of an older epoch after this leader's EPOCH");
        if (isLive()) {
            transactions.commitApplied(record);
        } else {
            CommittedTransaction committed = new CommittedTransaction(tx);
            if (leader.committed.putIfAbsent(tx, committed) == null) {
                for (LogRecord.YesBranch yes : record.branches()) {
                    committed.branches.add(new CommittedBranch(yes, null));
                }
                committed.undone = committed.branches.size();
                leader.unendedOlder++;
            }
        }
        return null;
    }

    @Override
    public Void end(LogRecord.End record) {
        CommittedTransaction committed = leader.committed.remove(record.tx());
        if (committed == null) {
            return null;
        }
        ClientSession session = leader.isOwn(record.tx().epoch())
                ? leader.sessions.find(record.tx().session())
                : null;
        if (session != null) {
            session.unendedCommits--;
            endings.release(session);
        } else {
            leader.unendedOlder--;
        }
        horizons.consider();
        return null;
    }

    @Override
    public Void horizon(LogRecord.Horizon record) {
        horizons.applied(record);
        return null;
    }

    @Override
    public Void distrust(LogRecord.Distrust record) {
        leader.epochs.distrust = Math.max(leader.epochs.distrust, record.epochNumber());
        return null;
    }

    @Override
    public Void heuristic(LogRecord.Heuristic record) {
        operators.applied(record);
        return null;
    }
}
