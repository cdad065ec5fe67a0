package io.troth.core.coordinator;

import io.troth.core.BranchId;
import io.troth.core.BranchWork;
import io.troth.core.ErrorCode;
import io.troth.core.Invariant;
import io.troth.core.Outcome;
import io.troth.core.Reason;
import io.troth.core.Vote;
import io.troth.core.coordinator.AgentHello.AgentResource;
import io.troth.core.coordinator.LogRecord.YesBranch;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;

/** The votes on one T, and the decision that the last of them leads to (protocol 7.2, 7.3). */
final class Votes {

    private final Leader leader;
    private final Endings endings;
    private final OutcomeTable outcomes;

    Votes(Leader leader, Endings endings, OutcomeTable outcomes) {
        this.leader = leader;
        this.endings = endings;
        this.outcomes = outcomes;
    }

    void vote(Event.VoteReceived event) {
        AgentStream stream = leader.agents.find(event.stream());
        if (stream == null) {
            return;
        }
        GlobalTransaction open = leader.open(event.tx());
        if (open == null || open.state != TransactionState.PREPARING) {
            unexpectedVote(event, stream, open);
            return;
        }
        TransactionBranch branch = open.branch(event.branch());
        if (branch == null || !event.stream().equals(branch.stream)) {
            leader.out.refused(new Reason(
                    ErrorCode.INVALID_ARGUMENT, event.tx() + ": a vote from a stream that was not asked for it"));
            return;
        }
        if (branch.vote != null) {
            return;
        }
        branch.vote = event.vote();
        branch.proof = event.proof();
        open.votesMissing--;
        switch (event.vote()) {
            case NO ->
                endings.rollBack(
                        open,
                        branch.branch,
                        event.reason() == null ? Reason.of(ErrorCode.PREPARE_REFUSED) : event.reason());
            case YES -> {
                open.yesVotes++;
                decideIfComplete(open);
            }
            case READ_ONLY -> decideIfComplete(open);
        }
    }

    /** A YES for a T that is not preparing is answered with T's outcome (protocol 7.2). */
    private void unexpectedVote(Event.VoteReceived event, AgentStream stream, @Nullable GlobalTransaction open) {
        if (event.vote() != Vote.YES) {
            return;
        }
        TransactionBranch branch = open == null ? null : open.branch(event.branch());
        CommittedTransaction committed = leader.committed.get(event.tx());
        CommittedBranch yes = committed == null ? null : committed.branch(event.branch());
        String resource = branch == null ? null : branch.resource;
        if (yes != null) {
            resource = yes.record.resource();
        }
        if (resource == null && stream.instance() == event.branch().instance()) {
            List<AgentResource> resources = stream.hello.resources();
            if (resources.size() != 1) {
                // A vote does not say its resource. The agent has been told already where T ended while the vote was
                // on its way, as after the NO of its other branch; else the next scan tells.
                return;
            }
            resource = resources.get(0).name();
        }
        if (resource == null || !stream.offers(resource)) {
            leader.out.refused(new Reason(ErrorCode.INVALID_ARGUMENT, event.tx() + ": a vote nobody asked for"));
        } else {
            outcomes.askedByAgent(stream, event.tx(), event.branch(), resource);
        }
    }

    private void decideIfComplete(GlobalTransaction open) {
        if (open.votesMissing > 0) {
            return;
        }
        if (open.yesVotes == 0) {
            endings.end(open, Outcome.READ_ONLY, null, null);
            return;
        }
        List<YesBranch> set = new ArrayList<>(open.yesVotes);
        for (TransactionBranch branch : open.branches) {
            Invariants.check(
                    Invariant.I1_DECIDES_OWN_FULLY_VOTED,
                    branch.listed && (branch.vote == Vote.YES || branch.vote == Vote.READ_ONLY),
                    open.tx,
                    "a branch without a vote for commit");
            if (branch.vote == Vote.YES) {
                set.add(new YesBranch(branch.branch, branch.resource, branch.proof));
            }
        }
        Invariants.check(
                Invariant.I1_DECIDES_OWN_FULLY_VOTED,
                open.state == TransactionState.PREPARING && leader.isOwn(open.tx.epoch()) && leader.isReady(),
                open.tx,
                "not the one to decide");
        endings.cancelDeadline(open);
        open.session.unendedCommits++;
        leader.move(open, TransactionState.COMMITTING);
        leader.out.append(new LogRecord.Commit(open.tx, set), true);
    }

    /**
     * The branches were prepared in place, and the Commit brings their votes (protocol 6.5). A T that is refused all the same
     * has branches that may be prepared.
     */
    void takeWithCommit(
            Event.CommitRequested event, GlobalTransaction open, @Nullable Reason refusal, @Nullable BranchId cause) {
        leader.move(open, TransactionState.PREPARING);
        open.votedInPlace = true;
        Reason against = refusal;
        BranchId by = cause;
        for (int i = 0; i < event.votes().size(); i++) {
            Event.CommitRequested.BranchVote vote = event.votes().get(i);
            TransactionBranch branch =
                    open.branch(event.content().branches().get(i).branch());
            if (branch != null) {
                branch.vote = vote.vote();
                branch.proof = vote.proof();
                open.yesVotes += vote.vote() == Vote.YES ? 1 : 0;
            }
            if (against == null && vote.vote() == Vote.NO) {
                against = vote.reason() == null ? Reason.of(ErrorCode.PREPARE_REFUSED) : vote.reason();
                by = event.content().branches().get(i).branch();
            }
        }
        if (against == null) {
            decideIfComplete(open);
        } else {
            endings.rollBack(open, by, against);
        }
    }

    /** T had ended before its Commit came: what has voted YES is answered with that (protocol 7.2), and frees its locks. */
    void tooLate(Event.CommitRequested event, EndedTransaction ended) {
        for (int i = 0; i < event.votes().size(); i++) {
            BranchWork work = event.content().branches().get(i);
            AgentStream holder = leader.agents.holding(work.branch(), work.resource());
            if (event.votes().get(i).vote() == Vote.YES && holder != null && ended.outcome() != Outcome.COMMITTED) {
                outcomes.askedByAgent(holder, event.tx(), work.branch(), work.resource());
            }
        }
    }

    /** Votes come for all branches or for none, and not where the only branch may commit by itself. */
    static boolean fit(Event.CommitRequested event) {
        int votes = event.votes().size();
        return votes == 0
                || (votes == event.content().branches().size()
                        && !event.content().isOnePhase());
    }
}
