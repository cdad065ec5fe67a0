package io.troth.coordinator.grpc;

import com.google.protobuf.MessageLite;
import io.grpc.stub.ServerCallStreamObserver;
import io.grpc.stub.StreamObserver;
import io.netty.util.concurrent.EventExecutor;
import io.troth.coordinator.engine.EngineInbox;
import io.troth.core.ErrorCode;
import io.troth.core.Reason;
import io.troth.core.TrothException;
import io.troth.core.coordinator.Event;
import io.troth.core.coordinator.StreamId;
import java.util.ArrayList;
import java.util.Iterator;
import java.util.List;
import java.util.Queue;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.RejectedExecutionException;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * One stream of a client or an agent, in both directions.
 *
 * <p>Everything happens on the stream's own event loop, which is also the thread that gRPC calls in on, so that there is
 * no lock and no message is written by two threads at once; {@link #add}, {@link #close} and {@link #flush} are the
 * engine's. In: a batch is decoded and handed to the engine with one submit. Out: the engine collects, and a flush hands
 * the collection over with one task for the loop, which turns it into wire messages and writes frames while the peer
 * reads. A peer that does not read is cut off when too much waits for it: never does a single message get lost on a
 * stream that goes on.
 *
 * <p>Nothing here starts a call, so no call's context can reach what is sent to participants.
 */
abstract class PeerStream<M, R extends MessageLite, F> implements Outlet<M>, StreamObserver<RawBatch.Unread> {

    private static final Logger LOG = LoggerFactory.getLogger(PeerStream.class);

    /** What a frame has at most, so that it stays below the peer's limit with one more entry. */
    private static final int FRAME_BYTES_MAX = 1024 * 1024;

    private static final int FRAME_ENTRIES_MAX = 1_024;
    /** What an entry costs in the window besides its bytes. */
    private static final int BATCH_OVERHEAD_BYTES = 64;

    /** What the streams of one service share. */
    record Shared(
            EngineInbox inbox, GrpcStreamGateway gateway, WireLimits limits, Refusals refusals, WireReader reader) {}

    final StreamId id;
    final EventExecutor loop;
    final Shared shared;
    private final ServerCallStreamObserver<F> peer;
    private final InboundWindow window;
    private final Queue<List<Supplier<R>>> handed = new ConcurrentLinkedQueue<>();
    /** What waits in {@link #handed}, each hand-over with its {@link #weight}. */
    private final AtomicInteger unsent = new AtomicInteger();
    /** Too much waited, so something was dropped. Nothing is taken any more, even if there is room before the cut. */
    private volatile boolean overrun;

    // Engine thread.
    private List<Supplier<R>> pending = new ArrayList<>();
    private @Nullable Reason closeNext;

    // Written by the engine thread, read by the loop.
    private volatile @Nullable Redirect closing;

    // Loop thread.
    private Iterator<Supplier<R>> writing = List.<Supplier<R>>of().iterator();
    private volatile boolean over;

    PeerStream(StreamId id, EventExecutor loop, Shared shared, ServerCallStreamObserver<F> peer) {
        this.id = id;
        this.loop = loop;
        this.shared = shared;
        this.peer = peer;
        this.window = new InboundWindow(shared.limits().unsteppedBytesMax(), this::requestOne);
        peer.disableAutoRequest();
        peer.setOnReadyHandler(this::drain);
        peer.setOnCancelHandler(this::ended);
    }

    /**
     * Turns the entries into events, in order.
     *
     * @return true when the engine was asked for something that is no event: the batch counts until that was done too
     * @throws TrothException when the stream must be cut; then nothing of the batch is handed over
     */
    abstract boolean decode(RawBatch batch, List<Event> events);

    /** The engine hears this last; null when it never heard of the stream. */
    abstract @Nullable Event disconnected();

    /** Loop thread: the message as the wire says it. */
    abstract R entry(M message);

    abstract F frame(Head head, List<R> entries);

    /** The stream is over: whoever counts it counts it no more. Once, on the loop. */
    abstract void removed();

    /** Who it is, for log lines. */
    abstract String describe();

    final boolean isOver() {
        return over;
    }

    final void requestOne() {
        peer.request(1);
    }

    @Override
    public final void onNext(RawBatch.Unread unread) {
        if (over) {
            return;
        }
        List<Event> events;
        boolean asked;
        int cost;
        try {
            RawBatch batch = unread.cut();
            cost = batch.bytes() + BATCH_OVERHEAD_BYTES;
            events = new ArrayList<>(batch.size());
            asked = decode(batch, events);
        } catch (TrothException e) {
            refuse(e.reason());
            return;
        }
        window.arrived(cost);
        if (events.isEmpty() && !asked) {
            window.stepped(cost);
        } else {
            shared.inbox().submit(events, () -> window.stepped(cost));
        }
    }

    @Override
    public final void onError(Throwable cause) {
        ended();
    }

    /** The peer says goodbye; it hears nothing more. */
    @Override
    public final void onCompleted() {
        if (!over) {
            ended();
            peer.onCompleted();
        }
    }

    @Override
    public final boolean add(M message) {
        boolean first = isClean();
        pending.add(() -> entry(message));
        return first;
    }

    @Override
    public final boolean close(Reason reason) {
        boolean first = isClean();
        closeNext = reason;
        return first;
    }

    private boolean isClean() {
        return pending.isEmpty() && closeNext == null;
    }

    @Override
    public final void flush() {
        List<Supplier<R>> batch = pending;
        pending = new ArrayList<>();
        Reason close = closeNext;
        closeNext = null;
        if (over) {
            return;
        }
        hand(batch);
        if (close != null) {
            closing = Redirect.nowhere(close);
        }
        execute(this::drain);
    }

    @Override
    public final void finish(Redirect redirect) {
        closing = redirect;
        execute(this::drain);
    }

    /** An entry that is not the engine's. Any thread. */
    final void addDirectly(R entry) {
        if (!over) {
            hand(List.of(() -> entry));
            execute(this::drain);
        }
    }

    private void hand(List<Supplier<R>> batch) {
        if (batch.isEmpty() || overrun) {
            return;
        }
        // What waited before counts, not how much is said now: an agent may have very many commits to hear of at once.
        if (unsent.getAndAdd(weight(batch)) >= shared.limits().unsentEntriesMax()) {
            overrun = true;
            Reason reason = new Reason(ErrorCode.OVERLOADED, "the peer does not read what it is sent");
            execute(() -> refuse(reason));
        } else {
            handed.add(batch);
        }
    }

    /** So that one large hand-over that waits does not cut the stream when a little more is said. */
    private int weight(List<Supplier<R>> batch) {
        return Math.min(batch.size(), (shared.limits().unsentEntriesMax() + 1) / 2);
    }

    /** Refuses on the edge's own account and cuts the stream. Loop thread. */
    final void refuse(Reason reason) {
        if (!over) {
            shared.refusals().refused(reason, describe());
            end(Redirect.nowhere(reason));
        }
    }

    /** Loop thread. */
    final void write(F frame) {
        if (!over) {
            peer.onNext(frame);
        }
    }

    final void execute(Runnable task) {
        try {
            loop.execute(task);
        } catch (RejectedExecutionException e) {
            // The server is closed, and with it every stream.
        }
    }

    private void drain() {
        // Read first: what was handed over before the close is then seen too, and leaves before it.
        Redirect closes = closing;
        while (!over && (closes != null || peer.isReady())) {
            List<R> entries;
            try {
                entries = nextEntries();
            } catch (RuntimeException e) {
                LOG.error("{} cannot be told something; please report this", describe(), e);
                refuse(new Reason(ErrorCode.INTERNAL, "the coordinator could not say what was to be said next"));
                return;
            }
            if (entries.isEmpty()) {
                break;
            }
            peer.onNext(frame(shared.gateway().head(), entries));
        }
        if (closes != null && !over) {
            end(closes);
        }
    }

    private List<R> nextEntries() {
        List<R> entries = new ArrayList<>();
        int bytes = 0;
        while (bytes < FRAME_BYTES_MAX && entries.size() < FRAME_ENTRIES_MAX) {
            if (!writing.hasNext()) {
                List<Supplier<R>> next = handed.poll();
                if (next == null) {
                    break;
                }
                unsent.addAndGet(-weight(next));
                writing = next.iterator();
            }
            R entry = writing.next().get();
            bytes += entry.getSerializedSize();
            entries.add(entry);
        }
        return entries;
    }

    private void end(Redirect redirect) {
        ended();
        peer.onError(Statuses.exception(redirect));
    }

    private void ended() {
        if (over) {
            return;
        }
        over = true;
        handed.clear();
        writing = List.<Supplier<R>>of().iterator();
        removed();
        Event last = disconnected();
        if (last != null) {
            shared.inbox().submit(List.of(last), () -> {});
        }
    }
}
