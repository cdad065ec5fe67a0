package io.troth.coordinator.grpc;

import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicLong;

/**
 * Reads from a stream only while the engine keeps up: the bytes that were handed over and not stepped stay below a
 * limit, plus one batch. {@link #arrived} is called on the stream's event loop, {@link #stepped} on the engine thread.
 */
final class InboundWindow {

    private final long bytesMax;
    private final Runnable requestOne;
    private final AtomicLong unstepped = new AtomicLong();
    private final AtomicBoolean paused = new AtomicBoolean();

    /** @param requestOne asks the transport for one more message; thread-safe */
    InboundWindow(long bytesMax, Runnable requestOne) {
        this.bytesMax = bytesMax;
        this.requestOne = requestOne;
    }

    /** A batch has come and will be handed over: asks for the next one, now or when there is room. */
    void arrived(int bytes) {
        if (unstepped.addAndGet(bytes) < bytesMax) {
            requestOne.run();
        } else {
            paused.set(true);
            // The engine may have stepped everything before it could see the pause.
            resume();
        }
    }

    /** The engine is done with a batch. */
    void stepped(int bytes) {
        unstepped.addAndGet(-bytes);
        resume();
    }

    private void resume() {
        if (unstepped.get() <= bytesMax / 2 && paused.compareAndSet(true, false)) {
            requestOne.run();
        }
    }
}
