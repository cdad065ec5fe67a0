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

    @Test
    void aFaultMayRollBackWhatIsSafeToRunAgain() {
        Verdict verdict = Verdict.ofFaults(
                List.of(fault(Fault.KILL, 7, Map.of("LEADER_CHANGED", 2L, "STATEMENT_FAILED", 1L))), REST);
        assertTrue(verdict.holds(), verdict.failed().toString());
    }

    @Test
    void failsWhenAFaultRolledBackWhatIsNotSafeToRunAgain() {
        assertFails("kill: " + Verdict.SAFE, fault(Fault.KILL, 7, Map.of("CALL_COUNT_DIFFERS", 1L)));
        assertFails("kill: " + Verdict.SAFE, fault(Fault.KILL, 7, Map.of("", 1L)));
    }

    @Test
    void failsWhenARollingRestartRolledAnythingBackButWhatWasOverdrawn() {
        Verdict overdrawn =
                Verdict.ofFaults(List.of(fault(Fault.ROLLING_RESTART, 7, Map.of("STATEMENT_FAILED", 3L))), REST);
        assertTrue(overdrawn.holds(), overdrawn.failed().toString());
        assertFails(
                "rolling restart: " + Verdict.NONE_FAILED,
                fault(Fault.ROLLING_RESTART, 7, Map.of("LEADER_CHANGED", 1L)));
    }

    @Test
    void failsWhenAFaultStoppedTransfersOrAStepOfItFailed() {
        assertFails("pause: " + Verdict.GOES_ON, fault(Fault.PAUSE, 0, Map.of()));
        FaultResult notTakenOver = new FaultResult(
                Fault.PAUSE,
                0,
                1,
                "a",
                "a",
                1,
                7,
                Map.of(),
                List.of(new Verdict.Check(Verdict.TAKEN_OVER, false, "a after a")));
        assertFails("pause: " + Verdict.TAKEN_OVER, notTakenOver);
    }

    private static FaultResult fault(Fault fault, long committed, Map<String, Long> rolledBack) {
        return new FaultResult(fault, 0, 1, "a", "b", 1, committed, rolledBack, List.of());
    }

    private static void assertFails(String check, FaultResult result) {
        assertFailed(check, Verdict.ofFaults(List.of(result), REST));
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
