package io.troth.coordinator.log.raft;

import java.util.concurrent.CompletableFuture;

/** Hands an entry to Raft: the seam at which tests let it fail. One thread for each leadership. */
@FunctionalInterface
interface EntrySender {

    /**
     * Appends an entry, after those that were sent before.
     *
     * @return completed when this member has applied it; failed when that is unknown (protocol L4)
     */
    CompletableFuture<Void> send(byte[] entry);
}
