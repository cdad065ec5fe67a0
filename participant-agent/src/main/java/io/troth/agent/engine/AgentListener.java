package io.troth.agent.engine;

import io.troth.core.ProtocolViolation;
import io.troth.core.participant.AgentNotice;

/** Hears what happens, for metrics, logs and alarms. Called under the engine's lock: must be quick and not call back. */
public interface AgentListener {

    void heard(AgentNotice notice);

    /** An invariant is broken: the engine has stopped for good. The process should end. */
    void violated(ProtocolViolation violation);
}
