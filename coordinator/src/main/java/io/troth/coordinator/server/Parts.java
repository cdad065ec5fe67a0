package io.troth.coordinator.server;

import java.util.Deque;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** What was started, to be closed in the opposite order. */
final class Parts {

    private static final Logger LOG = LoggerFactory.getLogger(Parts.class);

    private Parts() {}

    /** Closes the first one first, whatever becomes of it, and leaves nothing. */
    static void close(Deque<AutoCloseable> parts) {
        while (!parts.isEmpty()) {
            AutoCloseable part = parts.pop();
            try {
                part.close();
            } catch (Exception e) {
                LOG.warn("could not close {}", part, e);
            }
        }
    }
}
