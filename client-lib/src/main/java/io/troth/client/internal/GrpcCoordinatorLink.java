package io.troth.client.internal;

import io.grpc.ChannelCredentials;
import io.grpc.Context;
import io.grpc.ManagedChannel;
import io.grpc.stub.ClientCallStreamObserver;
import io.grpc.stub.ClientResponseObserver;
import io.troth.client.grpc.CoordinatorChannel;
import io.troth.client.grpc.Endpoint;
import io.troth.client.grpc.LeaderSearch;
import io.troth.client.grpc.SignsOfLife;
import io.troth.client.grpc.TlsFiles;
import io.troth.client.grpc.TrothStatus;
import io.troth.proto.v1.ClientEntry;
import io.troth.proto.v1.ClientReply;
import io.troth.proto.v1.ClientServiceGrpc;
import io.troth.proto.v1.ClientStreamRequest;
import io.troth.proto.v1.ClientStreamResponse;
import java.util.List;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.ThreadLocalRandom;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicInteger;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The stream over gRPC. Entries are collected and written by one drain at a time on the loop's thread: what is ready
 * when the loop gets to it leaves as one batch, without a linger timer.
 */
final class GrpcCoordinatorLink implements CoordinatorLink {

    private static final Logger LOG = LoggerFactory.getLogger(GrpcCoordinatorLink.class);

    private static final int BATCH_ENTRIES_MAX = 1_024;
    private static final int BATCH_BYTES_MAX = 1024 * 1024;

    /** Ten times what one client may ask for at once: 10,000 open transactions, and as many inquiries. */
    private static final int OUTGOING_ENTRIES_MAX = 200_000;

    private static final long CLOSE_POLL_MILLIS = 10;
    private static final int CLOSE_POLLS_MAX = 100;

    private final ClientSettings settings;
    private final NettyLoop loop;
    private final ChannelCredentials credentials;

    // Loop thread only.
    private @Nullable Listener listener;
    private final LeaderSearch search;
    private long pauseMillis;

    private volatile @Nullable Stream current;
    private volatile String problem = "no attempt has ended yet";
    private volatile boolean closed;

    /** @throws IllegalArgumentException when a TLS file cannot be used */
    GrpcCoordinatorLink(ClientSettings settings, NettyLoop loop) {
        this.settings = settings;
        this.loop = loop;
        this.credentials = TlsFiles.credentials(settings.tls());
        this.search = new LeaderSearch(
                settings.endpoints(),
                ThreadLocalRandom.current().nextInt(settings.endpoints().size()));
        this.pauseMillis = settings.reconnectMillisMin();
    }

    @Override
    public void start(Listener itsListener) {
        loop.execute(() -> {
            listener = itsListener;
            connect();
        });
    }

    @Override
    public void send(ClientEntry entry) {
        Stream stream = current;
        if (stream != null) {
            stream.send(entry);
        }
    }

    @Override
    public void tryElsewhere(String why) {
        Stream stream = current;
        if (stream != null) {
            loop.execute(() -> stream.fail(why));
        }
    }

    @Override
    public String problem() {
        return problem;
    }

    @Override
    public void close() {
        closed = true;
        loop.execute(() -> {
            Stream stream = current;
            if (stream == null) {
                loop.close();
            } else {
                stream.finish();
            }
        });
    }

    private void connect() {
        if (closed) {
            return;
        }
        Endpoint target = settings.endpoints().get(search.index());
        ManagedChannel channel;
        try {
            channel = CoordinatorChannel.open(target, credentials, loop.group());
        } catch (RuntimeException e) {
            // As of an application that was packed without gRPC's name resolvers. Whoever begins hears it.
            problem = target + ": " + e.getMessage();
            reconnect(null);
            return;
        }
        Stream stream = new Stream(target, channel);
        current = stream;
        // Under the root context: a client that is created within a call must outlive that call.
        Context.ROOT.run(() -> {
            var unused = ClientServiceGrpc.newStub(channel).clientStream(stream);
        });
        loop.schedule(stream::checkHello, settings.helloTimeoutMillis());
    }

    private void reconnect(@Nullable String leader) {
        if (closed) {
            return;
        }
        if (search.next(leader)) {
            loop.execute(this::connect);
            return;
        }
        long pause = pauseMillis / 2 + ThreadLocalRandom.current().nextLong(pauseMillis / 2 + 1);
        pauseMillis = Math.min(pauseMillis * 2, settings.reconnectMillisMax());
        loop.schedule(this::connect, pause);
    }

    /** One stream and its channel. Everything but {@link #send} runs on the loop's thread. */
    private final class Stream implements ClientResponseObserver<ClientStreamRequest, ClientStreamResponse> {

        private final Endpoint target;
        private final ManagedChannel channel;
        private final ConcurrentLinkedQueue<ClientEntry> outgoing = new ConcurrentLinkedQueue<>();
        private final AtomicInteger queued = new AtomicInteger();
        private final AtomicBoolean drainScheduled = new AtomicBoolean();
        private final SignsOfLife life;
        private @Nullable ClientCallStreamObserver<ClientStreamRequest> call;
        private boolean up;
        private boolean over;

        Stream(Endpoint target, ManagedChannel channel) {
            this.target = target;
            this.channel = channel;
            this.life = new SignsOfLife(channel, loop::schedule, SignsOfLife.LOOK, this::fail);
        }

        void send(ClientEntry entry) {
            outgoing.add(entry);
            if (queued.incrementAndGet() > OUTGOING_ENTRIES_MAX) {
                // What has been given up stands there, too: a new stream is told what is asked now, and nothing else.
                loop.execute(() -> fail("the coordinator does not read what it is sent"));
            } else if (drainScheduled.compareAndSet(false, true)) {
                loop.execute(this::drain);
            }
        }

        @Override
        public void beforeStart(ClientCallStreamObserver<ClientStreamRequest> requests) {
            call = requests;
            requests.setOnReadyHandler(this::drain);
        }

        private void drain() {
            drainScheduled.set(false);
            ClientCallStreamObserver<ClientStreamRequest> requests = call;
            while (!over && requests != null && requests.isReady() && !outgoing.isEmpty()) {
                ClientStreamRequest.Builder batch = ClientStreamRequest.newBuilder();
                int bytes = 0;
                ClientEntry entry = outgoing.poll();
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
        public void onNext(ClientStreamResponse batch) {
            Listener hears = listener;
            if (over || hears == null) {
                return;
            }
            life.heard();
            List<ClientReply> replies = batch.getRepliesList();
            if (!up) {
                if (replies.isEmpty() || !replies.get(0).hasCoordinatorState()) {
                    fail("the coordinator did not say first who it is");
                    return;
                }
                up = true;
                if (!hears.up(replies.get(0).getCoordinatorState())) {
                    up = false;
                    fail("the coordinator cannot serve this client");
                    return;
                }
                pauseMillis = settings.reconnectMillisMin();
                if (settings.endpoints().size() > 1) {
                    life.start();
                }
                replies = replies.subList(1, replies.size());
            }
            if (!replies.isEmpty()) {
                hears.replies(replies);
            }
        }

        @Override
        public void onError(Throwable cause) {
            end(TrothStatus.textOf(cause), TrothStatus.leaderOf(cause));
        }

        @Override
        public void onCompleted() {
            end("the coordinator ended the stream", null);
        }

        void checkHello() {
            if (!up) {
                fail("no answer within " + settings.helloTimeoutMillis() + " ms; the coordinator may be starting");
            }
        }

        void fail(String why) {
            if (over) {
                return;
            }
            ClientCallStreamObserver<ClientStreamRequest> requests = call;
            end(why, null);
            if (requests != null) {
                requests.cancel(why, null);
            }
        }

        void finish() {
            drain();
            ClientCallStreamObserver<ClientStreamRequest> requests = call;
            over = true;
            life.stop();
            current = null;
            if (requests != null) {
                requests.onCompleted();
            }
            channel.shutdown();
            awaitEnd(CLOSE_POLLS_MAX);
        }

        private void awaitEnd(int polls) {
            if (channel.isTerminated() || polls == 0) {
                channel.shutdownNow();
                loop.close();
            } else {
                loop.schedule(() -> awaitEnd(polls - 1), CLOSE_POLL_MILLIS);
            }
        }

        private void end(String why, @Nullable String leader) {
            if (over) {
                return;
            }
            over = true;
            life.stop();
            problem = target + ": " + why;
            LOG.debug("no stream to the coordinator {}", problem);
            current = null;
            channel.shutdownNow();
            boolean wasUp = up;
            up = false;
            reconnect(leader);
            Listener hears = listener;
            if (wasUp && hears != null) {
                hears.down();
            }
        }
    }
}
