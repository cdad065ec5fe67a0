package io.troth.chaos.demo;

import io.troth.chaos.demo.DemoOptions.Sabotage;
import java.nio.file.Path;
import java.util.EnumSet;
import java.util.List;
import java.util.Set;

/**
 * What a run of the cluster's demo is asked for.
 *
 * @param seconds how long transfers run undisturbed in total: before each fault, during it, and at the end
 * @param accounts how many accounts each bank has
 * @param out where the page with the timeline goes
 * @param faults what is done, in this order
 * @param sabotages what is made wrong on purpose, so that a test can see the demo fail; empty in every real run
 */
record ClusterOptions(int seconds, int accounts, Path out, List<Fault> faults, Set<Sabotage> sabotages) {

    ClusterOptions {
        if (seconds < 1) {
            throw new IllegalArgumentException("--seconds must be at least 1");
        }
        if (accounts < DemoOptions.ACCOUNTS_MIN) {
            throw new IllegalArgumentException("--accounts must be at least " + DemoOptions.ACCOUNTS_MIN);
        }
        faults = List.copyOf(faults);
        sabotages = sabotages.isEmpty() ? Set.of() : EnumSet.copyOf(sabotages);
    }

    /** How long transfers run before each fault, while it lasts, and after the last one. */
    long stretchMillis() {
        return seconds * 1000L / (2L * faults.size() + 1);
    }
}
