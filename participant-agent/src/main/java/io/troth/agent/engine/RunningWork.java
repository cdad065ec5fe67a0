package io.troth.agent.engine;

import io.troth.core.GlobalTxId;
import io.troth.core.Vote;
import io.troth.core.participant.CoordinatorMessage;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;

/**
 * How many prepares, and how many ends of prepared branches, the databases are at for each transaction: it tells which
 * messages need not hurry. The leader acts on an enlist at a rollback only, and on what one branch of a transaction
 * answers when it has the answers of all; so when several branches are at this agent, the last answer takes the earlier
 * ones along. A NO never waits. Thread-safe.
 */
final class RunningWork implements CoordinatorMessage.Visitor<Boolean> {

    private final Map<GlobalTxId, Integer> running = new ConcurrentHashMap<>();

    /** A database was asked to prepare or to end a branch of the transaction. */
    void began(GlobalTxId tx) {
        running.merge(tx, 1, Integer::sum);
    }

    /** It has answered, and the answer has not been sent yet. */
    void ended(GlobalTxId tx) {
        running.computeIfPresent(tx, (same, count) -> count == 1 ? null : count - 1);
    }

    // One method a kind; true when the message need not hurry.

    @Override
    public Boolean enlist(CoordinatorMessage.Enlist message) {
        return true;
    }

    @Override
    public Boolean branchVote(CoordinatorMessage.BranchVote message) {
        return message.vote() != Vote.NO && running.containsKey(message.tx());
    }

    @Override
    public Boolean branchDone(CoordinatorMessage.BranchDone message) {
        return running.containsKey(message.tx());
    }

    @Override
    public Boolean onePhaseProof(CoordinatorMessage.OnePhaseProof message) {
        return false;
    }

    @Override
    public Boolean onePhaseResult(CoordinatorMessage.OnePhaseResult message) {
        return false;
    }

    @Override
    public Boolean branchInquiry(CoordinatorMessage.BranchInquiry message) {
        return false;
    }

    @Override
    public Boolean fateReport(CoordinatorMessage.FateReport message) {
        return false;
    }

    @Override
    public Boolean scanReport(CoordinatorMessage.ScanReport message) {
        return false;
    }
}
