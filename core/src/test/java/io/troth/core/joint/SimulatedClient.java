package io.troth.core.joint;

import io.troth.core.BranchId;
import io.troth.core.BranchWork;
import io.troth.core.EpochId;
import io.troth.core.ErrorCode;
import io.troth.core.GlobalTxId;
import io.troth.core.Outcome;
import io.troth.core.Reason;
import io.troth.core.SessionKey;
import io.troth.core.coordinator.ClientMessage;
import io.troth.core.coordinator.CommitContent;
import io.troth.core.coordinator.Event;
import io.troth.core.coordinator.RequestId;
import io.troth.core.coordinator.StreamId;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.TreeSet;
import org.jspecify.annotations.Nullable;

/** A client and its library: begins, calls, counts, commits, and asks until it knows. */
final class SimulatedClient {

    /** One T as its client sees it. */
    private static final class Tx {
        final GlobalTxId id;
        final SessionKey key;
        final List<Boolean> plan = new ArrayList<>();
        final TreeSet<Long> waiting = new TreeSet<>();
        final Map<BranchId, BranchWork> list = new TreeMap<>();
        boolean rollbackOnly;
        boolean abandoned;
        boolean requested;
        boolean rolling;

        @Nullable
        CommitContent content;

        @Nullable
        Outcome outcome;
        /** The stream on which an answer is waited for. */
        @Nullable
        StreamId waitsOn;

        long notBefore;
        int moreQuestions = 3;

        Tx(GlobalTxId id, SessionKey key) {
            this.id = id;
            this.key = key;
        }

        boolean isOver() {
            return abandoned || outcome != null;
        }
    }

    /** A call under T; it may be delivered twice. */
    final class Call {
        private final Tx of;
        private final long number;
        private final boolean writes;

        private Call(Tx of, long number, boolean writes) {
            this.of = of;
            this.number = number;
            this.writes = writes;
        }

        GlobalTxId tx() {
            return of.id;
        }

        SessionKey key() {
            return of.key;
        }

        long number() {
            return number;
        }

        boolean writes() {
            return writes;
        }

        /** Without a branch the reply is an error; it may get lost. */
        void returns(@Nullable BranchWork work) {
            boolean lost = run.chaos && run.random.nextInt(30) == 0;
            run.calls.add(() -> "call " + number + " of " + of.id + " returns", () -> {
                if (of.waiting.remove(number)) {
                    if (lost || work == null) {
                        of.rollbackOnly = true;
                    } else {
                        run.ledger.seen(of.id, work.branch(), number);
                        of.list.merge(work.branch(), work, SimulatedClient::sum);
                    }
                }
            });
        }

        void fails() {
            returns(null);
        }
    }

    final int number;

    @Nullable
    Link link;

    private final JointRun run;
    private final List<Tx> all = new ArrayList<>();
    private final Map<Long, Tx> asked = new HashMap<>();
    private boolean opening;

    @Nullable
    private EpochId epoch;

    private long session;
    private SessionKey key = new SessionKey(0, 0);
    private long sequence;
    private long correlation;
    private long nextCall;

    SimulatedClient(JointRun run, int number) {
        this.run = run;
        this.number = number;
    }

    private static BranchWork sum(BranchWork left, BranchWork right) {
        return new BranchWork(left.branch(), left.resource(), left.calls() + right.calls());
    }

    void connect(SimulatedLeader leader) {
        StreamId id = run.newStream();
        Link fresh = new Link(
                run,
                id,
                leader,
                () -> {
                    if (link != null && link.id.equals(id)) {
                        link = null;
                    }
                },
                () -> leader.step(new Event.ClientDisconnected(id)));
        link = fresh;
        leader.links.put(id, fresh);
        leader.clients.put(id, this);
        opening = true;
        long session = this.session;
        SessionKey key = this.key;
        EpochId epoch = this.epoch;
        RequestId request = new RequestId(id, ++correlation);
        if (epoch != null && epoch.equals(leader.epoch) && run.random.nextInt(4) > 0) {
            fresh.toLeader(
                    () -> "client " + number + " resumes",
                    () -> leader.step(new Event.ResumeSession(request, epoch, session, key)));
        } else {
            open(fresh, request);
        }
    }

    private void open(Link fresh, RequestId request) {
        SessionKey drawn = new SessionKey(run.random.nextLong(), run.random.nextLong());
        fresh.toLeader(
                () -> "client " + number + " opens a session",
                () -> fresh.leader.step(new Event.OpenSession(request, drawn, "client " + number)));
    }

    /** What the client could do now. */
    void addMoves(List<Lane.Task> moves) {
        Link open = link;
        if (open == null) {
            moves.add(new Lane.Task(() -> "client " + number + " dials", () -> connect(run.anyLeader())));
        }
        for (Tx tx : all) {
            addMoves(moves, tx, open);
        }
        if (run.chaos && open != null && !opening && openTransactions() < 2 && all.size() < 6) {
            moves.add(new Lane.Task(() -> "client " + number + " begins", this::begin));
        }
        if (run.chaos && open != null && !opening && run.random.nextInt(10) == 0) {
            moves.add(new Lane.Task(() -> "client " + number + " tells its progress", () -> progress(open)));
        }
    }

    private int openTransactions() {
        int count = 0;
        for (Tx tx : all) {
            count += tx.isOver() ? 0 : 1;
        }
        return count;
    }

    private void addMoves(List<Lane.Task> moves, Tx tx, @Nullable Link open) {
        if (tx.isOver()) {
            if (run.chaos
                    && open != null
                    && !opening
                    && tx.moreQuestions > 0
                    && tx.requested
                    && run.random.nextInt(6) == 0) {
                moves.add(new Lane.Task(() -> "client " + number + " asks once more", () -> {
                    tx.moreQuestions--;
                    ask(open, tx, run.random.nextBoolean());
                }));
            }
        } else if (!tx.plan.isEmpty() && !tx.rollbackOnly) {
            moves.add(new Lane.Task(() -> "client " + number + " calls", () -> call(tx)));
        } else if (tx.waiting.isEmpty()) {
            boolean waits = open != null && open.id.equals(tx.waitsOn);
            if (waits && run.chaos && run.random.nextInt(12) == 0) {
                // What was said on the old stream may still arrive after what is said on the next one.
                moves.add(new Lane.Task(() -> "client " + number + " is tired of waiting", this::hangUp));
            }
            if (open != null && !opening && !waits && tx.notBefore <= run.now) {
                moves.add(new Lane.Task(() -> "client " + number + " ends " + tx.id, () -> end(open, tx)));
            }
        }
    }

    private void begin() {
        if (epoch == null) {
            return;
        }
        Tx tx = new Tx(new GlobalTxId(0, epoch, session, ++sequence), key);
        int calls = 1 + run.random.nextInt(3);
        boolean readsOnly = run.random.nextInt(8) == 0;
        for (int i = 0; i < calls; i++) {
            tx.plan.add(!readsOnly && run.random.nextInt(4) > 0);
        }
        all.add(tx);
    }

    private void call(Tx tx) {
        Call call = new Call(tx, ++nextCall + 1000L * number, tx.plan.remove(0));
        tx.waiting.add(call.number);
        SimulatedAgent to = run.agents.get(run.random.nextInt(run.agents.size()));
        run.calls.add(() -> "call " + call.number + " of " + tx.id + " reaches " + to.name, () -> to.call(call));
        if (run.random.nextInt(12) == 0) {
            // Something on the way has sent it twice.
            SimulatedAgent other =
                    run.random.nextBoolean() ? to : run.agents.get(run.random.nextInt(run.agents.size()));
            run.calls.add(
                    () -> "call " + call.number + " of " + tx.id + " reaches " + other.name, () -> other.call(call));
        }
    }

    private void end(Link open, Tx tx) {
        if (tx.requested) {
            if (run.random.nextBoolean()) {
                ask(open, tx, run.random.nextInt(3) > 0);
            } else {
                commit(open, tx);
            }
        } else if (tx.rolling || tx.rollbackOnly || run.random.nextInt(12) == 0) {
            if (tx.rolling && run.random.nextBoolean()) {
                tx.abandoned = true;
                return;
            }
            tx.rolling = true;
            RequestId request = request(open, tx);
            List<BranchWork> listed = List.copyOf(tx.list.values());
            long lowest = lowestOpen(tx.id);
            open.toLeader(
                    () -> "client " + number + " rolls back " + tx.id,
                    () -> open.leader.step(new Event.RollbackRequested(
                            request, tx.id, tx.key, lowest, listed, Reason.of(ErrorCode.ROLLED_BACK_BY_CLIENT))));
        } else if (run.random.nextInt(40) == 0) {
            tx.abandoned = true;
        } else {
            tx.content = new CommitContent(List.copyOf(tx.list.values()), run.random.nextInt(3) > 0);
            tx.requested = true;
            run.ledger.requested(tx.id, tx.content);
            commit(open, tx);
        }
    }

    private RequestId request(Link open, Tx tx) {
        tx.waitsOn = open.id;
        asked.put(++correlation, tx);
        return new RequestId(open.id, correlation);
    }

    private void commit(Link open, Tx tx) {
        CommitContent content = java.util.Objects.requireNonNull(tx.content);
        boolean wait = run.random.nextBoolean();
        RequestId request = request(open, tx);
        long lowest = lowestOpen(tx.id);
        open.toLeader(
                () -> "client " + number + " commits " + tx.id,
                () -> open.leader.step(new Event.CommitRequested(
                        request, tx.id, tx.key, lowest, content, wait, SimulatedLeader.REMAINING_MILLIS)));
    }

    private void ask(Link open, Tx tx, boolean withContent) {
        RequestId request = request(open, tx);
        CommitContent content = withContent ? tx.content : null;
        open.toLeader(
                () -> "client " + number + " asks for " + tx.id,
                () -> open.leader.step(new Event.OutcomeInquiry(request, tx.id, content)));
    }

    private long lowestOpen(GlobalTxId of) {
        long lowest = sequence + 1;
        for (Tx tx : all) {
            if (!tx.isOver() && tx.id.session() == of.session() && tx.id.epoch().equals(of.epoch())) {
                lowest = Math.min(lowest, tx.id.sequence());
            }
        }
        return of.session() == session && of.epoch().equals(epoch) ? lowest : of.sequence();
    }

    private void progress(Link open) {
        EpochId epoch = this.epoch;
        if (epoch != null) {
            long session = this.session;
            long lowest = Math.min(lowestOpen(new GlobalTxId(0, epoch, session, 1)), sequence + 1);
            SessionKey key = this.key;
            open.toLeader(
                    () -> "client " + number + " has ended all below " + lowest,
                    () -> open.leader.step(new Event.Progress(open.id, epoch, session, key, lowest)));
        }
    }

    void hear(ClientMessage message) {
        if (message instanceof ClientMessage.SessionOpened opened) {
            opening = false;
            if (!opened.epoch().equals(epoch) || opened.session() != session) {
                epoch = opened.epoch();
                session = opened.session();
                key = opened.key();
                sequence = 0;
            }
        } else if (message instanceof ClientMessage.Answer answer) {
            Tx tx = asked.remove(answer.correlation());
            if (tx != null) {
                answered(tx, answer.outcome());
            }
        } else if (message instanceof ClientMessage.Refused refused) {
            refused(refused);
        }
    }

    private void answered(Tx tx, Outcome outcome) {
        tx.waitsOn = null;
        switch (outcome) {
            case COMMITTED, ROLLED_BACK, READ_ONLY, UNKNOWN, FORGOTTEN -> {
                if (tx.outcome == null) {
                    tx.outcome = outcome;
                }
            }
            case PENDING -> tx.notBefore = run.now + 100;
            case NOT_LEADER -> hangUp();
        }
    }

    private void refused(ClientMessage.Refused refused) {
        run.ledger.saw("refused " + refused.reason().code());
        Tx tx = asked.remove(refused.correlation());
        if (tx != null) {
            tx.waitsOn = null;
            tx.notBefore = run.now + 100;
        }
        Link open = link;
        if (opening && open != null) {
            if (refused.reason().code() == ErrorCode.UNKNOWN_SESSION) {
                epoch = null;
                open(open, new RequestId(open.id, ++correlation));
            } else {
                hangUp();
            }
        } else if (tx == null || !refused.reason().code().equals(ErrorCode.OVERLOADED)) {
            hangUp();
        }
    }

    void hangUp() {
        if (link != null) {
            link.breakAtPeer();
        }
    }

    /** The process dies and another one takes its place: what it had not asked to commit is lost. */
    void crash() {
        for (Tx tx : all) {
            tx.abandoned |= !tx.requested;
        }
        epoch = null;
        hangUp();
        run.ledger.saw("client killed");
    }

    /** What the client would still have to do; null when nothing. */
    @Nullable
    String unfinished() {
        for (Tx tx : all) {
            if (!tx.isOver()) {
                return "client " + number + " has no answer about " + tx.id;
            }
        }
        return null;
    }

    long nextMove() {
        long next = Long.MAX_VALUE;
        for (Tx tx : all) {
            if (!tx.isOver() && tx.notBefore > run.now) {
                next = Math.min(next, tx.notBefore);
            }
        }
        return next;
    }

    /** In the end: close the session, so that nothing of it is left. */
    void close() {
        Link open = link;
        EpochId epoch = this.epoch;
        if (open != null && epoch != null) {
            long session = this.session;
            SessionKey key = this.key;
            open.toLeader(
                    () -> "client " + number + " closes its session",
                    () -> open.leader.step(new Event.CloseSession(open.id, epoch, session, key)));
        }
    }
}
