package io.troth.core.coordinator;

/**
 * Every bound and every duration of the coordinator's core, with its unit in the name (protocol 12, bounded memory).
 * All must be positive.
 */
public record CoordinatorLimits(
        int openTransactionsMax,
        int openTransactionsPerSessionMax,
        int sequenceWindowMax,
        int branchesPerTransactionMax,
        int sessionsMax,
        int agentStreamsMax,
        long transactionTimeoutMaxMillis,
        long completionLimitMillis,
        long phaseTwoRetryMillis,
        long instanceGoneMillis,
        long fateRetryMillis,
        long sessionGraceMillis,
        long sessionAgeMaxMillis,
        long outcomeRetentionMillis) {

    /** How many results of ended transactions are kept for each one that may be open. */
    private static final long KEPT_RESULTS_PER_OPEN_MAX = 10;

    /** The defaults of the product. */
    public static final CoordinatorLimits DEFAULTS = new CoordinatorLimits(
            100_000,
            10_000,
            10_000,
            64,
            10_000,
            1_000,
            3_600_000L,
            1_000L,
            1_000L,
            10_000L,
            1_000L,
            5_000L,
            3_600_000L,
            86_400_000L);

    public CoordinatorLimits {
        boolean positive = openTransactionsMax > 0
                && openTransactionsPerSessionMax > 0
                && sequenceWindowMax > 0
                && branchesPerTransactionMax > 0
                && sessionsMax > 0
                && agentStreamsMax > 0
                && transactionTimeoutMaxMillis > 0
                && completionLimitMillis > 0
                && phaseTwoRetryMillis > 0
                && instanceGoneMillis > 0
                && fateRetryMillis > 0
                && sessionGraceMillis > 0
                && sessionAgeMaxMillis > 0
                && outcomeRetentionMillis > 0;
        if (!positive) {
            throw new IllegalArgumentException("every limit must be positive");
        }
    }

    /** How many results of ended transactions are kept, of all client sessions (protocol 4.2). */
    public long keptResultsMax() {
        return KEPT_RESULTS_PER_OPEN_MAX * openTransactionsMax;
    }
}
