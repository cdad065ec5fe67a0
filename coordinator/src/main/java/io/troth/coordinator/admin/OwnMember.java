package io.troth.coordinator.admin;

import java.util.concurrent.CompletableFuture;
import org.jspecify.annotations.Nullable;

/**
 * The member of a cluster that this process is: what {@link Membership} stands on. It does what it is asked without a look
 * at who is there. Thread-safe. Changes fail with {@link io.troth.core.TrothException} or with what Raft had to say.
 */
public interface OwnMember {

    /** How this member sees the cluster. */
    ClusterView view();

    /**
     * Lets another member lead; this one must lead.
     *
     * @return completed when it leads; failed when it does not, with the reason
     */
    CompletableFuture<Void> transferLeadership(String node);

    /** Gives this term up, if this member still leads in it; whoever can leads next, perhaps this one again. */
    void stepDown(long term);

    /**
     * Takes a new member in; this one must lead. Waits for the new one to introduce itself.
     *
     * @param endpoint where it listens for clients and agents; null when nobody has said so
     * @return completed when it has the whole log and a vote
     * @throws io.troth.core.TrothException when it is not to be taken in; nothing was changed
     */
    CompletableFuture<Void> add(String node, String address, @Nullable String endpoint);

    /**
     * Removes a member for good; this one must lead.
     *
     * @return completed when it has no vote any more
     */
    CompletableFuture<Void> remove(String node);
}
