package io.troth.chaos.demo;

import io.troth.chaos.bank.Answer;
import java.util.List;

/**
 * What was seen in one act.
 *
 * @param act which one
 * @param point the point at which the process was killed, as it reported it; {@code -} when it reported none
 * @param exitCode what the killed process ended with
 * @param endings how each in-doubt transaction ended, as both databases show it afterwards
 * @param branches how many prepared branches the databases listed before the kill
 * @param resolvedMillis from the restart to the moment when none of them was prepared any more; negative when the time
 *     limit passed before that
 * @param committedAfterwards how many transfers were committed in the stretch after the act
 */
record ActResult(
        Act act,
        String point,
        int exitCode,
        List<Ending> endings,
        int branches,
        long resolvedMillis,
        long committedAfterwards) {

    /**
     * How one in-doubt transaction ended.
     *
     * @param tx its global id
     * @param transfer its transfer's number
     * @param ending COMMITTED when its row is in both banks, ROLLED_BACK when in neither, UNKNOWN when they differ
     * @param reached true for the transaction whose arrival at the point the process had reported
     */
    record Ending(String tx, long transfer, Answer.Kind ending, boolean reached) {}

    ActResult {
        endings = List.copyOf(endings);
    }

    boolean resolved() {
        return resolvedMillis >= 0;
    }

    long count(Answer.Kind kind) {
        return endings.stream().filter(ending -> ending.ending() == kind).count();
    }

    ActResult withCommittedAfterwards(long committed) {
        return new ActResult(act, point, exitCode, endings, branches, resolvedMillis, committed);
    }
}
