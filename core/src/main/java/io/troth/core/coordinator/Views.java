package io.troth.core.coordinator;

import io.troth.core.ErrorCode;
import io.troth.core.GlobalTxId;
import io.troth.core.Outcome;
import io.troth.core.Reason;
import io.troth.core.Vote;
import io.troth.core.coordinator.TransactionView.BranchView;
import java.util.ArrayList;
import java.util.EnumMap;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/** Copies for operators: nothing here changes anything. */
final class Views {

    private final Leader leader;

    Views(Leader leader) {
        this.leader = leader;
    }

    LeaderView leader() {
        Map<TransactionState, Integer> open = new EnumMap<>(TransactionState.class);
        for (TransactionState state : TransactionState.values()) {
            open.put(state, leader.count(state));
        }
        return new LeaderView(
                leader.own,
                leader.isReady(),
                leader.phase == Leader.Phase.DISTRUSTED,
                leader.accepting,
                open,
                leader.committed.size(),
                leader.operator.leftAlone.size(),
                leader.sessions.open,
                leader.agents.streams.size(),
                List.copyOf(leader.agents.held),
                List.copyOf(leader.agents.excluded));
    }

    List<TransactionView> transactions(int limit) {
        List<TransactionView> views = new ArrayList<>();
        leader.firstCommitted(limit, committed -> leader.open(committed.tx) == null)
                .forEach(committed -> views.add(view(committed)));
        for (ClientSession session : leader.sessions.byNumber.values()) {
            for (GlobalTransaction open : session.open.values()) {
                if (views.size() >= limit) {
                    return views;
                }
                views.add(view(open));
            }
        }
        return views;
    }

    @Nullable
    TransactionView find(GlobalTxId tx) {
        GlobalTransaction open = leader.open(tx);
        if (open != null) {
            return view(open);
        }
        ClientSession session = leader.isOwn(tx.epoch()) ? leader.sessions.find(tx.session()) : null;
        EndedTransaction ended = session == null ? null : session.ended.get(tx.sequence());
        if (session != null && ended != null) {
            return new TransactionView(
                    tx, TransactionState.ENDED, session.clientName, List.of(), ended.outcome(), ended.reason());
        }
        CommittedTransaction committed = leader.committed.get(tx);
        return committed == null ? null : view(committed);
    }

    List<InDoubtView> inDoubt(int limit) {
        List<InDoubtView> views = new ArrayList<>();
        for (CommittedTransaction committed : leader.firstCommitted(limit, committed -> committed.undone > 0)) {
            for (CommittedBranch branch : committed.branches) {
                if (views.size() < limit && !branch.done) {
                    String resource = branch.record.resource();
                    boolean held = leader.agents.held.contains(resource);
                    views.add(new InDoubtView(committed.tx, branch.record.branch(), resource, Outcome.COMMITTED, held));
                }
            }
        }
        for (Map.Entry<OperatorTable.BranchKey, OperatorTable.LeftAlone> entry : leader.operator.leftAlone.entrySet()) {
            OperatorTable.BranchKey key = entry.getKey();
            if (views.size() < limit && key.branch() != null && !isListed(key)) {
                String resource = entry.getValue().resource();
                boolean held = leader.agents.held.contains(resource);
                views.add(new InDoubtView(
                        key.tx(), key.branch(), resource, entry.getValue().answer(), held));
            }
        }
        return views;
    }

    List<AgentHello> agents(int limit) {
        List<AgentHello> views = new ArrayList<>();
        for (AgentStream stream : leader.agents.streams.values()) {
            if (views.size() < limit) {
                views.add(stream.hello);
            }
        }
        return views;
    }

    private boolean isListed(OperatorTable.BranchKey key) {
        CommittedTransaction committed = leader.committed.get(key.tx());
        CommittedBranch branch = committed == null || key.branch() == null ? null : committed.branch(key.branch());
        return branch != null && !branch.done;
    }

    private TransactionView view(GlobalTransaction open) {
        CommittedTransaction committed = leader.committed.get(open.tx);
        List<BranchView> branches = new ArrayList<>(open.branches.size());
        for (TransactionBranch branch : open.branches) {
            CommittedBranch yes = committed == null ? null : committed.branch(branch.branch);
            branches.add(new BranchView(branch.branch, branch.resource, branch.vote, yes != null && yes.done));
        }
        Outcome outcome = open.state == TransactionState.COMMITTED ? Outcome.COMMITTED : null;
        return new TransactionView(open.tx, open.state, open.session.clientName, branches, outcome, null);
    }

    private static TransactionView view(CommittedTransaction committed) {
        List<BranchView> branches = new ArrayList<>(committed.branches.size());
        for (CommittedBranch branch : committed.branches) {
            branches.add(new BranchView(branch.record.branch(), branch.record.resource(), Vote.YES, branch.done));
        }
        Reason reason = committed.mixed == null ? null : Reason.of(ErrorCode.HEURISTIC_MIXED);
        return new TransactionView(committed.tx, TransactionState.COMMITTED, "", branches, Outcome.COMMITTED, reason);
    }
}
