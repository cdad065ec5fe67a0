package io.troth.agent.grpc;

import io.grpc.ChannelCredentials;
import io.grpc.ConnectivityState;
import io.grpc.Context;
import io.grpc.ManagedChannel;
import io.grpc.netty.shaded.io.netty.channel.EventLoop;
import io.grpc.netty.shaded.io.netty.channel.MultiThreadIoEventLoopGroup;
import io.grpc.stub.ClientCallStreamObserver;
import io.grpc.stub.ClientResponseObserver;
import io.troth.agent.engine.CoordinatorLink;
import io.troth.agent.engine.LinkListener;
import io.troth.client.grpc.CoordinatorChannel;
import io.troth.client.grpc.Endpoint;
import io.troth.client.grpc.LeaderSearch;
import io.troth.client.grpc.LinkLoops;
import io.troth.client.grpc.SignsOfLife;
import io.troth.client.grpc.TlsFiles;
import io.troth.client.grpc.TrothStatus;
import io.troth.core.ClusterId;
import io.troth.core.EpochId;
import io.troth.core.ErrorCode;
import io.troth.core.Reason;
import io.troth.core.coordinator.AgentMessage;
import io.troth.core.participant.CoordinatorMessage;
import io.troth.proto.v1.AgentEntry;
import io.troth.proto.v1.AgentOrder;
import io.troth.proto.v1.AgentServiceGrpc;
import io.troth.proto.v1.AgentStreamRequest;
import io.troth.proto.v1.AgentStreamResponse;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.ThreadLocalRandom;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicInteger;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The agent's stream over gRPC, on one netty thread of its own. Entries are collected and written by one drain at a
 * time on that thread: what is ready when the thread gets to it leaves as one batch, without a linger timer.
 */
public final class GrpcCoordinatorLink implements CoordinatorLink {

    private static final Logger LOG = LoggerFactory.getLogger(GrpcCoordinatorLink.class);

    private static final int BATCH_ENTRIES_MAX = 1_024;
    private static final int BATCH_BYTES_MAX = 1024 * 1024;
    private static final int OUTGOING_ENTRIES_MAX = 200_000;
    /** A peer that takes the connection and says nothing is no coordinator; gRPC itself would wait for ever. */
    private static final long CONNECT_MILLIS = 5_000;

    private static final int PROBLEMS_SAID_MAX = 100;
    /** Once is no proof: the hello of an attempt that was given up can arrive late. */
    private static final int REPLACED_IN_TURN = 2;

    private static final long CLOSE_POLL_MILLIS = 10;
    private static final int CLOSE_POLLS_MAX = 100;

    private final LinkSettings settings;
    private final long connectMillis;
    private final Duration look;
    private final ChannelCredentials credentials;
    private final MultiThreadIoEventLoopGroup group;
    private final EventLoop loop;

    // Loop thread only.
    private @Nullable LinkListener listener;
    private @Nullable ManagedChannel channel;
    private final LeaderSearch search;
    private long pauseMillisMax;
    private boolean closed;
    /** What the log has of the attempts since the last stream; several coordinators are tried in turn, again and again. */
    private final Set<String> said = new HashSet<>();
    /** How many welcomed streams in turn have ended because there was a newer one of this instance id. */
    private int replacedInTurn;

    private boolean copySaid;

    private volatile @Nullable Stream current;
    private volatile String problem = "no attempt has ended yet";

    /** @throws IllegalArgumentException when a TLS file cannot be used */
    public GrpcCoordinatorLink(LinkSettings settings) {
        this(settings, CONNECT_MILLIS, SignsOfLife.LOOK);
    }

    GrpcCoordinatorLink(LinkSettings settings, long connectMillis, Duration look) {
        this.settings = settings;
        this.look = look;
        this.connectMillis = connectMillis;
        this.credentials = TlsFiles.credentials(settings.tls());
        this.pauseMillisMax = firstPauseMillisMax();
        this.search = new LeaderSearch(settings.endpoints(), 0);
        this.group = LinkLoops.open("troth-agent-link");
        this.loop = group.next();
    }

    @Override
    public void start(LinkListener itsListener) {
        execute(() -> {
            listener = itsListener;
            connect();
        });
    }

    @Override
    public void send(CoordinatorMessage message) {
        Stream stream = current;
        if (stream != null) {
            stream.send(WireCodec.entry(message));
        }
    }

    @Override
    public void refuse(Reason reason) {
        Stream stream = current;
        if (stream != null) {
            execute(() -> stream.fail(reason));
        }
    }

    /** Why there is no stream, for people: what the last attempt ended with. */
    public String problem() {
        return problem;
    }

    @Override
    public void close() {
        execute(() -> {
            closed = true;
            Stream stream = current;
            if (stream == null) {
                shutDown(CLOSE_POLLS_MAX);
            } else {
                stream.finish();
            }
        });
    }

    /** Waits until a closed link has sent what it had and is gone. Not on the link's own thread. */
    public void awaitClosed(Duration atMost) throws InterruptedException {
        var unused = group.awaitTermination(atMost.toMillis(), TimeUnit.MILLISECONDS);
    }

    /** Ends the thread when the last channel needs it no more; one that does not end in time is cut. */
    private void shutDown(int pollsLeft) {
        ManagedChannel last = channel;
        if (last == null || last.isTerminated()) {
            var unused = group.shutdownGracefully(0, CLOSE_POLL_MILLIS, TimeUnit.MILLISECONDS);
        } else if (pollsLeft > 0) {
            schedule(() -> shutDown(pollsLeft - 1), CLOSE_POLL_MILLIS);
        } else {
            last.shutdownNow();
            schedule(() -> shutDown(1), CLOSE_POLL_MILLIS);
        }
    }

    private void execute(Runnable task) {
        LinkLoops.execute(loop, task);
    }

    private void schedule(Runnable task, long delayMillis) {
        LinkLoops.schedule(loop, task, delayMillis);
    }

    private void connect() {
        LinkListener hears = listener;
        if (closed || hears == null) {
            return;
        }
        Endpoint target = settings.endpoints().get(search.index());
        ManagedChannel opened;
        try {
            opened = CoordinatorChannel.open(target, credentials, group);
        } catch (RuntimeException e) {
            // As of an application that was packed without gRPC's name resolvers.
            problem = target + ": " + e.getMessage();
            reconnect(null);
            return;
        }
        channel = opened;
        Stream stream = new Stream(target, opened, hears);
        stream.send(WireCodec.hello(hears.hello(), hears.cluster()));
        current = stream;
        // Under the root context: an agent that is started within a call must outlive that call.
        Context.ROOT.run(() -> {
            var unused = AgentServiceGrpc.newStub(opened).agentStream(stream);
        });
        schedule(stream::checkConnected, connectMillis);
    }

    private long firstPauseMillisMax() {
        return Math.min(2 * settings.reconnectMillisMin(), settings.reconnectMillisMax());
    }

    private void reconnect(@Nullable String leader) {
        if (closed) {
            shutDown(CLOSE_POLLS_MAX);
            return;
        }
        if (search.next(leader)) {
            execute(this::connect);
            return;
        }
        String why = problem;
        if (said.size() < PROBLEMS_SAID_MAX && said.add(why)) {
            LOG.warn("no stream to the coordinator {}; tried again", why);
        }
        long min = settings.reconnectMillisMin();
        long pause = min + ThreadLocalRandom.current().nextLong(pauseMillisMax - min + 1);
        pauseMillisMax = Math.min(pauseMillisMax * 2, settings.reconnectMillisMax());
        schedule(this::connect, pause);
    }

    /** One stream and its channel. Everything but {@link #send} runs on the loop's thread. */
    private final class Stream implements ClientResponseObserver<AgentStreamRequest, AgentStreamResponse> {

        private final Endpoint target;
        private final ManagedChannel itsChannel;
        private final LinkListener hears;
        private final ConcurrentLinkedQueue<AgentEntry> outgoing = new ConcurrentLinkedQueue<>();
        private final AtomicInteger queued = new AtomicInteger();
        private final AtomicBoolean drainScheduled = new AtomicBoolean();
        private final SignsOfLife life;
        private @Nullable ClientCallStreamObserver<AgentStreamRequest> call;
        private boolean welcomed;
        private boolean over;

        Stream(Endpoint target, ManagedChannel itsChannel, LinkListener hears) {
            this.target = target;
            this.itsChannel = itsChannel;
            this.hears = hears;
            this.life = new SignsOfLife(itsChannel, GrpcCoordinatorLink.this::schedule, look, this::isSilent);
        }

        void send(AgentEntry entry) {
            outgoing.add(entry);
            if (queued.incrementAndGet() > OUTGOING_ENTRIES_MAX) {
                execute(() -> fail(new Reason(ErrorCode.OVERLOADED, "the coordinator does not read its stream")));
            } else if (drainScheduled.compareAndSet(false, true)) {
                execute(this::drain);
            }
        }

        @Override
        public void beforeStart(ClientCallStreamObserver<AgentStreamRequest> requests) {
            call = requests;
            requests.setOnReadyHandler(this::drain);
        }

        private void drain() {
            drainScheduled.set(false);
            ClientCallStreamObserver<AgentStreamRequest> requests = call;
            while (!over && requests != null && requests.isReady() && !outgoing.isEmpty()) {
                AgentStreamRequest.Builder batch = AgentStreamRequest.newBuilder();
                int bytes = 0;
                AgentEntry entry = outgoing.poll();
                while (entry != null) {
                    batch.addEntries(entry);
                    bytes += entry.getSerializedSize();
                    boolean full = bytes >= BATCH_BYTES_MAX || batch.getEntriesCount() >= BATCH_ENTRIES_MAX;
                    entry = full ? null : outgoing.poll();
                }
                queued.addAndGet(-batch.getEntriesCount());
                requests.onNext(batch.build());
            }
        }

        @Override
        public void onNext(AgentStreamResponse response) {
            if (over) {
                return;
            }
            LinkListener.Batch batch;
            try {
                batch = batch(response);
            } catch (IllegalArgumentException e) {
                fail(new Reason(ErrorCode.INVALID_ARGUMENT, "the coordinator sent nonsense: " + e.getMessage()));
                return;
            }
            life.heard();
            if (!welcomed && batch.cluster() != null) {
                welcomed = true;
                said.clear();
                if (settings.endpoints().size() > 1) {
                    life.start();
                }
            }
            hears.received(batch);
        }

        private LinkListener.Batch batch(AgentStreamResponse response) {
            EpochId epoch = response.hasEpoch() ? WireCodec.epoch(response.getEpoch()) : null;
            ClusterId cluster = null;
            List<AgentMessage> messages = new ArrayList<>(response.getOrdersCount());
            for (AgentOrder order : response.getOrdersList()) {
                if (order.hasWelcome()) {
                    cluster = new ClusterId(order.getWelcome().getClusterId());
                }
                AgentMessage message = WireCodec.message(order);
                if (message != null) {
                    messages.add(message);
                }
            }
            return new LinkListener.Batch(epoch, response.getDurableBatch(), cluster, messages);
        }

        @Override
        public void onError(Throwable cause) {
            Reason reason = TrothStatus.reasonOf(cause);
            noteEnd(reason != null && reason.code() == ErrorCode.STREAM_BROKEN);
            end(TrothStatus.textOf(cause), TrothStatus.leaderOf(cause));
        }

        @Override
        public void onCompleted() {
            noteEnd(false);
            end("the coordinator ended the stream", null);
        }

        void checkConnected() {
            if (itsChannel.getState(false) != ConnectivityState.READY) {
                fail(new Reason(ErrorCode.NO_COORDINATOR, "no HTTP/2 within " + connectMillis + " ms"));
            } else if (!welcomed && settings.endpoints().size() > 1) {
                fail(new Reason(ErrorCode.NO_COORDINATOR, "no welcome within " + connectMillis + " ms"));
            }
        }

        private void isSilent(String why) {
            fail(new Reason(ErrorCode.NO_COORDINATOR, why));
        }

        void fail(Reason why) {
            if (!over) {
                ClientCallStreamObserver<AgentStreamRequest> requests = call;
                noteEnd(false);
                // It will say the same again: the pauses grow as if nobody had answered.
                welcomed = false;
                end(why.toString(), null);
                if (requests != null) {
                    requests.cancel(why.toString(), null);
                }
            }
        }

        /** Sends what is queued, then ends. */
        void finish() {
            drain();
            ClientCallStreamObserver<AgentStreamRequest> requests = call;
            if (requests != null && !over) {
                requests.onCompleted();
            }
            end("the agent is closing", null);
        }

        /** A stream that is not over is the newest of this process: a newer one is another's. */
        private void noteEnd(boolean replaced) {
            if (over || !(replaced || welcomed)) {
                return;
            }
            replacedInTurn = replaced ? replacedInTurn + 1 : 0;
            if (replacedInTurn >= REPLACED_IN_TURN && !copySaid) {
                copySaid = true;
                LOG.error(
                        "another process has this one's instance id, and each pushes the other off: both go on from one snapshot"
                                + " of a process or machine. Start both anew (OPERATIONS.md, \"As a service\", Copies)");
            }
        }

        private void end(String why, @Nullable String leader) {
            if (over) {
                return;
            }
            over = true;
            life.stop();
            if (welcomed) {
                pauseMillisMax = firstPauseMillisMax();
            }
            problem = target + ": " + why;
            current = null;
            if (closed) {
                itsChannel.shutdown();
            } else {
                itsChannel.shutdownNow();
            }
            hears.broken(new Reason(closed ? ErrorCode.DRAINING : ErrorCode.STREAM_BROKEN, problem));
            reconnect(leader);
        }
    }
}
