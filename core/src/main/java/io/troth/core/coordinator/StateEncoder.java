package io.troth.core.coordinator;

import io.troth.core.BranchWork;
import io.troth.core.coordinator.AgentHello.AgentResource;
import io.troth.core.coordinator.LogRecord.YesBranch;

/**
 * The whole state as canonical bytes: equal states give equal bytes, whatever way led to them. {@link StateDecoder}
 * reads them. For exploration and simulation; the bytes are not kept anywhere.
 */
final class StateEncoder {

    static final int VERSION = 1;

    private final Leader leader;
    private final StateWriter out;

    StateEncoder(Leader leader, boolean folded) {
        this.leader = leader;
        out = new StateWriter(folded);
    }

    byte[] encode() {
        out.octet(VERSION);
        out.int32(leader.shard);
        out.constant(leader.phase);
        out.optional(leader.own, out::epoch);
        out.int64(leader.recoveredBatch);
        out.bool(leader.accepting);
        out.optional(leader.refusing, out::reason);
        out.reason(leader.notAccepting);
        epochs();
        agents();
        out.int64(leader.sessions.next);
        out.all(leader.sessions.byNumber.values(), this::session);
        out.all(leader.sortedCommitted(), this::committed);
        out.int32(leader.unendedOlder);
        out.all(leader.sortedOnePhase(), this::onePhase);
        out.all(leader.fetching.values(), questions -> out.all(questions, this::question));
        operator();
        horizon();
        return out.toByteArray();
    }

    private void epochs() {
        out.all(leader.epochs.known.values(), out::epoch);
        out.int64(leader.epochs.distrust);
        out.optional(leader.epochs.horizon, this::horizonRecord);
    }

    private void horizonRecord(LogRecord.Horizon record) {
        out.epoch(record.epoch());
        out.int64(record.session());
    }

    private void agents() {
        out.all(leader.agents.streams.values(), stream -> {
            out.stream(stream.id);
            hello(stream.hello);
        });
        out.all(leader.agents.known, out::text);
        out.all(leader.agents.excluded, out::text);
        out.all(leader.agents.held, out::text);
    }

    private void hello(AgentHello hello) {
        out.int64(hello.instance());
        out.optional(hello.highestEpoch(), out::epoch);
        out.int64(hello.highestBatch());
        out.all(hello.resources(), this::resource);
    }

    private void resource(AgentResource resource) {
        out.text(resource.name());
        out.text(resource.kind());
        out.text(resource.identity());
        out.text(resource.role());
        out.optional(resource.sqlAddress(), out::text);
    }

    private void session(ClientSession session) {
        out.int64(session.number);
        out.int64(session.key.high());
        out.int64(session.key.low());
        out.text(session.clientName);
        out.bool(session.commitsInPlace);
        out.all(session.streams, out::stream);
        out.int64(session.lowestOpen);
        out.int64(session.highest);
        out.bool(session.closed);
        out.bool(session.aged);
        out.int64(session.agedHighest);
        out.int32(session.unendedCommits);
        out.all(session.agents, out::stream);
        out.all(session.open.values(), this::transaction);
        out.all(session.ended.entrySet(), entry -> {
            out.int64(entry.getKey());
            ended(entry.getValue());
        });
    }

    private void ended(EndedTransaction ended) {
        out.constant(ended.outcome());
        out.optional(ended.branch(), out::branch);
        out.optional(ended.reason(), out::reason);
        out.optional(ended.resource(), out::text);
        out.bool(ended.unheard());
    }

    private void transaction(GlobalTransaction open) {
        out.tx(open.tx);
        out.constant(open.state);
        out.all(open.branches, this::branch);
        out.all(open.waiters, waiter -> {
            out.request(waiter.request());
            out.bool(waiter.waitCompleted());
        });
        out.optional(open.content, this::content);
        out.bool(open.votedInPlace);
        out.int32(open.votesMissing);
        out.int32(open.yesVotes);
        out.bool(open.deadlineRunning);
        out.bool(open.completionRunning);
        out.bool(open.completionOver);
    }

    private void branch(TransactionBranch branch) {
        out.branch(branch.branch);
        out.text(branch.resource);
        out.optional(branch.stream, out::stream);
        out.optional(branch.identity, out::text);
        out.bool(branch.listed);
        out.int32(branch.calls);
        out.optional(branch.vote, out::constant);
        out.optional(branch.proof, out::proof);
    }

    private void content(CommitContent content) {
        out.all(content.branches(), this::work);
        out.bool(content.onePhaseAllowed());
    }

    private void work(BranchWork work) {
        out.branch(work.branch());
        out.text(work.resource());
        out.int32(work.calls());
    }

    private void committed(CommittedTransaction committed) {
        out.tx(committed.tx);
        out.all(committed.branches, this::committedBranch);
        out.int32(committed.undone);
        out.bool(committed.endHanded);
        out.bool(committed.retryRunning);
        out.optional(committed.mixed, out::branch);
    }

    private void committedBranch(CommittedBranch branch) {
        YesBranch record = branch.record;
        out.branch(record.branch());
        out.text(record.resource());
        out.optional(record.proof(), out::proof);
        out.optional(branch.identity, out::text);
        out.bool(branch.done);
        out.optional(branch.sentTo, out::stream);
        // The first attempt differs from the others, and they only take turns.
        out.int32(out.isFolded() && branch.attempts > 2 ? 2 - branch.attempts % 2 : branch.attempts);
    }

    private void onePhase(OnePhaseCase one) {
        out.tx(one.tx);
        out.branch(one.branch);
        out.text(one.resource);
        out.all(one.waiters, out::request);
        out.optional(one.identity, out::text);
        out.optional(one.proof, out::proof);
        out.constant(one.stage);
        out.optional(one.asked, out::stream);
    }

    private void question(Question question) {
        out.tx(question.tx());
        out.optional(question.request(), out::request);
        out.optional(question.content(), this::content);
        out.optional(question.agent(), out::stream);
        out.optional(question.branch(), out::branch);
        out.optional(question.resource(), out::text);
    }

    private void operator() {
        out.all(leader.operator.heuristics.values(), this::heuristic);
        out.all(leader.operator.mixed, key -> {
            out.tx(key.tx());
            out.optional(key.branch(), out::branch);
        });
        out.all(leader.operator.leftAlone.entrySet(), entry -> {
            out.tx(entry.getKey().tx());
            out.optional(entry.getKey().branch(), out::branch);
            out.text(entry.getValue().resource());
            out.stream(entry.getValue().stream());
            out.constant(entry.getValue().answer());
        });
        out.all(leader.operator.handed, handed -> {
            heuristic(handed.record());
            out.request(handed.request());
        });
    }

    private void heuristic(LogRecord.Heuristic record) {
        out.tx(record.tx());
        out.optional(record.branch(), out::branch);
        out.constant(record.decision());
        out.text(record.reason());
    }

    private void horizon() {
        HorizonState state = leader.horizon;
        out.optional(state.next, this::horizonRecord);
        out.bool(state.retained);
        out.bool(state.handed);
        out.all(state.cleared, out::text);
    }
}
