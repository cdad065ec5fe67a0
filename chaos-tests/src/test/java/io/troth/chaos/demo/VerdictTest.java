package io.troth.chaos.demo;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.troth.chaos.bank.Answer;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;

/** Goal: the demo cannot pass when something was not seen or not true. Method: one flaw at a time in a good run. */
class VerdictTest {

    private static final ActResult GOOD =
            act(Act.DECIDED, "AFTER_COMMIT_DURABLE", 137, List.of(ending(Answer.Kind.COMMITTED)), 2, 900, 5);
    private static final Verdict.Rest REST = rest(100, 100, 0, List.of(), 0);

    @Test
    void holdsWhenEverythingHolds() {
        Verdict verdict = Verdict.of(List.of(GOOD), REST);
        assertTrue(verdict.holds(), verdict.failed().toString());
    }

    @Test
    void failsWhenAnActSawNoInDoubtTransaction() {
        assertFails("act 2: " + Verdict.IN_DOUBT, act(Act.DECIDED, "AFTER_COMMIT_DURABLE", 137, List.of(), 0, 900, 5));
    }

    @Test
    void failsWhenNothingCommittedAfterwards() {
        assertFails("act 2: " + Verdict.GOES_ON, GOOD.withCommittedAfterwards(0));
    }

    @Test
    void failsWhenTheProcessWasNotKilled() {
        assertFails("act 2: " + Verdict.KILLED, act(Act.DECIDED, "AFTER_COMMIT_DURABLE", 0, GOOD.endings(), 2, 900, 5));
    }

    @Test
    void failsWhenTheProcessWasKilledElsewhere() {
        assertFails(
                "act 2: " + Verdict.KILLED, act(Act.DECIDED, "BEFORE_APPEND_COMMIT", 137, GOOD.endings(), 2, 900, 5));
    }

    @Test
    void failsWhenSomethingStaysInDoubt() {
        assertFails(
                "act 2: " + Verdict.RESOLVED, act(Act.DECIDED, "AFTER_COMMIT_DURABLE", 137, GOOD.endings(), 2, -1, 5));
    }

    @Test
    void failsWhenADecidedTransactionWasRolledBack() {
        assertFails(
                "act 2: " + Verdict.ENDING,
                act(Act.DECIDED, "AFTER_COMMIT_DURABLE", 137, List.of(ending(Answer.Kind.ROLLED_BACK)), 2, 900, 5));
    }

    @Test
    void failsWhenTheBanksDifferEvenWhereBothEndingsAreRight() {
        assertFails(
                "act 3: " + Verdict.ENDING,
                act(Act.VOTED, "AFTER_VOTE", 137, List.of(ending(Answer.Kind.UNKNOWN)), 2, 900, 5));
    }

    @Test
    void failsWhenMoneyVanished() {
        assertFails(Verdict.MONEY, rest(100, 99, 0, List.of(), 0));
    }

    @Test
    void failsWhenSomethingIsPreparedAtTheEnd() {
        assertFails(Verdict.NOTHING_PREPARED, rest(100, 100, 1, List.of(), 0));
    }

    @Test
    void failsWhenAnAnswerWasFalse() {
        assertFails(Verdict.ANSWERS, rest(100, 100, 0, List.of("transfer 1 was answered COMMITTED"), 0));
    }

    @Test
    void failsWhenAnAnswerStaysUnknown() {
        assertFails(Verdict.CERTAIN, rest(100, 100, 0, List.of(), 1));
    }

    private static void assertFails(String check, ActResult result) {
        assertFailed(check, Verdict.of(List.of(result), REST));
    }

    private static void assertFails(String check, Verdict.Rest rest) {
        assertFailed(check, Verdict.of(List.of(GOOD), rest));
    }

    private static void assertFailed(String check, Verdict verdict) {
        assertEquals(
                List.of(check),
                verdict.failed().stream().map(Verdict.Check::name).toList());
    }

    private static ActResult.Ending ending(Answer.Kind kind) {
        return new ActResult.Ending("tx", 1, kind, true);
    }

    private static ActResult act(
            Act act, String point, int exit, List<ActResult.Ending> endings, int branches, long millis, long after) {
        return new ActResult(act, point, exit, endings, branches, millis, after);
    }

    private static Verdict.Rest rest(long before, long after, int prepared, List<String> wrong, long unknown) {
        return new Verdict.Rest(
                before, after, prepared, wrong, Map.of(Answer.Kind.COMMITTED, 7L, Answer.Kind.UNKNOWN, unknown));
    }
}
