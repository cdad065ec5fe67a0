package io.troth.core.coordinator;

import io.troth.core.BranchId;
import io.troth.core.Decision;
import io.troth.core.ErrorCode;
import io.troth.core.GlobalTxId;
import io.troth.core.Outcome;
import io.troth.core.Reason;
import io.troth.core.coordinator.AgentHello.AgentResource;
import org.jspecify.annotations.Nullable;

/**
 * Drives every applied COMMIT to its END (protocol 9.2, 9.3): first to the instance that voted, at a retry to any
 * instance of the same database, and again whenever a suitable one connects, across restarts.
 */
final class PhaseTwo {

    /** Why a rollback by force is taken back. */
    private static final String OVERTAKEN = "was committed before it could be rolled back by force";

    private final Leader leader;
    private final Answers answers;
    private final Endings endings;

    PhaseTwo(Leader leader, Answers answers, Endings endings) {
        this.leader = leader;
        this.answers = answers;
        this.endings = endings;
    }

    /** Sends the commit of every branch that is not done, and again later if need be. */
    void drive(CommittedTransaction committed) {
        boolean sent = false;
        for (CommittedBranch branch : committed.branches) {
            if (!branch.done) {
                sent |= send(committed, branch, choose(branch), branch.record.resource());
            }
        }
        if (sent && committed.undone > 0) {
            committed.retryRunning = true;
            leader.out.startTimer(new TimerKey.PhaseTwoRetry(committed.tx), leader.limits.phaseTwoRetryMillis());
        }
    }

    /** Whether a branch of it is in a resource on hold, and so has to wait (protocol 10.4). */
    boolean isHeld(CommittedTransaction committed) {
        return committed.branches.stream().anyMatch(branch -> leader.agents.held.contains(branch.record.resource()));
    }

    /** T's client has just heard that T is committed, and tells its own agents. What takes too long is sent from here. */
    void leaveToClient(CommittedTransaction committed) {
        for (CommittedBranch branch : committed.branches) {
            AgentStream voter = leader.agents.holding(branch.record.branch(), branch.record.resource());
            // One whose stream is broken is told as well, so what it hears from here is never the first.
            branch.attempts = 1;
            branch.sentTo = voter == null ? null : voter.id;
        }
        committed.retryRunning = true;
        leader.out.startTimer(new TimerKey.PhaseTwoRetry(committed.tx), leader.limits.phaseTwoRetryMillis());
    }

    /** No acknowledgement in time. Without anybody to send to there is no timer: the next connect goes on. */
    void retryFired(GlobalTxId tx) {
        CommittedTransaction committed = leader.committed.get(tx);
        if (committed != null && committed.retryRunning) {
            committed.retryRunning = false;
            drive(committed);
        }
    }

    /** Sends to a new stream what nobody who is connected was told, and what its own instance voted for. */
    void connected(AgentStream stream) {
        tellOfOtherDatabases(stream);
        for (CommittedTransaction committed : leader.sortedCommitted(candidate -> awaits(candidate, stream))) {
            boolean sent = false;
            for (CommittedBranch branch : committed.branches) {
                if (awaits(branch, stream)) {
                    sent |= send(committed, branch, stream, branch.record.resource());
                }
            }
            if (sent && !committed.retryRunning) {
                committed.retryRunning = true;
                leader.out.startTimer(new TimerKey.PhaseTwoRetry(committed.tx), leader.limits.phaseTwoRetryMillis());
            }
        }
    }

    /** A resource may have got another name since the vote, or have two: its database counts, where that is known. */
    private static boolean mayFinish(AgentStream stream, CommittedBranch branch) {
        return stream.offers(branch.record.resource(), branch.identity) || stream.isAt(branch.identity);
    }

    /** Nobody is told to finish what was prepared in another database, and without a word it would wait there for ever. */
    private void tellOfOtherDatabases(AgentStream stream) {
        for (AgentResource resource : stream.hello.resources()) {
            for (CommittedTransaction first :
                    leader.firstCommitted(1, committed -> elsewhere(committed, resource) != null)) {
                leader.out.alarm(
                        ErrorCode.RESOURCE_IDENTITY_DIFFERS,
                        resource.name() + " is " + resource.identity() + " at the instance "
                                + Long.toHexString(stream.instance()) + ", and was " + elsewhere(first, resource)
                                + ": what is to be committed there waits for an agent that offers it there",
                        first.tx);
            }
        }
    }

    /** The other database in which a branch of this resource is to be committed; null when there is none. */
    private static @Nullable String elsewhere(CommittedTransaction committed, AgentResource resource) {
        for (CommittedBranch branch : committed.branches) {
            if (!branch.done
                    && branch.record.resource().equals(resource.name())
                    && branch.identity != null
                    && !branch.identity.equals(resource.identity())) {
                return branch.identity;
            }
        }
        return null;
    }

    private boolean awaits(CommittedTransaction committed, AgentStream stream) {
        for (CommittedBranch branch : committed.branches) {
            if (awaits(branch, stream)) {
                return true;
            }
        }
        return false;
    }

    private boolean awaits(CommittedBranch branch, AgentStream stream) {
        if (branch.done || !stream.offers(branch.record.resource(), branch.identity)) {
            return false;
        }
        AgentStream last = branch.sentTo == null ? null : leader.agents.find(branch.sentTo);
        // One that has found it under another name may not be the one to end it.
        boolean told = last != null && mayFinish(last, branch);
        boolean voter = branch.record.branch().instance() == stream.instance();
        return !told || voter;
    }

    /** Goes on with everything that waited for this resource. */
    void released(String resource) {
        leader.sortedCommitted(committed -> !committed.retryRunning && waitsFor(committed, resource))
                .forEach(this::drive);
    }

    /** An agent holds this branch prepared and asks: tell it at once (protocol 9.5). */
    void tell(CommittedTransaction committed, CommittedBranch branch, AgentStream stream, String resource) {
        if (send(committed, branch, stream, resource)) {
            leader.operator.resolved(committed.tx, branch.record.branch());
        }
    }

    void done(Event.BranchDone event) {
        CommittedTransaction committed = leader.committed.get(event.tx());
        CommittedBranch branch = committed == null ? null : committed.branch(event.branch());
        if (committed == null || branch == null || branch.done) {
            if (event.result() == PhaseTwoResult.COMMITTED) {
                takeBackCarriedOut(event.tx(), event.branch());
            }
            return;
        }
        AgentStream stream = leader.agents.find(event.stream());
        if (stream == null || !mayFinish(stream, branch)) {
            leader.out.refused(new Reason(
                    ErrorCode.RESOURCE_IDENTITY_DIFFERS,
                    event.tx() + ": done by an agent that is not known to be at the database of "
                            + branch.record.resource() + "; only one that offers this name there can end it"));
            return;
        }
        leader.operator.resolved(committed.tx, branch.record.branch());
        switch (event.result()) {
            case COMMITTED -> takeBackRollback(committed.tx, event.branch());
            case RESOLVED_ELSEWHERE -> leader.out.notice(new Notice.ResolvedElsewhere(committed.tx, event.branch()));
            case HEURISTIC_ROLLBACK -> {
                // Logged, so that a restart does not hide it (protocol 10.6); the log takes no lazy HEURISTIC.
                leader.out.append(
                        new LogRecord.Heuristic(
                                committed.tx, event.branch(), Decision.ROLLBACK, "in the database: " + event.detail()),
                        true);
                mix(committed, event.branch(), event.detail());
            }
        }
        branchDone(committed, branch);
    }

    /**
     * The branch is committed, and a rollback by force may be on its way to the log. Nobody is told to carry that out; the
     * opposite behind it takes it back, so that no later answer says that the branch was rolled back.
     */
    private void takeBackRollback(GlobalTxId tx, BranchId branch) {
        OperatorTable.Handed handed = leader.operator.handed(tx, branch);
        if (handed != null && handed.record().decision() == Decision.ROLLBACK) {
            LogRecord.Heuristic back = new LogRecord.Heuristic(tx, branch, Decision.COMMIT, OVERTAKEN);
            leader.operator.handed.set(
                    leader.operator.handed.indexOf(handed), new OperatorTable.Handed(back, handed.request()));
            leader.out.append(back, true);
        }
    }

    /**
     * The branch was closed by a rollback by force, and its commit, which was on the way already, has come first. The
     * record of the rollback would be believed for good, and people would repair what is not broken.
     */
    private void takeBackCarriedOut(GlobalTxId tx, BranchId branch) {
        LogRecord.Heuristic forced = leader.operator.heuristic(tx, branch);
        if (forced != null && forced.decision() == Decision.ROLLBACK) {
            leader.out.append(new LogRecord.Heuristic(tx, branch, Decision.COMMIT, OVERTAKEN), true);
            leader.out.alarm(ErrorCode.HEURISTIC_MIXED, "taken back: branch " + branch + " " + OVERTAKEN, tx);
        }
    }

    /** A branch needs no phase 2 any more because an operator decided it. */
    void closeBranch(CommittedTransaction committed, CommittedBranch branch, String detail) {
        if (!branch.done) {
            mix(committed, branch.record.branch(), detail);
            branchDone(committed, branch);
        }
    }

    /** Answers those who waited for completion and shall not wait any longer (protocol 7.7). */
    void completionLimit(GlobalTxId tx) {
        GlobalTransaction open = leader.open(tx);
        if (open == null || !open.completionRunning) {
            return;
        }
        open.completionRunning = false;
        open.completionOver = true;
        for (Waiter waiter : open.waiters) {
            answers.answer(waiter.request(), tx, Outcome.COMMITTED, false, true, null, null);
        }
        open.waiters.clear();
    }

    private void mix(CommittedTransaction committed, BranchId branch, String detail) {
        if (committed.mixed == null) {
            committed.mixed = branch;
        }
        leader.out.notice(new Notice.HeuristicMixed(committed.tx, branch, detail));
    }

    private void branchDone(CommittedTransaction committed, CommittedBranch branch) {
        branch.done = true;
        committed.undone--;
        if (committed.undone > 0 || committed.endHanded) {
            return;
        }
        committed.endHanded = true;
        if (committed.retryRunning) {
            committed.retryRunning = false;
            leader.out.cancelTimer(new TimerKey.PhaseTwoRetry(committed.tx));
        }
        leader.out.append(new LogRecord.End(committed.tx), false);
        GlobalTransaction open = leader.open(committed.tx);
        if (open != null) {
            Reason reason = committed.mixed == null ? null : Reason.of(ErrorCode.HEURISTIC_MIXED);
            endings.end(open, Outcome.COMMITTED, committed.mixed, reason);
        }
    }

    private @Nullable AgentStream choose(CommittedBranch branch) {
        String resource = branch.record.resource();
        if (branch.attempts == 0) {
            AgentStream voter = leader.agents.holding(branch.record.branch(), resource);
            if (voter != null && voter.offers(resource, branch.identity)) {
                return voter;
            }
        }
        return leader.agents.anyAt(resource, branch.identity, branch.attempts);
    }

    /** {@code resource} is the branch's, or the name under which an agent has found it in the same database. */
    private boolean send(
            CommittedTransaction committed, CommittedBranch branch, @Nullable AgentStream stream, String resource) {
        if (stream == null || leader.agents.held.contains(branch.record.resource())) {
            return false;
        }
        boolean first = branch.attempts == 0 && leader.isOwn(committed.tx.epoch());
        // Counted round, far beyond any number of instances, so that it never overflows.
        branch.attempts = branch.attempts % 1_000_000 + 1;
        branch.sentTo = stream.id;
        leader.out.toAgent(
                stream.id,
                new AgentMessage.CommitBranch(
                        committed.tx, branch.record.branch(), resource, branch.record.proof(), first));
        return true;
    }

    private static boolean waitsFor(CommittedTransaction committed, String resource) {
        for (CommittedBranch branch : committed.branches) {
            if (!branch.done && branch.record.resource().equals(resource)) {
                return true;
            }
        }
        return false;
    }
}
