package io.troth.client;

import io.grpc.Metadata;
import io.grpc.Server;
import io.grpc.Status;
import io.grpc.netty.shaded.io.grpc.netty.NettyServerBuilder;
import io.grpc.stub.StreamObserver;
import io.troth.proto.v1.Accepting;
import io.troth.proto.v1.ClientEntry;
import io.troth.proto.v1.ClientEntry.EntryCase;
import io.troth.proto.v1.ClientReply;
import io.troth.proto.v1.ClientServiceGrpc;
import io.troth.proto.v1.ClientStreamRequest;
import io.troth.proto.v1.ClientStreamResponse;
import io.troth.proto.v1.CommitContent;
import io.troth.proto.v1.CoordinatorState;
import io.troth.proto.v1.EpochId;
import io.troth.proto.v1.GlobalTxId;
import io.troth.proto.v1.Outcome;
import io.troth.proto.v1.Reason;
import io.troth.proto.v1.ResourceLocated;
import io.troth.proto.v1.SessionKey;
import io.troth.proto.v1.SessionOpened;
import io.troth.proto.v1.SessionRef;
import io.troth.proto.v1.TransactionAnswer;
import java.io.IOException;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.EnumMap;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.TimeUnit;
import java.util.function.Supplier;

/**
 * A coordinator's client side without agents and without a disk: it keeps the outcome table of protocol 9.1 in memory
 * and can be told to lose a message, an answer, a stream or itself at any entry. A branch of resource {@code refusing}
 * votes NO.
 */
final class SimulatedCoordinator implements AutoCloseable {

    /** What happens at an entry. */
    enum Reaction {
        SERVE,
        /** The entry is lost, the stream lives. */
        IGNORE,
        /** The stream breaks before the entry is read. */
        CUT_BEFORE,
        /** The entry is served and the stream breaks before the answer leaves. */
        CUT_AFTER,
        /** Served, then the process is gone before the answer leaves. */
        DIE_AFTER,
        /** The process is gone before the entry is read. */
        DIE_BEFORE,
        NOT_LEADER,
        REFUSE,
        /** Served, but the answer says that nobody knows. */
        SAY_UNKNOWN,
        SAY_FORGOTTEN,
        SAY_PENDING,
        /** Served after an answer about another transaction. */
        SAY_OF_ANOTHER
    }

    static final String REFUSING = "refusing";
    static final String MIXED = "mixed";

    private final long cluster;
    private HeldPort port = new HeldPort();
    private Server server;
    private long epoch;
    private long sessions;

    /** The log: survives a restart. */
    private final Set<GlobalTxId> committed = new HashSet<>();

    private final Map<GlobalTxId, TransactionAnswer> ended = new HashMap<>();
    private final Set<Long> openSessions = new HashSet<>();
    private final List<Stream> streams = new ArrayList<>();
    private final List<ClientEntry> received = new ArrayList<>();
    private final Map<EntryCase, ArrayDeque<Reaction>> plans = new EnumMap<>(EntryCase.class);
    private final List<String> sqlAddresses = new ArrayList<>();
    private int maxOpen = 10_000;
    private long maxAgeMillis = 3_600_000;
    private int batches;
    private int hellos;
    private boolean keepSessions = true;
    private String elsewhere;
    private int redirected;
    private volatile boolean still;

    SimulatedCoordinator(long cluster) {
        this.cluster = cluster;
    }

    static SimulatedCoordinator started() throws IOException {
        return new SimulatedCoordinator(0xC0FFEE).start();
    }

    /** Starts, or starts again on the same port, as the leader of the next epoch. */
    synchronized SimulatedCoordinator start() throws IOException {
        epoch++;
        openSessions.clear();
        ended.clear();
        server = NettyServerBuilder.forAddress(port.address())
                .executor(this::run)
                // As the real one: clients of a slow test would lose their stream for asking whether it stands.
                .permitKeepAliveTime(1, TimeUnit.SECONDS)
                .permitKeepAliveWithoutCalls(true)
                .addService(new Service())
                .build()
                .start();
        return this;
    }

    /** As {@link #start()}, on the port that another one has left. */
    synchronized SimulatedCoordinator startInPlaceOf(SimulatedCoordinator other) throws IOException {
        port.close();
        port = other.port;
        return start();
    }

    private void run(Runnable task) {
        if (!still) {
            task.run();
        }
    }

    /** From now on it does nothing, and its connections stand. */
    void standStill() {
        still = true;
    }

    /** Gone at once, as after a kill. */
    void kill() {
        Server killed;
        synchronized (this) {
            killed = server;
            streams.clear();
        }
        killed.shutdownNow();
        try {
            killed.awaitTermination(30, TimeUnit.SECONDS);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
    }

    @Override
    public void close() {
        kill();
        port.close();
    }

    synchronized String endpoint() {
        return "localhost:" + port.number();
    }

    synchronized void plan(EntryCase entry, Reaction... reactions) {
        plans.computeIfAbsent(entry, e -> new ArrayDeque<>()).addAll(List.of(reactions));
    }

    synchronized void sessionTerms(int itsMaxOpen, long itsMaxAgeMillis) {
        maxOpen = itsMaxOpen;
        maxAgeMillis = itsMaxAgeMillis;
    }

    /** Whether sessions outlive their stream. */
    synchronized void keepSessions(boolean keep) {
        keepSessions = keep;
    }

    synchronized void offerSql(String address) {
        sqlAddresses.add(address);
    }

    /** From now on it does not lead, and says that this one does; "" when it does not know who does. */
    synchronized void follow(String leader) {
        elsewhere = leader;
        for (Stream stream : List.copyOf(streams)) {
            stream.redirect();
        }
    }

    /** How many streams it has sent elsewhere. */
    synchronized int redirected() {
        return redirected;
    }

    synchronized void cutStreams() {
        for (Stream stream : List.copyOf(streams)) {
            stream.cut();
        }
    }

    synchronized void push(boolean accepting, String code) {
        for (Stream stream : streams) {
            stream.reply(ClientReply.newBuilder()
                    .setAccepting(Accepting.newBuilder()
                            .setAccepting(accepting)
                            .setReason(Reason.newBuilder().setCode(code))));
        }
    }

    /** Does something of which no answer can come before it is done. */
    synchronized <T> T whileSilent(Supplier<T> action) {
        return action.get();
    }

    synchronized List<ClientEntry> received(EntryCase entry) {
        return received.stream().filter(e -> e.getEntryCase() == entry).toList();
    }

    synchronized int streamCount() {
        return streams.size();
    }

    synchronized int helloCount() {
        return hellos;
    }

    synchronized int committedCount() {
        return committed.size();
    }

    synchronized int batches() {
        return batches;
    }

    private synchronized Reaction reaction(EntryCase entry) {
        ArrayDeque<Reaction> plan = plans.get(entry);
        return plan == null || plan.isEmpty() ? Reaction.SERVE : plan.remove();
    }

    private final class Service extends ClientServiceGrpc.ClientServiceImplBase {
        @Override
        public StreamObserver<ClientStreamRequest> clientStream(StreamObserver<ClientStreamResponse> replies) {
            Stream stream = new Stream(replies);
            synchronized (SimulatedCoordinator.this) {
                streams.add(stream);
                if (elsewhere != null) {
                    stream.redirect();
                    return stream;
                }
                hellos++;
                stream.reply(ClientReply.newBuilder()
                        .setCoordinatorState(CoordinatorState.newBuilder()
                                .setClusterId(cluster)
                                .setEpoch(epochId())));
            }
            return stream;
        }
    }

    private EpochId epochId() {
        return EpochId.newBuilder().setNumber(epoch).setNonce(epoch * 31).build();
    }

    private final class Stream implements StreamObserver<ClientStreamRequest> {

        private final StreamObserver<ClientStreamResponse> replies;
        private boolean over;

        Stream(StreamObserver<ClientStreamResponse> replies) {
            this.replies = replies;
        }

        @Override
        public void onNext(ClientStreamRequest batch) {
            synchronized (SimulatedCoordinator.this) {
                batches++;
                for (ClientEntry entry : batch.getEntriesList()) {
                    if (!over) {
                        handle(entry);
                    }
                }
            }
        }

        private void handle(ClientEntry entry) {
            Reaction reaction = reaction(entry.getEntryCase());
            switch (reaction) {
                case IGNORE -> received.add(entry);
                case CUT_BEFORE -> cut();
                case DIE_BEFORE -> die();
                case CUT_AFTER -> {
                    received.add(entry);
                    serve(entry);
                    cut();
                }
                case DIE_AFTER -> {
                    received.add(entry);
                    serve(entry);
                    die();
                }
                case NOT_LEADER, REFUSE -> {
                    received.add(entry);
                    String code = reaction == Reaction.REFUSE ? "LIMIT_EXCEEDED" : "NOT_LEADER";
                    reply(ClientReply.newBuilder()
                            .setCorrelationId(entry.getCorrelationId())
                            .setRefused(Reason.newBuilder().setCode(code)));
                }
                case SAY_UNKNOWN -> say(entry, Outcome.OUTCOME_UNKNOWN);
                case SAY_FORGOTTEN -> say(entry, Outcome.OUTCOME_FORGOTTEN);
                case SAY_PENDING -> say(entry, Outcome.OUTCOME_PENDING);
                case SERVE, SAY_OF_ANOTHER -> {
                    received.add(entry);
                    if (reaction == Reaction.SAY_OF_ANOTHER) {
                        GlobalTxId other = transactionOf(entry).toBuilder()
                                .setSequence(1_000_000)
                                .build();
                        reply(answer(TransactionAnswer.newBuilder()
                                        .setTx(other)
                                        .setOutcome(Outcome.OUTCOME_ROLLED_BACK)
                                        .build())
                                .setCorrelationId(entry.getCorrelationId()));
                    }
                    ClientReply.Builder reply = serve(entry);
                    if (reply != null) {
                        reply(reply.setCorrelationId(entry.getCorrelationId()));
                    }
                }
            }
        }

        private void say(ClientEntry entry, Outcome outcome) {
            received.add(entry);
            reply(answer(TransactionAnswer.newBuilder()
                            .setTx(transactionOf(entry))
                            .setOutcome(outcome)
                            .build())
                    .setCorrelationId(entry.getCorrelationId()));
        }

        private GlobalTxId transactionOf(ClientEntry entry) {
            return entry.hasCommit()
                    ? entry.getCommit().getTx()
                    : entry.getOutcomeInquiry().getTx();
        }

        private ClientReply.Builder serve(ClientEntry entry) {
            return switch (entry.getEntryCase()) {
                case OPEN_SESSION -> {
                    sessions++;
                    openSessions.add(sessions);
                    yield opened(SessionRef.newBuilder()
                            .setEpoch(epochId())
                            .setSession(sessions)
                            .setKey(SessionKey.newBuilder().setHigh(7).setLow(sessions))
                            .build());
                }
                case RESUME_SESSION ->
                    openSessions.contains(entry.getResumeSession().getSession().getSession())
                            ? opened(entry.getResumeSession().getSession())
                            : ClientReply.newBuilder()
                                    .setRefused(Reason.newBuilder().setCode("UNKNOWN_SESSION"));
                case CLOSE_SESSION -> {
                    openSessions.remove(entry.getCloseSession().getSession().getSession());
                    yield null;
                }
                case COMMIT ->
                    answer(commit(entry.getCommit().getTx(), entry.getCommit().getContent()));
                case ROLLBACK -> answer(end(entry.getRollback().getTx(), Outcome.OUTCOME_ROLLED_BACK, ""));
                case OUTCOME_INQUIRY ->
                    answer(outcome(
                            entry.getOutcomeInquiry().getTx(),
                            entry.getOutcomeInquiry().getContent()));
                case LOCATE_RESOURCE ->
                    ClientReply.newBuilder()
                            .setResourceLocated(ResourceLocated.newBuilder()
                                    .setResource(entry.getLocateResource().getResource())
                                    .addAllSqlAddresses(sqlAddresses));
                case PROGRESS, ENTRY_NOT_SET -> null;
            };
        }

        private ClientReply.Builder opened(SessionRef session) {
            return ClientReply.newBuilder()
                    .setSessionOpened(SessionOpened.newBuilder()
                            .setSession(session)
                            .setMaxOpen(maxOpen)
                            .setMaxAgeMillis(maxAgeMillis));
        }

        private ClientReply.Builder answer(TransactionAnswer answer) {
            return ClientReply.newBuilder().setTransactionAnswer(answer);
        }

        private TransactionAnswer commit(GlobalTxId tx, CommitContent content) {
            if (tx.getEpoch() != epoch || ended.containsKey(tx)) {
                return outcome(tx, content);
            }
            if (!openSessions.contains(tx.getSession())) {
                return end(tx, Outcome.OUTCOME_ROLLED_BACK, "SESSION_ENDED");
            }
            for (var work : content.getBranchesList()) {
                if (work.getResource().equals(REFUSING)) {
                    return end(
                            tx,
                            end(tx, Outcome.OUTCOME_ROLLED_BACK, "SERIALIZATION_FAILURE").toBuilder()
                                    .setBranch(work.getBranch())
                                    .build());
                }
            }
            if (content.getBranchesCount() > 1 || !content.getOnePhaseAllowed()) {
                committed.add(tx);
            }
            return end(tx, Outcome.OUTCOME_COMMITTED, content.toString().contains(MIXED) ? "HEURISTIC_MIXED" : "");
        }

        private TransactionAnswer end(GlobalTxId tx, Outcome outcome, String code) {
            TransactionAnswer.Builder answer =
                    TransactionAnswer.newBuilder().setTx(tx).setOutcome(outcome);
            if (!code.isEmpty()) {
                answer.setReason(Reason.newBuilder().setCode(code));
            }
            return end(tx, answer.build());
        }

        private TransactionAnswer end(GlobalTxId tx, TransactionAnswer answer) {
            ended.put(tx, answer);
            return answer;
        }

        private TransactionAnswer outcome(GlobalTxId tx, CommitContent content) {
            TransactionAnswer known = ended.get(tx);
            if (known != null) {
                return known;
            }
            Outcome outcome = Outcome.OUTCOME_ROLLED_BACK;
            if (committed.contains(tx)) {
                outcome = Outcome.OUTCOME_COMMITTED;
            } else if (content.getBranchesCount() == 0
                    || (content.getBranchesCount() == 1 && content.getOnePhaseAllowed())) {
                outcome = Outcome.OUTCOME_UNKNOWN;
            }
            return TransactionAnswer.newBuilder().setTx(tx).setOutcome(outcome).build();
        }

        void reply(ClientReply.Builder reply) {
            if (!over) {
                replies.onNext(ClientStreamResponse.newBuilder()
                        .setEpoch(epochId())
                        .addReplies(reply)
                        .build());
            }
        }

        void redirect() {
            over = true;
            streams.remove(this);
            redirected++;
            Metadata trailers = new Metadata();
            trailers.put(Metadata.Key.of("troth-reason", Metadata.ASCII_STRING_MARSHALLER), "NOT_LEADER");
            if (!elsewhere.isEmpty()) {
                trailers.put(Metadata.Key.of("troth-leader", Metadata.ASCII_STRING_MARSHALLER), elsewhere);
            }
            replies.onError(Status.UNAVAILABLE.asRuntimeException(trailers));
        }

        void cut() {
            if (!over) {
                over = true;
                streams.remove(this);
                if (!keepSessions) {
                    openSessions.clear();
                }
                replies.onError(Status.UNAVAILABLE.withDescription("cut").asRuntimeException());
            }
        }

        private void die() {
            over = true;
            streams.remove(this);
            server.shutdownNow();
        }

        @Override
        public void onError(Throwable cause) {
            gone();
        }

        @Override
        public void onCompleted() {
            gone();
            replies.onCompleted();
        }

        private void gone() {
            synchronized (SimulatedCoordinator.this) {
                over = true;
                streams.remove(this);
            }
        }
    }
}
