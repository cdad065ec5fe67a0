package io.troth.agent.engine;

import io.troth.core.participant.AgentEvent;
import io.troth.core.participant.AgentNotice;

/** Hears what happens, for metrics, logs and alarms. Called under the engine's lock: must be quick and not call back. */
public interface AgentListener {

    /** The core is about to take this event, for whoever compares what happened with what can. */
    default void stepping(AgentEvent event) {}

    void heard(AgentNotice notice);

    /**
     * An invariant is broken, or a bug has shown itself: the engine has stopped for good, and whoever owns it should
     * free the databases and end the process.
     *
     * @param cause a {@link io.troth.core.ProtocolViolation} that names the invariant, or the unexpected exception
     */
    void failed(RuntimeException cause);
}
