package io.troth.agent.server;

import io.troth.agent.engine.AgentListener;
import io.troth.core.participant.AgentEvent;
import io.troth.core.participant.AgentNotice;
import java.util.List;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** Tells several listeners; what one of them throws is logged and hurts nobody else. */
final class Listeners implements AgentListener {

    private static final Logger LOG = LoggerFactory.getLogger(Listeners.class);

    private final List<AgentListener> listeners;

    Listeners(List<AgentListener> listeners) {
        this.listeners = List.copyOf(listeners);
    }

    @Override
    public void stepping(AgentEvent event) {
        for (AgentListener listener : listeners) {
            try {
                listener.stepping(event);
            } catch (RuntimeException | Error e) {
                LOG.error("a listener failed before {}", event, e);
            }
        }
    }

    @Override
    public void heard(AgentNotice notice) {
        for (AgentListener listener : listeners) {
            try {
                listener.heard(notice);
            } catch (RuntimeException | Error e) {
                LOG.error("a listener failed at {}", notice, e);
            }
        }
    }

    @Override
    public void failed(RuntimeException cause) {
        for (AgentListener listener : listeners) {
            try {
                listener.failed(cause);
            } catch (RuntimeException | Error e) {
                LOG.error("a listener failed", e);
            }
        }
    }
}
