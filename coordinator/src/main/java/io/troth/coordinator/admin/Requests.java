package io.troth.coordinator.admin;

import io.troth.core.coordinator.ClientMessage;
import io.troth.core.coordinator.Event;
import io.troth.core.coordinator.RequestId;
import java.util.concurrent.CompletableFuture;
import java.util.function.Function;

/** A stream inside this process: asks the core and waits for its answer, as a client does. Thread-safe. */
@FunctionalInterface
public interface Requests {

    /**
     * Asks once.
     *
     * @param request makes the event for the id that the answer will carry
     * @return completed on the engine thread; fails with {@link io.troth.core.TrothException} OVERLOADED when too many
     *     wait, DRAINING when the process stops. Cancelling it only forgets the answer
     */
    CompletableFuture<ClientMessage> ask(Function<RequestId, Event> request);
}
