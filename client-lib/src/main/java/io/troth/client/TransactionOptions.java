package io.troth.client;

import java.time.Duration;
import java.util.Objects;
import java.util.Optional;

/**
 * How a transaction is to run. Immutable: each method returns a changed copy.
 *
 * @param name for people's eyes: in the messages of exceptions that tell how a commit ended; may be empty
 * @param timeout after which everything that is not yet preparing is rolled back; empty for the client's default
 * @param onePhase whether a single branch may commit directly
 * @param waitFor how long commit waits
 * @param separate true to begin another transaction even inside one
 * @param retries how often {@code inTransaction} runs its body again after a certain rollback that is worth it
 */
public record TransactionOptions(
        String name, Optional<Duration> timeout, OnePhase onePhase, WaitFor waitFor, boolean separate, int retries) {

    /** The most repetitions. */
    public static final int RETRIES_MAX = 100;

    /** No name, the client's timeout, one-phase allowed, wait for completion, join, no repetition. */
    public static final TransactionOptions DEFAULTS =
            new TransactionOptions("", Optional.empty(), OnePhase.ALLOWED, WaitFor.COMPLETED, false, 0);

    public TransactionOptions {
        Objects.requireNonNull(name, "name");
        if (timeout.isPresent() && timeout.get().compareTo(Duration.ofMillis(1)) < 0) {
            throw new IllegalArgumentException("the timeout must be at least 1 ms, was " + timeout.get());
        }
        if (retries < 0 || retries > RETRIES_MAX) {
            throw new IllegalArgumentException("retries must be 0 to " + RETRIES_MAX + ", was " + retries);
        }
    }

    /** The defaults with this name. */
    public static TransactionOptions named(String name) {
        return new TransactionOptions(
                name, DEFAULTS.timeout, DEFAULTS.onePhase, DEFAULTS.waitFor, DEFAULTS.separate, DEFAULTS.retries);
    }

    /** At least 1 ms; the coordinator bounds it by {@code transactions.timeoutMax}. */
    public TransactionOptions withTimeout(Duration itsTimeout) {
        return new TransactionOptions(name, Optional.of(itsTimeout), onePhase, waitFor, separate, retries);
    }

    /** Whether a single branch may commit directly. */
    public TransactionOptions withOnePhase(OnePhase itsOnePhase) {
        return new TransactionOptions(name, timeout, itsOnePhase, waitFor, separate, retries);
    }

    /** How long commit waits. */
    public TransactionOptions withWaitFor(WaitFor itsWaitFor) {
        return new TransactionOptions(name, timeout, onePhase, itsWaitFor, separate, retries);
    }

    /** A transaction of its own, whatever runs around it: it commits or rolls back alone. */
    public TransactionOptions withSeparate() {
        return new TransactionOptions(name, timeout, onePhase, waitFor, true, retries);
    }

    /**
     * How often the work is run again, each time as another transaction and after a pause that grows from 20 ms to 1.3 s. Only
     * {@code inTransaction} and {@code callInTransaction} repeat, where they do not join, and never after an unknown outcome.
     *
     * @throws IllegalArgumentException when it is not 0 to {@link #RETRIES_MAX}
     */
    public TransactionOptions withRetries(int itsRetries) {
        return new TransactionOptions(name, timeout, onePhase, waitFor, separate, itsRetries);
    }
}
