package io.troth.coordinator.grpc;

import io.grpc.stub.StreamObserver;
import io.netty.util.concurrent.EventExecutor;
import io.troth.coordinator.engine.EngineInbox;
import io.troth.core.BranchList;
import io.troth.core.BranchWork;
import io.troth.core.ClusterId;
import io.troth.core.ErrorCode;
import io.troth.core.GlobalTxId;
import io.troth.core.Outcome;
import io.troth.core.Reason;
import io.troth.core.SessionKey;
import io.troth.core.TransactionContext;
import io.troth.core.TrothException;
import io.troth.core.coordinator.ClientMessage;
import io.troth.core.coordinator.CommitContent;
import io.troth.core.coordinator.Event;
import io.troth.core.coordinator.TransactionView;
import io.troth.proto.v1.BeginRequest;
import io.troth.proto.v1.BeginResponse;
import io.troth.proto.v1.CommitRequest;
import io.troth.proto.v1.CommitResponse;
import io.troth.proto.v1.GetOutcomeRequest;
import io.troth.proto.v1.GetOutcomeResponse;
import io.troth.proto.v1.RollbackRequest;
import io.troth.proto.v1.RollbackResponse;
import io.troth.proto.v1.TransactionServiceGrpc;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Queue;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.ScheduledFuture;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.function.LongSupplier;
import org.jspecify.annotations.Nullable;

/**
 * {@code TransactionService}, the unary facade. Each Begin opens a client session for its one transaction, held here;
 * the session is closed some time after the outcome was answered or the transaction's deadline, so that a repeated or late
 * commit still hears it, or when another transaction needs its place. Commit, Rollback and GetOutcome say to the core what
 * a client stream would say.
 *
 * <p>{@link #close} when the leadership is over: until then a timer for each session refers to it.
 */
final class TransactionFacade extends TransactionServiceGrpc.TransactionServiceImplBase implements AutoCloseable {

    /** The only sequence of a session. */
    private static final long SEQUENCE = 1;
    /** The call number of the context that Begin returns. */
    private static final long CALL = 1;
    /** How long a repeated commit hears the kept result. */
    private static final long LINGER_MILLIS = 10_000;

    private static final String NAME = "unary";

    private final GrpcSettings settings;
    private final EngineInbox inbox;
    private final ClusterId cluster;
    private final int shard;
    private final InProcessStream stream;
    private final EventLoops loops;
    private final Refusals refusals;
    private final LongSupplier nanoTime;
    private final Map<GlobalTxId, Begun> begun = new ConcurrentHashMap<>();
    /** Those whose session only waits for somebody to ask again, the oldest first. */
    private final Queue<GlobalTxId> lingering = new ConcurrentLinkedQueue<>();
    /** Sessions that are open or asked for. */
    private final AtomicInteger places = new AtomicInteger();

    private volatile boolean closed;

    /** A session that is open, and the one timer that closes it. */
    private static final class Begun {
        final SessionKey key;
        final long deadlineNanos;
        /** A commit without any branch was answered READ_ONLY, and is again. */
        volatile boolean readOnly;

        private @Nullable ScheduledFuture<?> timer;
        private boolean lingers;
        private boolean over;

        Begun(SessionKey key, long deadlineNanos) {
            this.key = key;
            this.deadlineNanos = deadlineNanos;
        }

        synchronized void closeAfter(long delayMillis, EventExecutor loop, Runnable close) {
            if (!over) {
                cancelTimer();
                timer = loop.schedule(close, delayMillis, TimeUnit.MILLISECONDS);
            }
        }

        /** Once, so that who asks again and again does not keep it open. */
        synchronized void linger(EventExecutor loop, Runnable begins, Runnable close) {
            if (!lingers && !over) {
                lingers = true;
                begins.run();
                closeAfter(LINGER_MILLIS, loop, close);
            }
        }

        /** Returns whether it has lingered. */
        synchronized boolean end() {
            over = true;
            cancelTimer();
            return lingers;
        }

        private void cancelTimer() {
            if (timer != null) {
                timer.cancel(false);
                timer = null;
            }
        }
    }

    TransactionFacade(
            GrpcSettings settings,
            PeerStream.Shared shared,
            InProcessStream stream,
            EventLoops loops,
            LongSupplier nanoTime) {
        this.settings = settings;
        this.inbox = shared.inbox();
        this.cluster = shared.gateway().cluster();
        this.shard = shared.gateway().shard();
        this.stream = stream;
        this.loops = loops;
        this.refusals = shared.refusals();
        this.nanoTime = nanoTime;
    }

    @Override
    public void begin(BeginRequest request, StreamObserver<BeginResponse> responses) {
        EventExecutor loop = loops.current();
        UnaryCall<BeginResponse> call = new UnaryCall<>(responses, loop, refusals);
        call.run(() -> {
            String name = WireReader.name("name", request.getName());
            long timeoutMillis = timeoutMillis(request.getTimeoutMillis());
            takePlace();
            CompletableFuture<ClientMessage> opened =
                    stream.ask(id -> new Event.OpenSession(id, inbox.newSessionKey(), name.isEmpty() ? NAME : name));
            var unused = opened.whenComplete((message, failure) -> {
                if (!(message instanceof ClientMessage.SessionOpened)) {
                    places.decrementAndGet();
                }
            });
            call.answer(opened, message -> begin(sessionOf(message), timeoutMillis, loop, call));
        });
    }

    /** Sessions that only linger give way, the oldest first: what they would say, the log and the agents can tell. */
    private void takePlace() {
        while (places.incrementAndGet() > settings.limits().facadeTransactionsMax()) {
            places.decrementAndGet();
            GlobalTxId ended = lingering.poll();
            if (ended == null) {
                throw new TrothException(new Reason(ErrorCode.OVERLOADED, "too many transactions of unary callers"));
            }
            close(ended);
        }
    }

    private long timeoutMillis(long asked) {
        if (asked < 0) {
            throw new IllegalArgumentException("timeout_millis is larger than " + Long.MAX_VALUE);
        }
        return asked == 0
                ? settings.transactionTimeoutMillis()
                : Math.min(asked, settings.transactionTimeoutMaxMillis());
    }

    private BeginResponse begin(
            ClientMessage.SessionOpened session, long timeoutMillis, EventExecutor loop, UnaryCall<?> call) {
        GlobalTxId tx = new GlobalTxId(shard, session.epoch(), session.session(), SEQUENCE);
        SessionKey key = session.key();
        long deadline = nanoTime.getAsLong() + TimeUnit.MILLISECONDS.toNanos(timeoutMillis);
        Begun its = new Begun(key, deadline);
        begun.put(tx, its);
        Reason notAccepting = closed ? Reason.of(ErrorCode.NOT_LEADER) : stream.notAccepting();
        if (notAccepting != null || call.isCancelled()) {
            close(tx);
            throw new TrothException(notAccepting != null ? notAccepting : Reason.of(ErrorCode.ROLLED_BACK_BY_CLIENT));
        }
        its.closeAfter(timeoutMillis, loop, () -> timeIsOver(tx, its, loop));
        return BeginResponse.newBuilder()
                .setTx(tx.toString())
                .setKey(key.reveal())
                .setContext(new TransactionContext(cluster, tx, key, CALL, timeoutMillis).encode())
                .setTimeoutMillis(timeoutMillis)
                .build();
    }

    /** Without a commit request it is rolled back, and who comes a little late hears why. */
    private void timeIsOver(GlobalTxId tx, Begun its, EventExecutor loop) {
        its.linger(loop, () -> lingering.add(tx), () -> close(tx));
        var unused = rollBack(tx, its.key, Reason.of(ErrorCode.DEADLINE_EXCEEDED))
                .whenComplete((answer, failure) -> {
                    if (failure != null) {
                        close(tx);
                    }
                });
    }

    /** Ends the session: a transaction without a commit request is rolled back. */
    private void close(GlobalTxId tx) {
        Begun its = begun.remove(tx);
        if (its != null) {
            if (its.end()) {
                lingering.remove(tx);
            }
            places.decrementAndGet();
            inbox.submit(List.of(new Event.CloseSession(stream.id(), tx.epoch(), tx.session(), its.key)), () -> {});
        }
    }

    /** The leadership is over, and with it every session: nothing is to be closed any more. Any thread. */
    @Override
    public void close() {
        closed = true;
        begun.values().forEach(Begun::end);
        begun.clear();
        lingering.clear();
    }

    private static ClientMessage.SessionOpened sessionOf(ClientMessage message) {
        if (message instanceof ClientMessage.SessionOpened opened) {
            return opened;
        }
        throw refusalOf(message);
    }

    private static TrothException refusalOf(ClientMessage message) {
        return new TrothException(
                message instanceof ClientMessage.Refused refused
                        ? refused.reason()
                        : new Reason(ErrorCode.INTERNAL, "answered with " + message));
    }

    private static ClientMessage.Answer answerOf(ClientMessage message) {
        if (message instanceof ClientMessage.Answer answer) {
            return answer;
        }
        throw refusalOf(message);
    }

    @Override
    public void commit(CommitRequest request, StreamObserver<CommitResponse> responses) {
        EventExecutor loop = loops.current();
        UnaryCall<CommitResponse> call = new UnaryCall<>(responses, loop, refusals);
        call.run(() -> {
            GlobalTxId tx = GlobalTxId.parse(request.getTx());
            SessionKey key = SessionKey.parse(request.getKey());
            BranchList list = branches(request.getBranchesList());
            CompletableFuture<CommitResponse> result;
            if (list.rollbackOnly()) {
                Reason reason = new Reason(ErrorCode.ROLLBACK_ONLY, "a reply under " + tx + " said so");
                result = rollBack(tx, key, reason).thenApply(TransactionFacade::response);
            } else if (list.branches().isEmpty()) {
                result = commitNothing(tx, key);
            } else {
                result = commit(tx, key, content(list, request.getOnePhaseNever()), request)
                        .thenApply(TransactionFacade::response);
            }
            call.answer(result, response -> {
                lingerAfter(loop, tx, response.getOutcome());
                return response;
            });
        });
    }

    private CompletableFuture<ClientMessage.Answer> commit(
            GlobalTxId tx, SessionKey key, CommitContent content, CommitRequest request) {
        boolean waitCompleted = WireReader.waitsCompleted(request.getWaitFor());
        long remaining = remainingMillis(tx);
        return stream.ask(id -> new Event.CommitRequested(id, tx, key, SEQUENCE, content, waitCompleted, remaining))
                .thenApply(TransactionFacade::answerOf);
    }

    /**
     * Nothing is listed. When nothing has enlisted either, T is read-only, and is ended so that nothing can enlist
     * later. Else a call was made whose list the caller does not pass: then T must not commit.
     */
    private CompletableFuture<CommitResponse> commitNothing(GlobalTxId tx, SessionKey key) {
        Begun its = begun.get(tx);
        if (its != null && its.readOnly && its.key.equals(key)) {
            return CompletableFuture.completedFuture(readOnly());
        }
        return inbox.look(machine -> {
                    TransactionView view = machine.find(tx);
                    return view == null || (view.branches().isEmpty() && view.outcome() == null);
                })
                .thenCompose(untouched -> {
                    Reason reason =
                            new Reason(ErrorCode.BRANCH_NOT_LISTED, tx + " is to commit, and no branch is listed");
                    return rollBack(tx, key, reason)
                            .thenApply(answer -> untouched && answer.outcome() == Outcome.ROLLED_BACK
                                    ? keepReadOnly(tx)
                                    : response(answer));
                });
    }

    private CommitResponse keepReadOnly(GlobalTxId tx) {
        Begun its = begun.get(tx);
        if (its != null) {
            its.readOnly = true;
        }
        return readOnly();
    }

    private static CommitResponse readOnly() {
        return CommitResponse.newBuilder()
                .setOutcome(WireWriter.outcome(Outcome.READ_ONLY))
                .build();
    }

    private CompletableFuture<ClientMessage.Answer> rollBack(GlobalTxId tx, SessionKey key, Reason reason) {
        return stream.ask(id -> new Event.RollbackRequested(id, tx, key, SEQUENCE, List.of(), reason))
                .thenApply(TransactionFacade::answerOf);
    }

    private static CommitResponse response(ClientMessage.Answer answer) {
        CommitResponse.Builder response = CommitResponse.newBuilder()
                .setOutcome(WireWriter.outcome(answer.outcome()))
                .setCompleting(answer.completing());
        if (answer.reason() != null) {
            response.setReason(WireWriter.reason(answer.reason()));
        }
        return response.build();
    }

    @Override
    public void rollback(RollbackRequest request, StreamObserver<RollbackResponse> responses) {
        EventExecutor loop = loops.current();
        UnaryCall<RollbackResponse> call = new UnaryCall<>(responses, loop, refusals);
        call.run(() -> {
            GlobalTxId tx = GlobalTxId.parse(request.getTx());
            SessionKey key = SessionKey.parse(request.getKey());
            call.answer(rollBack(tx, key, Reason.of(ErrorCode.ROLLED_BACK_BY_CLIENT)), answer -> {
                RollbackResponse.Builder response =
                        RollbackResponse.newBuilder().setOutcome(WireWriter.outcome(answer.outcome()));
                if (answer.reason() != null) {
                    response.setReason(WireWriter.reason(answer.reason()));
                }
                lingerAfter(loop, tx, response.getOutcome());
                return response.build();
            });
        });
    }

    @Override
    public void getOutcome(GetOutcomeRequest request, StreamObserver<GetOutcomeResponse> responses) {
        UnaryCall<GetOutcomeResponse> call = new UnaryCall<>(responses, loops.current(), refusals);
        call.run(() -> {
            GlobalTxId tx = GlobalTxId.parse(request.getTx());
            BranchList list = branches(request.getBranchesList());
            CommitContent content = list.branches().isEmpty() ? null : content(list, request.getOnePhaseNever());
            call.answer(content == null && begun.containsKey(tx) ? outcomeOfOwn(tx) : outcome(tx, content), answer -> {
                GetOutcomeResponse.Builder response =
                        GetOutcomeResponse.newBuilder().setOutcome(WireWriter.outcome(answer.outcome()));
                if (answer.reason() != null) {
                    response.setReason(WireWriter.reason(answer.reason()));
                }
                return response.build();
            });
        });
    }

    /** A question would make the leader end a transaction that it has not heard of yet; here it is known to be open. */
    private CompletableFuture<ClientMessage.Answer> outcomeOfOwn(GlobalTxId tx) {
        return inbox.look(machine -> machine.find(tx) != null)
                .thenCompose(heardOf -> heardOf
                        ? outcome(tx, null)
                        : CompletableFuture.completedFuture(
                                new ClientMessage.Answer(0, tx, Outcome.PENDING, false, null, null)));
    }

    private CompletableFuture<ClientMessage.Answer> outcome(GlobalTxId tx, @Nullable CommitContent content) {
        return stream.ask(id -> new Event.OutcomeInquiry(id, tx, content)).thenApply(TransactionFacade::answerOf);
    }

    private static BranchList branches(List<String> lists) {
        boolean rollbackOnly = false;
        List<BranchWork> lines = new ArrayList<>();
        for (String text : lists) {
            BranchList list = BranchList.parse(text);
            rollbackOnly |= list.rollbackOnly();
            lines.addAll(list.branches());
        }
        // Added up once: the callers of a coordinator share a thread with its engine.
        BranchList sum = new BranchList(rollbackOnly, lines);
        WireReader.checkCount(sum.branches().size());
        return sum;
    }

    private static CommitContent content(BranchList list, boolean onePhaseNever) {
        return new CommitContent(list.branches(), !onePhaseNever);
    }

    private long remainingMillis(GlobalTxId tx) {
        Begun its = begun.get(tx);
        return its == null
                ? settings.transactionTimeoutMillis()
                : Math.max(0, TimeUnit.NANOSECONDS.toMillis(its.deadlineNanos - nanoTime.getAsLong()));
    }

    /** It has ended: its session lives a little longer, for those who ask again. */
    private void lingerAfter(EventExecutor loop, GlobalTxId tx, io.troth.proto.v1.Outcome outcome) {
        switch (outcome) {
            case OUTCOME_COMMITTED, OUTCOME_ROLLED_BACK, OUTCOME_READ_ONLY -> {
                Begun its = begun.get(tx);
                if (its != null) {
                    its.linger(loop, () -> lingering.add(tx), () -> close(tx));
                }
            }
            case OUTCOME_PENDING,
                    OUTCOME_UNKNOWN,
                    OUTCOME_FORGOTTEN,
                    OUTCOME_NOT_LEADER,
                    OUTCOME_UNSPECIFIED,
                    UNRECOGNIZED -> {}
        }
    }
}
