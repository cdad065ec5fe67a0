package io.troth.core.coordinator;

import io.troth.core.BranchId;
import io.troth.core.BranchWork;
import io.troth.core.Decision;
import io.troth.core.EpochId;
import io.troth.core.GlobalTxId;
import io.troth.core.Outcome;
import io.troth.core.SessionKey;
import io.troth.core.Vote;
import io.troth.core.coordinator.AgentHello.AgentResource;
import io.troth.core.coordinator.LogRecord.YesBranch;
import java.util.List;
import org.jspecify.annotations.Nullable;

/** Reads what {@link StateEncoder} writes. Counters that follow from the tables are counted anew. */
final class StateDecoder {

    private final StateReader in;
    private final CoordinatorLimits limits;

    StateDecoder(byte[] bytes, CoordinatorLimits limits) {
        this.in = new StateReader(bytes);
        this.limits = limits;
    }

    Leader decode() {
        if (in.octet() != StateEncoder.VERSION) {
            throw new IllegalArgumentException("not a coordinator state of version " + StateEncoder.VERSION);
        }
        Leader leader = new Leader(in.int32(), limits);
        leader.phase = in.constant(Leader.Phase.values());
        leader.own = in.optional(in::epoch);
        leader.recoveredBatch = in.int64();
        leader.accepting = in.bool();
        leader.refusing = in.optional(in::reason);
        leader.notAccepting = in.reason();
        epochs(leader.epochs);
        agents(leader.agents);
        leader.sessions.next = in.int64();
        for (ClientSession session : in.all(this::session)) {
            leader.sessions.add(session);
            List.copyOf(session.streams).forEach(stream -> leader.sessions.attach(session, stream));
            leader.keptResults += session.ended.size();
            for (GlobalTransaction open : session.open.values()) {
                leader.openTransactions++;
                leader.count(open.state, 1);
            }
        }
        for (CommittedTransaction committed : in.all(this::committed)) {
            leader.committed.put(committed.tx, committed);
        }
        leader.unendedOlder = in.int32();
        for (OnePhaseCase one : in.all(this::onePhase)) {
            leader.onePhase.put(one.tx, one);
        }
        for (List<Question> questions : in.all(() -> in.all(this::question))) {
            leader.fetching.put(questions.get(0).tx(), questions);
            leader.questions += questions.size();
        }
        operator(leader.operator);
        horizon(leader.horizon);
        in.end();
        return leader;
    }

    private void epochs(EpochTable epochs) {
        for (EpochId epoch : in.all(in::epoch)) {
            epochs.known.put(epoch.number(), epoch);
        }
        epochs.distrust = in.int64();
        epochs.horizon = in.optional(this::horizonRecord);
    }

    private LogRecord.Horizon horizonRecord() {
        return new LogRecord.Horizon(in.epoch(), in.int64());
    }

    private void agents(AgentTable agents) {
        for (AgentStream stream : in.all(() -> new AgentStream(in.stream(), hello()))) {
            agents.add(stream);
        }
        agents.known.addAll(in.all(in::text));
        agents.excluded.addAll(in.all(in::text));
        agents.held.addAll(in.all(in::text));
    }

    private AgentHello hello() {
        long instance = in.int64();
        EpochId highest = in.optional(in::epoch);
        return new AgentHello(instance, highest, in.int64(), in.all(this::resource));
    }

    private AgentResource resource() {
        return new AgentResource(in.text(), in.text(), in.text(), in.text(), in.optional(in::text));
    }

    private ClientSession session() {
        ClientSession session =
                new ClientSession(in.int64(), new SessionKey(in.int64(), in.int64()), in.text(), in.bool());
        session.streams.addAll(in.all(in::stream));
        session.lowestOpen = in.int64();
        session.highest = in.int64();
        session.closed = in.bool();
        session.aged = in.bool();
        session.agedHighest = in.int64();
        session.unendedCommits = in.int32();
        session.agents.addAll(in.all(in::stream));
        for (GlobalTransaction open : in.all(() -> transaction(session))) {
            session.open.put(open.tx.sequence(), open);
        }
        int kept = in.count();
        for (int i = 0; i < kept; i++) {
            session.ended.put(in.int64(), ended());
        }
        return session;
    }

    private EndedTransaction ended() {
        Outcome outcome = in.constant(Outcome.values());
        return new EndedTransaction(
                outcome, in.optional(in::branch), in.optional(in::reason), in.optional(in::text), in.bool());
    }

    private GlobalTransaction transaction(ClientSession session) {
        GlobalTransaction open = new GlobalTransaction(in.tx(), session);
        open.state = in.constant(TransactionState.values());
        open.branches.addAll(in.all(this::branch));
        open.waiters.addAll(in.all(() -> new Waiter(in.request(), in.bool())));
        open.content = in.optional(this::content);
        open.votedInPlace = in.bool();
        open.votesMissing = in.int32();
        open.yesVotes = in.int32();
        open.deadlineRunning = in.bool();
        open.completionRunning = in.bool();
        open.completionOver = in.bool();
        return open;
    }

    private TransactionBranch branch() {
        TransactionBranch branch = new TransactionBranch(in.branch(), in.text(), in.optional(in::stream));
        branch.identity = in.optional(in::text);
        branch.listed = in.bool();
        branch.calls = in.int32();
        branch.vote = in.optional(() -> in.constant(Vote.values()));
        branch.proof = in.optional(in::proof);
        return branch;
    }

    private CommitContent content() {
        return new CommitContent(in.all(() -> new BranchWork(in.branch(), in.text(), in.int32())), in.bool());
    }

    private CommittedTransaction committed() {
        CommittedTransaction committed = new CommittedTransaction(in.tx());
        committed.branches.addAll(in.all(this::committedBranch));
        committed.undone = in.int32();
        committed.endHanded = in.bool();
        committed.retryRunning = in.bool();
        committed.mixed = in.optional(in::branch);
        return committed;
    }

    private CommittedBranch committedBranch() {
        YesBranch record = new YesBranch(in.branch(), in.text(), in.optional(in::proof));
        CommittedBranch branch = new CommittedBranch(record, in.optional(in::text));
        branch.done = in.bool();
        branch.sentTo = in.optional(in::stream);
        branch.attempts = in.int32();
        return branch;
    }

    private OnePhaseCase onePhase() {
        OnePhaseCase one = new OnePhaseCase(in.tx(), in.branch(), in.text());
        one.waiters.addAll(in.all(in::request));
        one.identity = in.optional(in::text);
        one.proof = in.optional(in::proof);
        one.stage = in.constant(OnePhaseCase.Stage.values());
        one.asked = in.optional(in::stream);
        return one;
    }

    private Question question() {
        return new Question(
                in.tx(),
                in.optional(in::request),
                in.optional(this::content),
                in.optional(in::stream),
                in.optional(in::branch),
                in.optional(in::text));
    }

    private void operator(OperatorTable operator) {
        for (LogRecord.Heuristic record : in.all(this::heuristic)) {
            operator.heuristics.put(new OperatorTable.BranchKey(record.tx(), record.branch()), record);
        }
        operator.mixed.addAll(in.all(() -> new OperatorTable.BranchKey(in.tx(), in.optional(in::branch))));
        int left = in.count();
        for (int i = 0; i < left; i++) {
            GlobalTxId tx = in.tx();
            @Nullable BranchId branch = in.optional(in::branch);
            String resource = in.text();
            StreamId stream = in.stream();
            operator.leftAlone.put(
                    new OperatorTable.BranchKey(tx, branch),
                    new OperatorTable.LeftAlone(resource, stream, in.constant(Outcome.values())));
        }
        operator.handed.addAll(in.all(() -> new OperatorTable.Handed(heuristic(), in.request())));
    }

    private LogRecord.Heuristic heuristic() {
        GlobalTxId tx = in.tx();
        BranchId branch = in.optional(in::branch);
        return new LogRecord.Heuristic(tx, branch, in.constant(Decision.values()), in.text());
    }

    private void horizon(HorizonState horizon) {
        horizon.next = in.optional(this::horizonRecord);
        horizon.retained = in.bool();
        horizon.handed = in.bool();
        horizon.cleared.addAll(in.all(in::text));
    }
}
