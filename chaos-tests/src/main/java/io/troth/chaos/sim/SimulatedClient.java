package io.troth.chaos.sim;

import io.troth.chaos.sim.world.Connection;
import io.troth.chaos.sim.world.Fault;
import io.troth.chaos.sim.world.SimProcess;
import io.troth.chaos.sim.world.World;
import io.troth.client.context.CallScope;
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
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;

/**
 * One client process and its library: opens sessions, begins, calls, counts, commits, and asks until it knows (protocol
 * 4 to 6 and 9). One thread.
 */
final class SimulatedClient {

    private static final long MILLI = 1_000_000;
    private static final int OPEN_MAX = 6;

    private final Run run;
    private final World world;
    private final SimProcess process;
    private final ClientSessions sessions;
    private final List<ClientTransaction> open = new ArrayList<>();
    private final Map<Long, ClientTransaction> asked = new HashMap<>();
    /** Questions that do not say what the Commit said. */
    private final Set<Long> askedBare = new HashSet<>();

    private Connection.@Nullable End stream;
    private @Nullable SimulatedCoordinator peer;
    /** What the coordinator at the other end says; the next one is believed to accept until it says so. */
    private boolean accepting = true;

    private long correlation;

    SimulatedClient(Run run, SimProcess process) {
        this.run = run;
        this.world = run.world;
        this.process = process;
        this.sessions = new ClientSessions(world, process, this::say);
    }

    SimProcess process() {
        return process;
    }

    void start() {
        process.start(this::died);
        dialLater(0);
        beginLater();
        for (ClientTransaction tx : open) {
            // Its token was kept somewhere: the next process asks on.
            tx.then(process.after(MILLI, () -> "asks after its restart", () -> end(tx)));
        }
    }

    private void died() {
        stream = null;
        peer = null;
        accepting = true;
        asked.clear();
        sessions.forget();
        for (ClientTransaction tx : open) {
            tx.then(null);
            if (!tx.requested) {
                tx.abandoned = true;
            }
        }
        open.removeIf(ClientTransaction::isOver);
        run.clientDied(this);
    }

    // The stream.

    private void dialLater(long nanos) {
        world.after(nanos + world.shortDelay(), process, () -> "dials", this::dial);
    }

    private void dial() {
        if (stream != null) {
            return;
        }
        SimulatedCoordinator found = run.anyCoordinator();
        if (!run.reaches(process, found.process())) {
            dialLater(world.random().nextLong(50 * MILLI, 1_000 * MILLI));
            return;
        }
        Connection connection = world.network().connect(process, found.process());
        Connection.End mine = connection.dialer();
        stream = mine;
        peer = found;
        mine.onBreak(() -> broken(mine));
        mine.send(
                () -> "accepts " + process,
                () -> found.client(connection.server(), message -> {
                    if (mine.equals(stream)) {
                        hear(message);
                    }
                }));
        sessions.connected();
    }

    private void broken(Connection.End which) {
        if (which.equals(stream)) {
            stream = null;
            peer = null;
            accepting = true;
            sessions.disconnected();
            asked.clear();
            dialLater(world.random().nextLong(50 * MILLI, 500 * MILLI));
        }
    }

    private void hangUp() {
        Connection.End mine = stream;
        if (mine != null) {
            mine.breakHere();
        }
    }

    /** Says something; its stream's id is known to the coordinator only. */
    private void say(Supplier<String> what, java.util.function.Function<RequestId, Event> event) {
        say(what, ++correlation, event);
    }

    private void say(Supplier<String> what, long number, java.util.function.Function<RequestId, Event> event) {
        Connection.End mine = stream;
        SimulatedCoordinator to = peer;
        if (mine != null && to != null) {
            int times = world.fault(Fault.MESSAGE_TWICE) ? 2 : 1;
            for (int i = 0; i < times; i++) {
                mine.send(
                        () -> "hears of " + process + ": " + what.get(),
                        () -> to.said(mine.peer(), id -> event.apply(new RequestId(id, number))));
            }
        }
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
                1 + world.random().nextLong(Long.MAX_VALUE));
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
            call(tx, script);
            // Some calls run at the same time.
            if (!tx.plan.isEmpty() && world.random().nextInt(5) == 0) {
                call(tx, tx.plan.remove());
            }
        } else if (tx.calling == 0) {
            tx.root.closeIfIdle();
            end(tx);
        }
    }

    private void call(ClientTransaction tx, Call.Script script) {
        tx.calling++;
        tx.root.enter();
        TransactionContext context =
                run.nested(new TransactionContext(Run.CLUSTER, tx.id, tx.key, 0, 0), tx.root.remainingMillis());
        run.call(process, new Call(context, script), reply -> {
            tx.calling--;
            if (reply == null) {
                tx.root.setRollbackOnly(Reason.of(ErrorCode.ROLLBACK_ONLY));
            } else {
                tx.root.addReply(reply.list());
                reply.done().forEach((branch, calls) -> {
                    if (reply.list().branches().stream()
                            .anyMatch(work -> work.branch().equals(branch))) {
                        calls.forEach(number -> run.ledger.seen(tx.id, branch, number));
                    }
                });
            }
            tx.root.exit();
            // Sometimes the application has something else to do first.
            long thinks = world.random().nextInt(8) == 0 ? world.random().nextLong(1_500 * MILLI) : 0;
            tx.then(world.after(thinks, process, () -> "", () -> goOn(tx)));
        });
    }

    /** Ends it one way or the other, or asks on. */
    private void end(ClientTransaction tx) {
        if (tx.isOver()) {
            over(tx);
            return;
        }
        List<BranchWork> listed = tx.root.list().branches();
        if (tx.requested) {
            if (world.random().nextBoolean()) {
                ask(tx, world.random().nextInt(3) > 0);
            } else {
                commit(tx);
            }
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
            CommitContent content = new CommitContent(listed, world.random().nextInt(3) > 0);
            tx.content = content;
            tx.requested = true;
            run.ledger.requested(tx.id, content);
            commit(tx);
        }
        again(tx);
    }

    /** When no answer comes: asks again, sometimes on another stream. */
    private void again(ClientTransaction tx) {
        if (tx.isOver()) {
            return;
        }
        long patience = stream == null
                ? world.random().nextLong(100 * MILLI, 500 * MILLI)
                : world.random().nextLong(500 * MILLI, 12_000 * MILLI);
        tx.then(process.after(patience, () -> "is tired of waiting for " + tx.id, () -> {
            if (world.isFaulty() && world.random().nextInt(3) == 0) {
                hangUp();
            }
            end(tx);
        }));
    }

    private void rollBack(ClientTransaction tx, List<BranchWork> listed) {
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

    private void commit(ClientTransaction tx) {
        CommitContent content = Objects.requireNonNull(tx.content);
        boolean waits = world.random().nextBoolean();
        long lowest = lowestOpen(tx.id);
        long remaining = tx.root.remainingMillis();
        request(
                tx,
                () -> "commits " + tx.id,
                request -> new Event.CommitRequested(
                        request, tx.id, tx.key, lowest, content, waits, Math.max(1, remaining)));
    }

    private void ask(ClientTransaction tx, boolean withContent) {
        CommitContent content = withContent ? tx.content : null;
        if (content == null) {
            askedBare.add(correlation + 1);
        }
        request(tx, () -> "asks for " + tx.id, request -> new Event.OutcomeInquiry(request, tx.id, content));
    }

    private void request(
            ClientTransaction tx, Supplier<String> what, java.util.function.Function<RequestId, Event> event) {
        if (stream != null) {
            long number = ++correlation;
            asked.put(number, tx);
            say(what, number, event);
        }
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

    private void hear(ClientMessage message) {
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
                answered(tx, answer.outcome());
            }
        } else if (message instanceof ClientMessage.Refused refused) {
            refused(refused);
        }
    }

    private void answered(ClientTransaction tx, Outcome outcome) {
        switch (outcome) {
            case COMMITTED, ROLLED_BACK, READ_ONLY, UNKNOWN, FORGOTTEN -> {
                if (!tx.isOver()) {
                    tx.outcome = outcome;
                    over(tx);
                }
            }
            case PENDING -> tx.then(process.after(100 * MILLI, () -> "asks again", () -> end(tx)));
            case NOT_LEADER -> hangUp();
        }
    }

    private void refused(ClientMessage.Refused refused) {
        world.saw("client hears refusal " + refused.reason().code());
        ClientTransaction tx = asked.remove(refused.correlation());
        if (tx != null) {
            if (!tx.isOver()) {
                tx.then(process.after(100 * MILLI, () -> "tries again", () -> end(tx)));
            }
            if (refused.reason().code() != ErrorCode.OVERLOADED) {
                hangUp();
            }
        } else if (!sessions.refused(refused)
                && (refused.reason().code() != ErrorCode.OVERLOADED
                        || world.random().nextInt(4) == 0)) {
            // Who hangs up at every refusal of a new session never hears the answers on the old ones.
            hangUp();
        }
    }

    /** What it still waits for; null when nothing. */
    @Nullable
    String unfinished() {
        return open.isEmpty() ? null : process + " has no answer about " + open.get(0).id;
    }

    private boolean isUsed(ClientSessions.Session session) {
        return open.stream()
                .anyMatch(tx -> tx.id.session() == session.id() && tx.id.epoch().equals(session.epoch()));
    }

    /** In the end: closes its sessions, so that nothing of them is left. */
    void close() {
        sessions.closeAll();
    }
}
