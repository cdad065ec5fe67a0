package io.troth.agent;

import java.time.Duration;

/**
 * How the agent uses one database. Immutable: each method returns a changed copy.
 *
 * @param poolSize the most connections for branches and local work together; recovery has a few of its own
 * @param openedOutsideAllowed whether a connection that was opened before a transaction began may be used while it runs:
 *     its work is then not part of the transaction
 * @param answerTimeout how long prepare, commit and rollback wait for the database, 1 ms to 1 h; after that the answer
 *     counts as lost
 */
public record ResourceOptions(int poolSize, boolean openedOutsideAllowed, Duration answerTimeout) {

    /** As the configuration of an agent process has it; the drivers take no more milliseconds than an int has. */
    private static final Duration ANSWER_TIMEOUT_MAX = Duration.ofHours(1);

    /** Ten connections, 30 s, and no connection from outside. */
    public static final ResourceOptions DEFAULTS = new ResourceOptions(10, false, Duration.ofSeconds(30));

    public ResourceOptions {
        if (poolSize < 1
                || answerTimeout.compareTo(Duration.ofMillis(1)) < 0
                || answerTimeout.compareTo(ANSWER_TIMEOUT_MAX) > 0) {
            throw new IllegalArgumentException("a pool needs at least 1 connection, and an answer 1 ms to 1 h");
        }
    }

    /** At least 1. PostgreSQL's {@code max_prepared_transactions} must be 2 more. */
    public ResourceOptions withPoolSize(int connections) {
        return new ResourceOptions(connections, openedOutsideAllowed, answerTimeout);
    }

    /** For applications that keep a connection for local work and know what they do. */
    public ResourceOptions withOpenedOutsideAllowed() {
        return new ResourceOptions(poolSize, true, answerTimeout);
    }

    /** 1 ms to 1 h. */
    public ResourceOptions withAnswerTimeout(Duration timeout) {
        return new ResourceOptions(poolSize, openedOutsideAllowed, timeout);
    }
}
