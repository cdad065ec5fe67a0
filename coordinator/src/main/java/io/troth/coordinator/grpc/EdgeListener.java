package io.troth.coordinator.grpc;

import io.troth.core.Reason;

/** Hears what happens at the edge, for metrics. Any thread; must be quick. */
public interface EdgeListener {

    /** Hears and does nothing. */
    EdgeListener NONE = new EdgeListener() {
        @Override
        public void refused(Reason reason) {}

        @Override
        public void streamOpened(Kind kind) {}

        @Override
        public void streamClosed(Kind kind) {}
    };

    /** Whose stream it is. */
    enum Kind {
        CLIENT,
        AGENT
    }

    /** Something was refused before it came to the core; no state has changed. */
    void refused(Reason reason);

    /** One more stream is open. */
    void streamOpened(Kind kind);

    /** A stream is gone. */
    void streamClosed(Kind kind);
}
