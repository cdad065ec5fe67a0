package io.troth.chaos.sim;

import io.troth.chaos.sim.world.SimProcess;
import io.troth.chaos.sim.world.World;
import io.troth.client.context.CallScope;
import io.troth.client.context.InPlaceBranch;
import io.troth.core.BranchWork;
import io.troth.core.ErrorCode;
import io.troth.core.GlobalTxId;
import io.troth.core.Outcome;
import io.troth.core.Reason;
import io.troth.core.TransactionContext;
import io.troth.core.coordinator.ClientMessage;
import io.troth.core.coordinator.CommitContent;
import io.troth.core.coordinator.Event;
import io.troth.core.coordinator.RequestId;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Set;
import java.util.function.Function;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;

/**
 * One client process and its library: opens sessions, begins, calls, counts, commits, and asks until it knows (protocol
 * 4 to 6 and 9). One thread.
 */
final class SimulatedClient implements ClientStream.User {

    private static final long MILLI = 1_000_000;
    private static final int OPEN_MAX = 6;

    private final Run run;
    private final World world;
    private final SimProcess process;
    private final ClientSessions sessions;
    private final @Nullable HomeAgent home;
    private final VotesInPlace votes;
    private final ServiceCalls calls;
    private final List<ClientTransaction> open = new ArrayList<>();
    private final Map<Long, ClientTransaction> asked = new HashMap<>();
    /** Questions that do not say what the Commit said. */
    private final Set<Long> askedBare = new HashSet<>();

    private final Onlooker onlooker;

    private final ClientStream stream;
    /** What the coordinator at the other end says; the next one is believed to accept until it says so. */
    private boolean accepting = true;

    /** {@code home}: the agent in the same process; null when the process is its own. */
    SimulatedClient(Run run, SimProcess process, @Nullable HomeAgent home, boolean commitsInPlace) {
        this.run = run;
        this.world = run.world;
        this.process = process;
        this.home = home;
        this.calls = new ServiceCalls(run, process);
        this.stream = new ClientStream(run, process, this);
        this.onlooker = new Onlooker(run, stream);
        this.sessions = new ClientSessions(world, process, stream::say, this::sessionEnded, commitsInPlace);
        this.votes = new VotesInPlace(run, process, sessions, stream, this::commitOn, this::endsHere);
    }

    /** Somebody else in the same process. */
    Onlooker onlooker() {
        return onlooker;
    }

    SimProcess process() {
        return process;
    }

    /** Starts its process; that of its agent's has started. */
    void start() {
        if (home == null) {
            process.start(() -> {
                died();
                run.clientDied(this);
            });
            lives();
        }
    }

    /** The process has started. */
    void lives() {
        stream.dialLater(0);
        beginLater();
        sessions.keepTelling(this::lowestOpen);
        for (ClientTransaction tx : open) {
            // Its token was kept somewhere: the next process asks on.
            tx.then(process.after(MILLI, () -> "asks after its restart", () -> end(tx)));
        }
    }

    /** The process has died. */
    void died() {
        stream.forget();
        disconnected();
        sessions.forget();
        for (ClientTransaction tx : open) {
            tx.then(null);
            tx.losesItsAgents();
            if (!tx.requested) {
                tx.abandoned = true;
            }
        }
        open.removeIf(ClientTransaction::isOver);
    }

    // The stream.

    @Override
    public void connected() {
        sessions.connected();
    }

    @Override
    public void disconnected() {
        accepting = true;
        sessions.disconnected();
        asked.clear();
        onlooker.disconnected();
    }

    // Transactions.

    private void beginLater() {
        long nanos = world.random()
                .nextLong(2L
                                * world.plan().millis()
                                * MILLI
                                * world.plan().clients()
                                / world.plan().transactions()
                        + 1);
        world.after(nanos, process, () -> "", () -> {
            begin();
            beginLater();
        });
    }

    private void begin() {
        ClientSessions.Session session = sessions.current();
        if (session != null && accepting && open.size() < OPEN_MAX && run.takesTransaction()) {
            ClientTransaction unused = begin(session, false);
        }
    }

    /** Begins one that writes everywhere and must commit, since all is over; null when it cannot begin one now. */
    @Nullable
    ClientTransaction beginLast() {
        ClientSessions.Session session = sessions.current();
        return session == null || !accepting ? null : begin(session, true);
    }

    private ClientTransaction begin(ClientSessions.Session session, boolean isLast) {
        GlobalTxId id = session.next();
        long remaining =
                !isLast && world.random().nextInt(6) == 0 ? 200 + world.random().nextInt(800) : run.timeoutMillis();
        CallScope root = new CallScope(
                new TransactionContext(Run.CLUSTER, id, session.key(), TransactionContext.ROOT_CALL, remaining),
                process::nanoTime,
                1 + world.random().nextLong(Long.MAX_VALUE),
                session.commitsInPlace());
        int more = !isLast && world.random().nextInt(4) == 0 ? 2 : 0;
        List<Call.Script> calls = isLast ? run.workload.everywhere() : run.workload.next();
        ClientTransaction tx = new ClientTransaction(id, session.key(), root, calls, more);
        tx.isLast = isLast;
        open.add(tx);
        tx.isRemembered = id.sequence() - lowestOpen(id) < run.limits.sequenceWindowMax() / 2;
        world.note(() -> process + " begins " + id);
        goOn(tx);
        return tx;
    }

    private void goOn(ClientTransaction tx) {
        if (tx.isOver()) {
            return;
        }
        Call.Script script = tx.root.isRollbackOnly() ? null : tx.plan.poll();
        if (script != null) {
            run(tx, script);
            // Some calls run at the same time.
            if (!tx.plan.isEmpty() && world.random().nextInt(5) == 0) {
                run(tx, tx.plan.remove());
            }
        } else if (tx.calling == 0) {
            tx.root.closeIfIdle();
            end(tx);
        }
    }

    private void run(ClientTransaction tx, Call.Script script) {
        tx.calling++;
        tx.root.enter();
        if (home != null && home.takes(script)) {
            TransactionContext own = new TransactionContext(
                    Run.CLUSTER, tx.id, tx.key, TransactionContext.ROOT_CALL, tx.root.remainingMillis());
            home.work(tx, new Call(own, script), () -> returned(tx));
        } else {
            calls.call(tx, script, () -> returned(tx));
        }
    }

    private void returned(ClientTransaction tx) {
        tx.calling--;
        tx.root.exit();
        // Sometimes the application has something else to do first.
        long thinks = world.random().nextInt(8) == 0 ? world.random().nextLong(1_500 * MILLI) : 0;
        tx.then(world.after(thinks, process, () -> "", () -> goOn(tx)));
    }

    /** Ends it one way or the other, or asks on. */
    private void end(ClientTransaction tx) {
        if (tx.isOver()) {
            over(tx);
            return;
        }
        List<BranchWork> listed = tx.root.list().branches();
        if (tx.requested && tx.inPlace) {
            if (!tx.endsInPlace) {
                ask(tx, true);
            }
        } else if (tx.requested && !tx.voting) {
            if (world.random().nextBoolean()) {
                ask(tx, world.random().nextInt(3) > 0);
            } else {
                commit(tx);
            }
        } else if (tx.voting) {
            world.saw("votes in place take their time");
        } else if (tx.rolling
                || tx.root.isRollbackOnly()
                || (!tx.isLast && world.random().nextInt(20) == 0)) {
            rollBack(tx, listed);
        } else if (listed.isEmpty()) {
            tx.outcome = Outcome.READ_ONLY;
            over(tx);
        } else if (world.isFaulty() && world.random().nextInt(60) == 0) {
            // The application has forgotten it: its deadline will come.
            world.saw("transaction abandoned");
            tx.abandoned = true;
            over(tx);
        } else {
            requestCommit(tx, new CommitContent(listed, world.random().nextInt(3) > 0));
        }
        again(tx);
    }

    private void requestCommit(ClientTransaction tx, CommitContent content) {
        boolean isLate = tx.root.remainingMillis() == 0;
        List<InPlaceBranch> branches = isLate ? List.of() : tx.root.takeInPlace();
        if (isLate && home != null) {
            rollBack(tx, content.branches());
            return;
        }
        tx.content = content;
        tx.requested = true;
        run.ledger.requested(tx.id, content);
        if (branches.isEmpty() || home == null) {
            commit(tx);
            return;
        }
        if (!content.isOnePhase()) {
            votes.prepare(tx, branches);
            return;
        }
        tx.inPlace = true;
        tx.endsInPlace = true;
        home.commit(tx, branches.get(0), outcome -> {
            tx.endsInPlace = false;
            if (outcome == Outcome.UNKNOWN) {
                // Nobody here can tell, so the leader is asked.
                end(tx);
            } else {
                endsHere(tx, outcome);
            }
        });
    }

    /** What the application hears without a leader's word. */
    private void endsHere(ClientTransaction tx, Outcome outcome) {
        run.ledger.answered(tx.id, outcome);
        run.ledger.told(tx.id, outcome, false);
        tx.outcome = outcome;
        over(tx);
    }

    /** The leader does not know the session any more: nothing of it can commit, except what it need not hear of. */
    private void sessionEnded(ClientSessions.Session session) {
        for (ClientTransaction tx : open) {
            // Some hear of it too late.
            if (home != null
                    && isOf(tx, session)
                    && !tx.requested
                    && world.random().nextInt(4) > 0) {
                HomeAgent.giveUp(tx, Reason.of(ErrorCode.SESSION_ENDED));
            }
        }
    }

    /** When no answer comes: asks again, sometimes on another stream. */
    private void again(ClientTransaction tx) {
        if (tx.isOver()) {
            return;
        }
        long patience = stream.isUp()
                ? world.random().nextLong(500 * MILLI, 12_000 * MILLI)
                : world.random().nextLong(100 * MILLI, 500 * MILLI);
        tx.then(process.after(patience, () -> "is tired of waiting for " + tx.id, () -> {
            if (world.isFaulty() && world.random().nextInt(3) == 0) {
                stream.hangUp();
            }
            end(tx);
        }));
    }

    private void rollBack(ClientTransaction tx, List<BranchWork> listed) {
        List<InPlaceBranch> branches = tx.root.takeInPlace();
        if (!branches.isEmpty()) {
            // The scope is closed, so nobody else will ever hear of T.
            world.saw("rollback in place");
            branches.forEach(branch -> branch.rollBack(Reason.of(ErrorCode.ROLLED_BACK_BY_CLIENT)));
            endsHere(tx, Outcome.ROLLED_BACK);
            return;
        }
        if (tx.rolling && world.random().nextBoolean()) {
            tx.abandoned = true;
            over(tx);
            return;
        }
        tx.rolling = true;
        long lowest = lowestOpen(tx.id);
        request(
                tx,
                () -> "rolls back " + tx.id,
                request -> new Event.RollbackRequested(
                        request, tx.id, tx.key, lowest, listed, Reason.of(ErrorCode.ROLLED_BACK_BY_CLIENT)));
    }

    private void commitOn(ClientTransaction tx) {
        commit(tx);
        again(tx);
    }

    private void commit(ClientTransaction tx) {
        CommitContent content = Objects.requireNonNull(tx.content);
        List<Event.CommitRequested.BranchVote> ballots = tx.votes;
        boolean waits = world.random().nextBoolean() && ballots.isEmpty();
        long lowest = lowestOpen(tx.id);
        long remaining = tx.root.remainingMillis();
        request(
                tx,
                () -> "commits " + tx.id + (ballots.isEmpty() ? "" : " with " + ballots),
                request -> new Event.CommitRequested(
                        request, tx.id, tx.key, lowest, content, ballots, waits, Math.max(1, remaining)));
    }

    private void ask(ClientTransaction tx, boolean withContent) {
        CommitContent content = withContent ? tx.content : null;
        long number =
                request(tx, () -> "asks for " + tx.id, request -> new Event.OutcomeInquiry(request, tx.id, content));
        if (content == null) {
            askedBare.add(number);
        }
    }

    private long request(ClientTransaction tx, Supplier<String> what, Function<RequestId, Event> event) {
        long number = stream.nextCorrelation();
        if (stream.isUp()) {
            asked.put(number, tx);
            stream.say(what, number, event);
        }
        return number;
    }

    private long lowestOpen(GlobalTxId of) {
        long lowest = sessions.nextSequence(of);
        for (ClientTransaction tx : open) {
            if (!tx.isOver() && tx.id.session() == of.session() && tx.id.epoch().equals(of.epoch())) {
                lowest = Math.min(lowest, tx.id.sequence());
            }
        }
        return lowest;
    }

    private void over(ClientTransaction tx) {
        tx.then(null);
        open.remove(tx);
        sessions.progress(this::lowestOpen, this::isUsed);
        if (tx.requested && tx.moreQuestions-- > 0) {
            long later = run.forgetsSoon() ? 45_000 : 8_000;
            tx.next = process.after(world.random().nextLong(later * MILLI), () -> "asks once more", () -> {
                ask(tx, world.random().nextBoolean());
                over(tx);
            });
        }
    }

    // What it hears.

    @Override
    public void hear(ClientMessage message) {
        if (message instanceof ClientMessage.SessionOpened opened) {
            sessions.opened(opened);
            sessions.closeUnused(this::isUsed);
        } else if (message instanceof ClientMessage.Accepting push) {
            accepting = push.accepting();
            world.saw(
                    accepting
                            ? "begin allowed again"
                            : "begin refused " + push.reason().code());
        } else if (message instanceof ClientMessage.Answer answer) {
            onlooker.hears(answer);
            ClientTransaction tx = asked.remove(answer.correlation());
            boolean bare = askedBare.remove(answer.correlation());
            if (tx != null) {
                CommitContent content = tx.content;
                boolean isOwed = !bare
                        && !run.hasSmallLimits
                        && tx.isRemembered
                        && !run.isDistrusted(tx.id)
                        && content != null
                        && !content.isOnePhase();
                run.ledger.told(tx.id, answer.outcome(), isOwed);
                answered(tx, answer.outcome(), answer.completing());
            }
        } else if (message instanceof ClientMessage.Refused refused) {
            refused(refused);
        }
    }

    private void answered(ClientTransaction tx, Outcome outcome, boolean completing) {
        switch (outcome) {
            case COMMITTED, ROLLED_BACK, READ_ONLY, UNKNOWN, FORGOTTEN -> {
                if (!tx.isOver()) {
                    tx.outcome = outcome;
                    votes.decided(tx, outcome, completing);
                    over(tx);
                }
            }
            case PENDING -> tx.then(process.after(100 * MILLI, () -> "asks again", () -> end(tx)));
            case NOT_LEADER -> stream.hangUp();
        }
    }

    private void refused(ClientMessage.Refused refused) {
        world.saw("client hears refusal " + refused.reason().code());
        ClientTransaction tx = asked.remove(refused.correlation());
        if (onlooker.isRefused(refused)) {
            return;
        }
        if (tx != null) {
            if (!tx.isOver()) {
                tx.then(process.after(100 * MILLI, () -> "tries again", () -> end(tx)));
            }
            if (refused.reason().code() != ErrorCode.OVERLOADED) {
                stream.hangUp();
            }
        } else if (!sessions.refused(refused)
                && (refused.reason().code() != ErrorCode.OVERLOADED
                        || world.random().nextInt(4) == 0)) {
            // Who hangs up at every refusal of a new session never hears the answers on the old ones.
            stream.hangUp();
        }
    }

    /** What it still waits for; null when nothing. */
    @Nullable
    String unfinished() {
        return open.isEmpty() ? onlooker.unfinished() : process + " has no answer about " + open.get(0).id;
    }

    private boolean isUsed(ClientSessions.Session session) {
        return open.stream().anyMatch(tx -> isOf(tx, session));
    }

    private static boolean isOf(ClientTransaction tx, ClientSessions.Session session) {
        return tx.id.session() == session.id() && tx.id.epoch().equals(session.epoch());
    }

    /** In the end: closes its sessions, so that nothing of them is left. */
    void close() {
        sessions.closeAll();
    }
}
