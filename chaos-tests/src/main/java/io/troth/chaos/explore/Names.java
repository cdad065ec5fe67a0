package io.troth.chaos.explore;

import io.troth.core.ClusterId;
import io.troth.core.EpochId;
import io.troth.core.SessionKey;
import io.troth.core.coordinator.CoordinatorLimits;
import io.troth.core.coordinator.StreamId;
import io.troth.core.participant.AgentLimits;

/** The identities of an explored world. Everything that production draws at random is a small constant here. */
final class Names {

    static final ClusterId CLUSTER = new ClusterId(7);
    static final SessionKey KEY = new SessionKey(1, 2);

    /** The first session that clients open at a leader, and the only one. */
    static final long SESSION = 1;

    static final long REMAINING_MILLIS = 10_000;
    static final AgentLimits AGENT_LIMITS = new AgentLimits(100, 64, 100, 100, 60_000, 1, 30_000, 500, 10_000);

    private static final int CLIENT_STREAMS = 1_000;

    private Names() {}

    /** As in production, but with {@code window} sequences of a session open at a time. */
    static CoordinatorLimits limits(int window) {
        CoordinatorLimits d = CoordinatorLimits.DEFAULTS;
        return new CoordinatorLimits(
                d.openTransactionsMax(),
                window,
                window,
                d.branchesPerTransactionMax(),
                d.sessionsMax(),
                d.agentStreamsMax(),
                d.transactionTimeoutMaxMillis(),
                d.completionLimitMillis(),
                d.phaseTwoRetryMillis(),
                d.instanceGoneMillis(),
                d.fateRetryMillis(),
                d.sessionGraceMillis(),
                d.sessionAgeMaxMillis(),
                d.outcomeRetentionMillis());
    }

    static EpochId epoch(int number) {
        return new EpochId(number, 1_000L + number);
    }

    static String resource(int number) {
        return String.valueOf((char) ('a' + number));
    }

    /** The client's stream to a leader; {@code again} 1 is the one after a break. */
    static StreamId clientStream(int epoch, int again) {
        return new StreamId(CLIENT_STREAMS + 2L * epoch + again);
    }

    static boolean isClientStream(StreamId stream) {
        return stream.value() >= CLIENT_STREAMS;
    }
}
