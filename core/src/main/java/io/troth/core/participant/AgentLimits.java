package io.troth.core.participant;

/**
 * Every bound and every duration of the agent's core, with its unit in the name (protocol 12, bounded memory). All must
 * be positive.
 *
 * @param branchesMax branches of all transactions that have not finished
 * @param branchesPerTransactionMax branches of one transaction at this agent, dead ones included
 * @param callsPerTransactionMax calls of one transaction at this agent
 * @param keptResultsMax results of finished branches that are kept for later questions (protocol 8.3)
 * @param keptSweepMillis how often kept results grow older
 * @param keptSweeps how many times a kept result grows older before it is forgotten
 * @param scanIntervalMillis the time between two lists of prepared xids (protocol 9.5)
 * @param phaseTwoRetryMillis the first delay between two attempts to finish a prepared branch; doubles
 * @param phaseTwoRetryMaxMillis the longest such delay
 */
public record AgentLimits(
        int branchesMax,
        int branchesPerTransactionMax,
        int callsPerTransactionMax,
        int keptResultsMax,
        long keptSweepMillis,
        int keptSweeps,
        long scanIntervalMillis,
        long phaseTwoRetryMillis,
        long phaseTwoRetryMaxMillis) {

    /** The defaults of the product: results are kept for ten to eleven minutes. */
    public static final AgentLimits DEFAULTS =
            new AgentLimits(100_000, 64, 10_000, 1_000_000, 60_000, 11, 30_000, 500, 10_000);

    public AgentLimits {
        boolean positive = branchesMax > 0
                && branchesPerTransactionMax > 0
                && callsPerTransactionMax > 0
                && keptResultsMax > 0
                && keptSweepMillis > 0
                && keptSweeps > 0
                && scanIntervalMillis > 0
                && phaseTwoRetryMillis > 0
                && phaseTwoRetryMaxMillis > 0;
        if (!positive) {
            throw new IllegalArgumentException("every limit must be positive");
        }
    }

    /** The delay that follows this one between two attempts to finish a prepared branch; 0 for the first. */
    long phaseTwoRetryAfter(long delayMillis) {
        return delayMillis == 0 ? phaseTwoRetryMillis : Math.min(2 * delayMillis, phaseTwoRetryMaxMillis);
    }
}
