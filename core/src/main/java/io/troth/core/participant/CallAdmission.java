package io.troth.core.participant;

import io.troth.core.BranchId;
import io.troth.core.EpochId;
import io.troth.core.ErrorCode;
import io.troth.core.GlobalTxId;
import io.troth.core.Reason;
import org.jspecify.annotations.Nullable;

/** Which calls may join which branch (protocol 5.2 to 5.4). */
final class CallAdmission {

    private final AgentStateMachine agent;

    CallAdmission(AgentStateMachine agent) {
        this.agent = agent;
    }

    void join(AgentEvent.CallJoins call) {
        Reason refusal = refusal(call);
        if (refusal != null) {
            agent.out.add(new AgentAction.CallRefused(call.ticket(), refusal));
            agent.out.tell(new AgentNotice.Refused(refusal));
            return;
        }
        BranchCalls calls = agent.transactions.get(call.tx());
        if (calls == null) {
            calls = new BranchCalls(call.tx(), call.key());
            agent.transactions.put(call.tx(), calls);
            agent.out.add(new AgentAction.StartTimer(new AgentTimerKey.Deadline(call.tx()), call.remainingMillis()));
        }
        BranchStateMachine branch = joinable(calls, call.resource());
        if (branch == null) {
            branch = start(calls, call);
        }
        calls.executes(call.call(), call.scopeId());
        boolean first = branch.join(call.scopeId());
        agent.out.add(new AgentAction.CallAdmitted(call.ticket(), branch.branch(), first));
    }

    private BranchStateMachine start(BranchCalls calls, AgentEvent.CallJoins call) {
        BranchId id = new BranchId(agent.instance, ++agent.branchCounter);
        BranchStateMachine branch = BranchStateMachine.started(call.tx(), id, call.resource(), agent.out);
        agent.branches.put(id, branch);
        calls.add(call.resource(), id);
        if (!call.inPlace()) {
            branch.enlist(call.key(), call.remainingMillis(), agent.out);
        }
        return branch;
    }

    /** T's branch on the resource, null when it has none that takes work. */
    private @Nullable BranchStateMachine joinable(BranchCalls calls, String resource) {
        BranchId current = calls.current(resource);
        BranchStateMachine branch = current == null ? null : agent.branches.get(current);
        return branch == null || branch.state() != BranchState.ACTIVE ? null : branch;
    }

    /** Why the call would be refused now; null when it would be admitted. */
    @Nullable
    Reason refusal(AgentEvent.CallJoins call) {
        GlobalTxId tx = call.tx();
        if (agent.stopped != null || (agent.draining && !agent.transactions.containsKey(tx))) {
            return new Reason(ErrorCode.DRAINING, "the agent is shutting down");
        }
        if (!agent.scans.containsKey(call.resource())) {
            return new Reason(ErrorCode.UNKNOWN_RESOURCE, call.resource());
        }
        if (agent.cluster != null && !agent.cluster.equals(call.cluster())) {
            return new Reason(
                    ErrorCode.WRONG_CLUSTER, "the call is of cluster " + call.cluster() + ", not " + agent.cluster);
        }
        Reason byEpoch = refusalByEpoch(tx.epoch());
        if (byEpoch != null) {
            return byEpoch;
        }
        if (call.remainingMillis() <= 0) {
            return new Reason(ErrorCode.DEADLINE_EXCEEDED, "no time is left for transaction " + tx);
        }
        BranchCalls calls = agent.transactions.get(tx);
        return calls == null ? refusalByLimit(null, call) : refusalByCalls(calls, call);
    }

    /** Protocol 5.2: only with a stream to the ready leader of T's epoch. */
    private @Nullable Reason refusalByEpoch(EpochId epoch) {
        EpochId highest = agent.highestEpoch;
        if (highest != null && highest.number() > epoch.number()) {
            return new Reason(ErrorCode.LEADER_CHANGED, "epoch " + highest + " has followed " + epoch);
        }
        if (agent.ready == null) {
            return new Reason(ErrorCode.NO_COORDINATOR, "no stream to a ready coordinator");
        }
        if (!agent.ready.equals(epoch)) {
            return new Reason(
                    ErrorCode.NO_COORDINATOR, "the stream leads to epoch " + agent.ready + ", not to " + epoch);
        }
        return null;
    }

    private @Nullable Reason refusalByCalls(BranchCalls calls, AgentEvent.CallJoins call) {
        if (!calls.hasKey(call.key())) {
            return new Reason(ErrorCode.WRONG_SESSION_KEY, "transaction " + call.tx());
        }
        if (calls.isClosed()) {
            return new Reason(
                    ErrorCode.TRANSACTION_PREPARING, "transaction " + call.tx() + " is preparing or rolled back");
        }
        Long scope = calls.scopeOf(call.call());
        if (scope != null && scope != call.scopeId()) {
            return new Reason(ErrorCode.DUPLICATE_CALL, "call " + call.call() + " of transaction " + call.tx());
        }
        return refusalByLimit(calls, call);
    }

    private @Nullable Reason refusalByLimit(@Nullable BranchCalls calls, AgentEvent.CallJoins call) {
        AgentLimits limits = agent.limits;
        if (calls != null && calls.calls() >= limits.callsPerTransactionMax() && calls.scopeOf(call.call()) == null) {
            return new Reason(ErrorCode.LIMIT_EXCEEDED, calls.calls() + " calls of transaction " + call.tx());
        }
        if (calls != null && joinable(calls, call.resource()) != null) {
            return null;
        }
        if (calls != null && calls.branches() >= limits.branchesPerTransactionMax()) {
            return new Reason(ErrorCode.LIMIT_EXCEEDED, calls.branches() + " branches of transaction " + call.tx());
        }
        int open = agent.branches.size();
        if (open >= limits.branchesMax() || agent.keptResults() >= limits.keptResultsMax()) {
            return new Reason(
                    ErrorCode.OVERLOADED,
                    open + " branches are open, at most " + limits.branchesMax() + "; with " + agent.kept.size()
                            + " kept results of finished ones at most " + limits.keptResultsMax());
        }
        return null;
    }
}
