package io.troth.chaos.demo;

import java.util.List;
import java.util.Map;

/**
 * What was seen of one fault.
 *
 * @param fromMillis when it began, since the start of the timeline
 * @param toMillis when everything was as before
 * @param ledBefore who led before, and {@code ledAfter} who led when it was over
 * @param gapMillis the longest time without a commit
 * @param committed how many transfers were committed meanwhile
 * @param rolledBack how many were rolled back meanwhile, by the code of the reason
 * @param done what else had to happen, each in words of its own, and whether it did
 */
record FaultResult(
        Fault fault,
        long fromMillis,
        long toMillis,
        String ledBefore,
        String ledAfter,
        long gapMillis,
        long committed,
        Map<String, Long> rolledBack,
        List<Verdict.Check> done) {

    FaultResult {
        rolledBack = Map.copyOf(rolledBack);
        done = List.copyOf(done);
    }
}
