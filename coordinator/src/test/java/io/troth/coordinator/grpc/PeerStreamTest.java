package io.troth.coordinator.grpc;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.google.protobuf.UInt64Value;
import io.grpc.Status;
import io.grpc.stub.ServerCallStreamObserver;
import io.netty.channel.embedded.EmbeddedChannel;
import io.troth.core.coordinator.Event;
import io.troth.core.coordinator.StreamId;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;

/**
 * Goal: a peer hears what the engine says without a hole, up to the cut, however engine and loop take turns. Method: a
 * loop that the test steps.
 */
class PeerStreamTest {

    private static final int UNSENT_MAX = 10;
    private static final long UNSAYABLE = -1;

    private final EmbeddedChannel channel = new EmbeddedChannel();
    private final Peer peer = new Peer();
    private final Numbers stream = new Numbers();

    @Test
    void nothingFollowsWhatWasDroppedAlthoughThereIsRoomAgainBeforeTheCut() {
        for (long number = 1; number < UNSENT_MAX; number++) {
            say(number);
        }
        // All of it has left and the engine goes on, while the loop still has a task in front of the cut.
        channel.eventLoop().execute(() -> say(UNSENT_MAX + 2));
        say(UNSENT_MAX);
        say(UNSENT_MAX + 1);
        assertTrue(peer.numbers.isEmpty());

        channel.runPendingTasks();

        assertEquals(List.of(1L, 2L, 3L, 4L, 5L, 6L, 7L, 8L, 9L, 10L), peer.numbers);
        assertEquals(
                Status.Code.RESOURCE_EXHAUSTED, Status.fromThrowable(peer.end).getCode());
    }

    @Test
    void nothingFollowsWhatCannotBeSaid() {
        say(1);
        channel.runPendingTasks();
        say(UNSAYABLE);
        say(2);
        channel.runPendingTasks();
        assertEquals(List.of(1L), peer.numbers);
        assertEquals(Status.Code.INTERNAL, Status.fromThrowable(peer.end).getCode());
    }

    private void say(long number) {
        stream.add(number);
        stream.flush();
    }

    private PeerStream.Shared shared() {
        SimulatedInbox inbox = new SimulatedInbox();
        return new PeerStream.Shared(
                inbox,
                new GrpcStreamGateway(Edge.CLUSTER, 0),
                StreamServicesTest.limits(UNSENT_MAX),
                new Refusals(EdgeListener.NONE, System::nanoTime),
                new WireReader(inbox::newSessionKey));
    }

    /** A stream whose messages are numbers. */
    private final class Numbers extends PeerStream<Long, UInt64Value, List<UInt64Value>> {

        Numbers() {
            super(new StreamId(1), channel.eventLoop(), shared(), peer);
        }

        @Override
        boolean decode(RawBatch batch, List<Event> events) {
            return false;
        }

        @Override
        @Nullable
        Event disconnected() {
            return null;
        }

        @Override
        UInt64Value entry(Long message) {
            if (message == UNSAYABLE) {
                throw new IllegalArgumentException("for a test");
            }
            return UInt64Value.of(message);
        }

        @Override
        List<UInt64Value> frame(Head head, List<UInt64Value> entries) {
            return entries;
        }

        @Override
        void removed() {}

        @Override
        String describe() {
            return "peer";
        }
    }

    /** Reads whatever comes. */
    private static final class Peer extends ServerCallStreamObserver<List<UInt64Value>> {

        private final List<Long> numbers = new ArrayList<>();
        private @Nullable Throwable end;

        @Override
        public void onNext(List<UInt64Value> frame) {
            frame.forEach(number -> numbers.add(number.getValue()));
        }

        @Override
        public void onError(Throwable cause) {
            end = cause;
        }

        @Override
        public void onCompleted() {}

        @Override
        public boolean isReady() {
            return true;
        }

        @Override
        public boolean isCancelled() {
            return false;
        }

        @Override
        public void setOnCancelHandler(Runnable handler) {}

        @Override
        public void setCompression(String compression) {}

        @Override
        public void setOnReadyHandler(Runnable handler) {}

        @Override
        public void disableAutoInboundFlowControl() {}

        @Override
        public void disableAutoRequest() {}

        @Override
        public void request(int count) {}

        @Override
        public void setMessageCompression(boolean enable) {}
    }
}
