package io.troth.coordinator.grpc;

import io.troth.core.Reason;
import java.util.Objects;
import org.jspecify.annotations.Nullable;

/**
 * Why this is not the place to ask.
 *
 * @param reason for everybody
 * @param leader where the leader listens for clients and agents, as {@code host:port}; null when that is not known
 */
public record Redirect(Reason reason, @Nullable String leader) {

    public Redirect {
        Objects.requireNonNull(reason);
    }

    /** Nobody to go to instead. */
    public static Redirect nowhere(Reason reason) {
        return new Redirect(reason, null);
    }
}
