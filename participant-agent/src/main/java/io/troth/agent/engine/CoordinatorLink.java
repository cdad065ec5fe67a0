package io.troth.agent.engine;

import io.troth.core.Reason;
import io.troth.core.participant.CoordinatorMessage;

/**
 * The agent's stream to the coordinator. Dials again by itself for as long as it is open. At most one stream is up, and
 * a stream that has broken delivers nothing any more once {@link LinkListener#broken} was called.
 */
public interface CoordinatorLink extends AutoCloseable {

    /** Starts to dial. Called once. */
    void start(LinkListener listener);

    /** Sends on the stream that is up, in the order of the calls; dropped when none is. Never blocks. Thread-safe. */
    void send(CoordinatorMessage message);

    /** Ends the stream that is up, because its peer must not be trusted; dials again later. Never blocks. */
    void refuse(Reason reason);

    /** Ends the stream, after what was sent before has left, and dials no more. */
    @Override
    void close();
}
