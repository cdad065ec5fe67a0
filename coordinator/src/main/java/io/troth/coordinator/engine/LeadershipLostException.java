package io.troth.coordinator.engine;

import org.jspecify.annotations.Nullable;

/**
 * The log is another leader's now, or this process cannot know that it still leads. Not a failure of the log: the
 * leadership is over, the process goes on, and what it has appended and not seen applied is unknown (protocol L4). A log
 * of a single node never throws it.
 */
public final class LeadershipLostException extends RuntimeException {

    private static final long serialVersionUID = 1L;

    public LeadershipLostException(String message) {
        super(message);
    }

    public LeadershipLostException(String message, @Nullable Throwable cause) {
        super(message, cause);
    }
}
