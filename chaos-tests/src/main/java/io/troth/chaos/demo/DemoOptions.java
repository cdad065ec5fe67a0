package io.troth.chaos.demo;

import java.util.EnumSet;
import java.util.List;
import java.util.Set;

/**
 * What a run of the demo is asked for.
 *
 * @param seconds how long ordinary transfers run in total, before, between and after the acts
 * @param accounts how many accounts each bank has
 * @param acts which acts are played, in this order
 * @param sabotages what is made wrong on purpose, so that a test can see the demo fail; empty in every real run
 */
record DemoOptions(int seconds, int accounts, List<Act> acts, Set<Sabotage> sabotages) {

    static final int DEFAULT_SECONDS = 16;
    static final int DEFAULT_ACCOUNTS = 100;
    static final int ACCOUNTS_MIN = 10;

    /** Ways to make the demo fail. */
    enum Sabotage {
        /** The processes are killed while nothing is in doubt. */
        NO_DOUBT,
        /** No transfers after the acts. */
        NOTHING_AFTERWARDS,
        /** One COMMITTED answer is turned into ROLLED_BACK. */
        ANSWER,
        /** One unit of money appears in the first bank. */
        MONEY,
        /** Somebody prepares a transaction by hand and leaves it. */
        PREPARED
    }

    DemoOptions {
        if (seconds < 1) {
            throw new IllegalArgumentException("--seconds must be at least 1");
        }
        if (accounts < ACCOUNTS_MIN) {
            throw new IllegalArgumentException("--accounts must be at least " + ACCOUNTS_MIN);
        }
        acts = List.copyOf(acts);
        sabotages = sabotages.isEmpty() ? Set.of() : EnumSet.copyOf(sabotages);
    }

    boolean has(Sabotage sabotage) {
        return sabotages.contains(sabotage);
    }

    /** How long transfers run before the first act, and again after each. */
    long stretchMillis() {
        return seconds * 1000L / (acts.size() + 1);
    }
}
