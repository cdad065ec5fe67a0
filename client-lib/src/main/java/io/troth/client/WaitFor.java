package io.troth.client;

/** How long a commit waits before it returns (protocol 6.7). */
public enum WaitFor {
    /** Until every branch has committed, or the coordinator's completion limit, one second by default. */
    COMPLETED,
    /** Until the decision is durable. A later read may not yet see the writes at a branch. */
    DECIDED
}
