package io.troth.coordinator.admin;

import io.troth.core.TrothException;
import java.util.concurrent.CompletableFuture;
import org.jspecify.annotations.Nullable;

/**
 * What an operator asks and does about the members of a cluster. Thread-safe. The futures fail with {@link TrothException}:
 * with OUTCOME_UNKNOWN when it is not known whether it was done, with any other code when nothing was changed.
 */
public interface Membership {

    /** How this member sees the cluster. */
    ClusterView view();

    /** Lets another member lead, after the running transactions have had time to end. Completed when it leads. */
    CompletableFuture<Void> transfer(String node, String reason);

    /**
     * Takes a new member in, which was made and runs. Completed when it has the whole log and a vote.
     *
     * @param address where it listens for the other members, as {@code host:port}
     * @param endpoint where it listens for clients and agents, as {@code host:port}; null when nobody has said so
     */
    CompletableFuture<Void> add(String node, String address, @Nullable String endpoint, String reason);

    /** Removes a member for good. Completed when it has no vote any more. */
    CompletableFuture<Void> remove(String node, String reason);
}
