package io.troth.client.internal;

import io.troth.client.context.NanoClock;
import io.troth.core.BranchList;
import io.troth.core.EpochId;
import io.troth.core.ErrorCode;
import io.troth.core.GlobalTxId;
import io.troth.core.Outcome;
import io.troth.core.Reason;
import io.troth.core.TrothException;
import io.troth.proto.v1.ClientReply;
import io.troth.proto.v1.CoordinatorState;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import java.util.function.Consumer;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The client's half of protocol 4, 6 and 9: sessions, begin without a message, one Commit until there is an outcome.
 *
 * <p>One lock guards all state; it is never held while code of the application runs, and nothing under it blocks.
 * Replies and timers come on the loop's thread, everything else from any thread. Futures are completed on the loop's
 * thread or on the caller's.
 */
public final class ClientEngine implements CoordinatorLink.Listener, AutoCloseable {

    private static final Logger LOG = LoggerFactory.getLogger(ClientEngine.class);
    private static final long TICK_MILLIS = 100;
    private static final int TICKS_PER_SWEEP = 10;
    private static final long ROLLBACK_WAIT_MILLIS = 5_000;

    private final ClientSettings settings;
    private final NanoClock clock;
    private final Loop loop;
    private final CoordinatorLink link;

    private final Object lock = new Object();

    // All guarded by the lock; so is what they hold.
    private final EngineState state;
    private final SessionTable sessions;
    private final RequestTable requests;
    private final BeginQueue waiters;
    private final LocateTable locates;
    private final InPlaceCommits inPlace;
    private Effects effects = new Effects();
    private long ticks;
    private boolean closed;

    ClientEngine(ClientSettings settings, NanoClock clock, Loop loop, CoordinatorLink link) {
        this.settings = settings;
        this.clock = clock;
        this.loop = loop;
        this.link = link;
        this.state = new EngineState(link, settings.endpoints().size() > 1);
        this.sessions = new SessionTable(state, clock, settings.clientName(), this::sessionEnded);
        Consumer<Consumer<Effects>> locked = action -> lockedRun(() -> action.accept(effects));
        this.requests = new RequestTable(state, loop, settings.inquiryPauseMillis(), locked);
        this.waiters = new BeginQueue(sessions);
        this.locates = new LocateTable(state);
        this.inPlace = new InPlaceCommits(locked, this::ask, clock, settings.outcomeTimeoutMillis());
    }

    /** Starts a client over gRPC. It connects in the background. */
    public static ClientEngine start(ClientSettings settings) {
        NettyLoop loop = new NettyLoop(settings.clientName());
        try {
            return start(settings, NanoClock.SYSTEM, loop, new GrpcCoordinatorLink(settings, loop));
        } catch (IllegalArgumentException e) {
            loop.close();
            throw e;
        }
    }

    static ClientEngine start(ClientSettings settings, NanoClock clock, Loop loop, CoordinatorLink link) {
        ClientEngine engine = new ClientEngine(settings, clock, loop, link);
        link.start(engine);
        loop.schedule(engine::tick, TICK_MILLIS);
        return engine;
    }

    /** What this client was built with. */
    public ClientSettings settings() {
        return settings;
    }

    /** True on the thread that must not wait for an answer, since it brings them. */
    public boolean isLoopThread() {
        return loop.isCurrentThread();
    }

    /** Runs the task on the loop's thread after a delay. */
    public void schedule(Runnable task, long delayMillis) {
        loop.schedule(task, delayMillis);
    }

    /**
     * Begins a transaction: at once when a session is there, else as soon as one is. Fails with {@link TrothException}
     * when the coordinator accepts none, cannot be reached in time, or a limit is reached.
     */
    public CompletableFuture<OpenTransaction> begin(long timeoutMillis) {
        CompletableFuture<OpenTransaction> future = new CompletableFuture<>();
        lockedRun(() -> {
            Reason refusal = refusal();
            if (refusal != null) {
                effects.fail(future, new TrothException(refusal));
                return;
            }
            ClientSession session = sessions.usable();
            if (session != null && waiters.isEmpty()) {
                effects.complete(future, sessions.begin(session, timeoutMillis));
                return;
            }
            waiters.add(future, timeoutMillis, in(settings.connectTimeoutMillis()));
        });
        return future;
    }

    /**
     * Commits when every call under the transaction has returned. The answer's outcome is COMMITTED, READ_ONLY, ROLLED_BACK,
     * UNKNOWN or FORGOTTEN; fails only when the application has ended it before. {@code mayWait}: the caller's thread may work.
     */
    public CompletableFuture<Answer> commit(
            OpenTransaction transaction, boolean onePhaseAllowed, boolean decidedSuffices, boolean mayWait) {
        CompletableFuture<Answer> future = new CompletableFuture<>();
        boolean closing = locked(() -> {
            Reason endReason = transaction.endReason();
            if (endReason != null) {
                effects.complete(future, Answer.rolledBack(transaction.id(), endReason));
                return false;
            }
            if (transaction.state() != OpenTransaction.State.ACTIVE) {
                effects.fail(future, transaction.asked());
                return false;
            }
            transaction.closing(future);
            return true;
        });
        if (closing) {
            Thread caller = mayWait ? Thread.currentThread() : null;
            Runnable then = () -> requestCommit(
                    transaction,
                    new InPlaceCommits.Wish(onePhaseAllowed, decidedSuffices, Thread.currentThread() == caller),
                    future);
            transaction.scope().closeWhenIdle(then);
        } else {
            var unused = closeEnded(transaction);
        }
        return future;
    }

    /**
     * Rolls back when the commit still waits for calls, and no message has left.
     *
     * @return why it is rolled back, also when it has ended by itself; null when only the coordinator can tell
     */
    public @Nullable Reason withdraw(OpenTransaction transaction, Reason reason) {
        lockedRun(() -> {
            CompletableFuture<Answer> waiting = transaction.closing();
            if (transaction.state() == OpenTransaction.State.CLOSING && waiting != null) {
                sendRollback(transaction, reason, waiting);
            }
        });
        return closeEnded(transaction);
    }

    /** Closes the scope of a transaction that has ended by itself; returns why it has, null when it has not. */
    public @Nullable Reason closeEnded(OpenTransaction transaction) {
        Reason ended = locked(transaction::endReason);
        if (ended != null) {
            transaction.scope().setRollbackOnly(ended);
            transaction.scope().close();
        }
        return ended;
    }

    /**
     * Rolls back. The result is certain as soon as this was called before commit; the future waits a moment for the
     * coordinator to hear of it. Does nothing to a transaction that has ended.
     */
    public CompletableFuture<Answer> rollback(OpenTransaction transaction, Reason reason) {
        boolean mine = locked(() -> transaction.state() == OpenTransaction.State.ACTIVE);
        if (mine) {
            transaction.scope().setRollbackOnly(reason);
            transaction.scope().close();
        } else {
            var unused = closeEnded(transaction);
        }
        CompletableFuture<Answer> future = new CompletableFuture<>();
        lockedRun(() -> {
            Reason ended = transaction.endReason();
            if (transaction.state() == OpenTransaction.State.ACTIVE) {
                sendRollback(transaction, reason, future);
            } else if (ended == null) {
                effects.fail(future, transaction.asked());
            } else {
                effects.complete(future, Answer.rolledBack(transaction.id(), ended));
            }
        });
        return future;
    }

    /** True until commit or rollback is asked for, or the transaction ends by itself. */
    public boolean isActive(OpenTransaction transaction) {
        return locked(() -> transaction.state() == OpenTransaction.State.ACTIVE);
    }

    /** Asks what became of a transaction; with the content of its commit the answer can be certain (protocol 9.1). */
    public CompletableFuture<Answer> outcome(GlobalTxId tx, @Nullable CommitContent content) {
        CompletableFuture<Answer> future = new CompletableFuture<>();
        lockedRun(() -> {
            Reason refusal = closed ? closedReason() : requests.refusesInquiry();
            if (refusal != null) {
                effects.fail(future, new TrothException(refusal));
            } else if (sessions.isOpen(tx)) {
                // A question would make the leader end a transaction that it has not heard of yet.
                effects.complete(future, Answer.of(tx, Outcome.PENDING, null));
            } else {
                ask(Request.inquiry(tx, content), future);
            }
        });
        return future;
    }

    /** The commits that wait for an outcome; for a close that wants to hear them. */
    public CompletableFuture<?> pendingCommits() {
        return locked(() -> {
            List<CompletableFuture<Answer>> pending = requests.commits();
            pending.addAll(inPlace.pending());
            return CompletableFuture.allOf(pending.toArray(CompletableFuture<?>[]::new));
        });
    }

    /** Asks where the SQL gateways of a resource are: host:port, one an instance; empty when none comes in time. */
    public CompletableFuture<List<String>> locate(String resource) {
        CompletableFuture<List<String>> future = new CompletableFuture<>();
        lockedRun(() -> {
            if (closed) {
                effects.fail(future, new TrothException(closedReason()));
            } else {
                locates.ask(resource, future, clock.nanos(), settings.connectTimeoutMillis());
            }
        });
        return future;
    }

    /** Rolls back what has not asked for commit; what has, and has no answer yet, becomes UNKNOWN. */
    @Override
    public void close() {
        boolean first = locked(() -> {
            if (closed) {
                return false;
            }
            closed = true;
            sessions.closeAll(closedReason());
            for (Request request : requests.all()) {
                effects.complete(request.future(), RequestTable.atClose(request, closedReason()));
                requests.remove(request);
            }
            waiters.failAll(closedReason(), effects);
            locates.failAll(closedReason(), effects);
            return true;
        });
        if (first) {
            link.close();
        }
    }

    @Override
    public boolean up(CoordinatorState coordinator) {
        return locked(() -> {
            EpochId known = state.epoch;
            if (!state.accept(coordinator)) {
                return false;
            }
            LOG.info("connected to the coordinator: cluster {}, epoch {}", state.cluster, state.epoch);
            sessions.streamUp(known != null && known.equals(state.epoch));
            requests.streamUp(effects);
            return true;
        });
    }

    @Override
    public void down() {
        lockedRun(() -> {
            if (!closed) {
                LOG.warn("lost the coordinator: {}", link.problem());
            }
            state.linkUp = false;
            state.notAccepting = null;
            sessions.streamDown();
            requests.streamDown(effects);
            locates.streamDown();
        });
    }

    @Override
    public void replies(List<ClientReply> replies) {
        lockedRun(() -> {
            for (ClientReply reply : replies) {
                try {
                    reply(reply);
                } catch (IllegalArgumentException e) {
                    LOG.warn("ignored a reply of the coordinator that makes no sense: {}", e.getMessage());
                }
            }
        });
    }

    private void reply(ClientReply reply) {
        long correlation = reply.getCorrelationId();
        switch (reply.getReplyCase()) {
            case SESSION_OPENED -> {
                if (sessions.opened(correlation, reply.getSessionOpened())) {
                    waiters.serve(effects);
                }
            }
            case TRANSACTION_ANSWER ->
                requests.answered(correlation, WireCodec.fromWire(reply.getTransactionAnswer()), effects);
            case REFUSED -> refused(correlation, WireCodec.fromWire(reply.getRefused()));
            case ACCEPTING -> {
                sessions.accepting(reply.getAccepting(), effects);
                Reason not = state.notAccepting;
                if (not != null) {
                    waiters.failAll(not, effects);
                } else {
                    waiters.serve(effects);
                }
            }
            case RESOURCE_LOCATED ->
                locates.located(correlation, reply.getResourceLocated().getSqlAddressesList(), effects);
            case COORDINATOR_STATE, REPLY_NOT_SET -> LOG.debug("nothing to do for {}", reply.getReplyCase());
        }
    }

    private void refused(long correlation, Reason reason) {
        if (sessions.refusedOpen(correlation)) {
            if (reason.code() == ErrorCode.NOT_LEADER || reason.code() == ErrorCode.NOT_READY) {
                state.tryElsewhere(reason.toString());
            } else {
                waiters.failAll(reason, effects);
            }
        } else if (!sessions.refusedResume(correlation, reason) && !requests.refused(correlation, reason, effects)) {
            locates.refused(correlation, reason, effects);
        }
    }

    private void requestCommit(
            OpenTransaction transaction, InPlaceCommits.Wish wish, CompletableFuture<Answer> future) {
        BranchList list = transaction.scope().list();
        inPlace.beforeCommit(transaction.scope(), wish, state.linkUp);
        Reason against = transaction.scope().rollbackReason();
        lockedRun(() -> {
            if (transaction.state() != OpenTransaction.State.CLOSING) {
                // Ended while calls were running; whoever did it has completed the future.
                return;
            }
            if (against != null) {
                sendRollback(transaction, against, future);
            } else if (transaction.scope().remainingMillis() == 0) {
                sendRollback(transaction, Reason.of(ErrorCode.DEADLINE_EXCEEDED), future);
            } else if (list.branches().isEmpty()) {
                transaction.setState(OpenTransaction.State.ENDED);
                transaction.session().end(transaction);
                effects.complete(future, Answer.of(transaction.id(), Outcome.READ_ONLY, null));
            } else if (!inPlace.commit(transaction, list, wish, future, effects)) {
                transaction.setState(OpenTransaction.State.ENDING);
                CommitContent content = new CommitContent(list.branches(), wish.onePhaseAllowed());
                ask(Request.commit(transaction, content, wish.decidedSuffices()), future);
            }
        });
    }

    private void ask(Request request, CompletableFuture<Answer> future) {
        ask(request, future, settings.outcomeTimeoutMillis());
    }

    private void ask(Request request, CompletableFuture<Answer> future, long waitMillis) {
        request.giveUpNanos = in(waitMillis);
        var unused = request.future().thenAccept(future::complete);
        if (closed) {
            effects.complete(request.future(), RequestTable.atClose(request, closedReason()));
        } else {
            requests.add(request, effects);
        }
    }

    private void sendRollback(OpenTransaction transaction, Reason reason, CompletableFuture<Answer> future) {
        transaction.endBecause(reason);
        boolean rolledBack = inPlace.rollBack(transaction, reason, effects);
        if (!transaction.scope().isUsed() || (rolledBack && transaction.scope().isClosed())) {
            transaction.session().end(transaction);
            effects.complete(future, Answer.rolledBack(transaction.id(), reason));
            return;
        }
        ask(Request.rollback(transaction, reason), future, ROLLBACK_WAIT_MILLIS);
        if (!state.linkUp) {
            effects.complete(future, Answer.rolledBack(transaction.id(), reason));
        }
    }

    private void sessionEnded(ClientSession session, Reason reason) {
        session.forEachOpen(transaction -> {
            switch (transaction.state()) {
                case ACTIVE, CLOSING -> {
                    CompletableFuture<Answer> waiting = transaction.closing();
                    transaction.endBecause(reason);
                    transaction.scope().setRollbackOnly(reason);
                    var unused = inPlace.rollBack(transaction, reason, effects);
                    session.end(transaction);
                    if (waiting != null) {
                        effects.complete(waiting, Answer.rolledBack(transaction.id(), reason));
                    }
                }
                case ENDING, ENDED -> {
                    // A request settles it.
                }
            }
        });
    }

    private void tick() {
        lockedRun(() -> {
            if (!closed) {
                // First: whatever becomes of this one, the limits of time need the next.
                loop.schedule(this::tick, TICK_MILLIS);
            }
            ticks++;
            long now = clock.nanos();
            waiters.giveUp(now, state.whyNotConnected(), effects);
            locates.tick(now, state.whyNotConnected(), effects);
            inPlace.tick(effects);
            requests.giveUp(now, TimeUnit.MILLISECONDS.toNanos(settings.unknownKeepMillis()), effects);
            if (ticks % TICKS_PER_SWEEP == 0 && !closed) {
                sessions.all().forEach(session -> session.forEachOpen(this::endIfOverdue));
                sessions.tend(effects);
            }
        });
    }

    private void endIfOverdue(OpenTransaction transaction) {
        if (transaction.isOpen() && transaction.scope().remainingMillis() == 0) {
            Reason reason = transaction.overdue();
            transaction.scope().setRollbackOnly(reason);
            CompletableFuture<Answer> waiting = transaction.closing();
            sendRollback(transaction, reason, waiting == null ? new CompletableFuture<>() : waiting);
        }
    }

    private @Nullable Reason refusal() {
        if (closed) {
            return closedReason();
        }
        int limit = Math.min(settings.openTransactionsMax(), sessions.maxOpen());
        if (sessions.openCount() + waiters.size() >= limit) {
            return new Reason(ErrorCode.OVERLOADED, limit + " transactions of this client are open");
        }
        return state.notAccepting;
    }

    private static Reason closedReason() {
        return new Reason(ErrorCode.NO_COORDINATOR, "this client is closed");
    }

    private long in(long millis) {
        return clock.nanos() + TimeUnit.MILLISECONDS.toNanos(millis);
    }

    private void lockedRun(Runnable action) {
        var unused = locked(() -> {
            action.run();
            return true;
        });
    }

    /** Runs the action under the lock, and then, without it, what the action wants to happen; also when it throws. */
    private <T extends @Nullable Object> T locked(Supplier<T> action) {
        @Nullable Effects after = null;
        try {
            synchronized (lock) {
                try {
                    T result = action.get();
                    sessions.leave();
                    return result;
                } finally {
                    after = effects;
                    effects = new Effects();
                }
            }
        } finally {
            if (after != null) {
                after.run();
            }
        }
    }
}
