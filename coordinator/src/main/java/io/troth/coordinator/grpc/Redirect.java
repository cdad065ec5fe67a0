package io.troth.coordinator.grpc;

import io.troth.core.Reason;
import java.util.Objects;
import org.jspecify.annotations.Nullable;

/**
 * Why this is not the place to ask.
 *
 * @param reason for everybody
 * @param leader where the leader listens for clients and agents, as {@code host:port}; null when that is not known
 * @param soon this will be the place in a moment: streams may wait here
 */
public record Redirect(Reason reason, @Nullable String leader, boolean soon) {

    public Redirect {
        Objects.requireNonNull(reason);
    }

    /** The leader is elsewhere, at this endpoint or, when it is null, nobody knows where. */
    public static Redirect to(Reason reason, @Nullable String leader) {
        return new Redirect(reason, leader, false);
    }

    /** Nobody to go to instead. */
    public static Redirect nowhere(Reason reason) {
        return to(reason, null);
    }

    /** The leader will be here, unless something comes between. */
    public static Redirect hereSoon(Reason reason) {
        return new Redirect(reason, null, true);
    }
}
