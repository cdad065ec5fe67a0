package io.troth.coordinator.engine;

import io.troth.core.SessionKey;
import io.troth.core.coordinator.CoordinatorStateMachine;
import io.troth.core.coordinator.Event;
import io.troth.core.coordinator.StreamId;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.function.Function;

/**
 * What the edges (streams, unary calls, the operator's interface) hand to the engine. Thread-safe, never blocks.
 *
 * <p>Nothing handed over is ever dropped: memory is bounded because an edge reads no more from a stream while too many
 * of its batches have not been stepped, which {@code stepped} tells it.
 */
public interface EngineInbox {

    /** A stream id that this process has never given before. */
    StreamId newStream();

    /** A session key from a secure random source, for {@link Event.OpenSession}. */
    SessionKey newSessionKey();

    /**
     * Hands a batch over, with one queue offer. Batches of one caller are stepped in the order in which they came, and
     * a batch is stepped as a whole. After the engine has stopped it does nothing, and {@code stepped} is not called.
     *
     * @param stepped called on the engine thread when the last event of the batch was stepped; must be quick
     */
    void submit(List<Event> events, Runnable stepped);

    /**
     * Looks at the state on the engine thread, between two steps. The look must be quick and must not keep the machine.
     *
     * @return fails with {@link io.troth.core.TrothException} NOT_READY when the engine has stopped
     */
    <T> CompletableFuture<T> look(Function<CoordinatorStateMachine, T> look);
}
