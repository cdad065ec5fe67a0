package io.troth.coordinator.log.raft;

/** Raft has ended in this member by itself, and does not say why. The message says what can be behind it. */
public final class RaftStoppedException extends RuntimeException {

    private static final long serialVersionUID = 1L;

    RaftStoppedException() {
        super("Raft has stopped: this member was removed from the cluster, or stood still for more than a minute, or"
                + " something failed that the log lines above tell");
    }
}
