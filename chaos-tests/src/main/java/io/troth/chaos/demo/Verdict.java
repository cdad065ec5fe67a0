package io.troth.chaos.demo;

import io.troth.chaos.bank.Answer;
import io.troth.chaos.process.ChildProcess;
import io.troth.core.ErrorCode;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Set;

/**
 * Judges a run from what was seen: the demo succeeds only if every check holds.
 *
 * @param checks all of them, in the order in which they are printed
 */
record Verdict(List<Check> checks) {

    /**
     * One thing that must hold.
     *
     * @param name short and stable: tests know a check by it
     * @param holds whether it does
     * @param detail what was seen
     */
    record Check(String name, boolean holds, String detail) {}

    /**
     * What was seen when everything had come to rest.
     *
     * @param moneyBefore the sum of all balances in both banks at the start
     * @param moneyAfter the same at the end
     * @param prepared how many prepared branches both databases list at the end
     * @param falseAnswers what is wrong with the client's answers, in words
     * @param answers how many answers there are of each kind
     */
    record Rest(
            long moneyBefore,
            long moneyAfter,
            int prepared,
            List<String> falseAnswers,
            Map<Answer.Kind, Long> answers) {}

    static final String MONEY = "no money appeared or vanished";
    static final String NOTHING_PREPARED = "nothing is left in doubt";
    static final String ANSWERS = "every answer is true";
    static final String CERTAIN = "every answer is certain";
    static final String KILLED = "killed at its point";
    static final String IN_DOUBT = "transfers in doubt";
    static final String RESOLVED = "all resolved";
    static final String ENDING = "ended as they must";
    static final String GOES_ON = "transfers went on";

    static final String KILLED_FOR_GOOD = "killed";
    static final String TAKEN_OVER = "another member took over";
    static final String DECIDED_NOTHING = "who is cut off says so and decides nothing";
    static final String ENDED_IN_ORDER = "all ended in order";
    static final String SAFE = "what was rolled back may be run again";
    static final String NONE_FAILED = "no transfer was rolled back by it";

    /** A transfer that would overdraw an account. */
    private static final String OVERDRAWN = ErrorCode.STATEMENT_FAILED.name();

    static Verdict of(List<ActResult> acts, Rest rest) {
        List<Check> checks = new ArrayList<>();
        for (ActResult result : acts) {
            judge(result, checks);
        }
        judge(rest, checks);
        return new Verdict(List.copyOf(checks));
    }

    static Verdict ofFaults(List<FaultResult> results, Rest rest) {
        List<Check> checks = new ArrayList<>();
        for (FaultResult result : results) {
            judge(result, checks);
        }
        judge(rest, checks);
        return new Verdict(List.copyOf(checks));
    }

    private static void judge(FaultResult result, List<Check> checks) {
        String fault = result.fault().text() + ": ";
        result.done().forEach(check -> checks.add(new Check(fault + check.name(), check.holds(), check.detail())));
        checks.add(new Check(fault + GOES_ON, result.committed() > 0, result.committed() + " committed"));
        Set<String> codes = result.rolledBack().keySet();
        String detail = ClusterSummary.codes(result.rolledBack());
        checks.add(
                result.fault() == Fault.ROLLING_RESTART
                        ? new Check(fault + NONE_FAILED, codes.stream().allMatch(OVERDRAWN::equals), detail)
                        : new Check(fault + SAFE, codes.stream().allMatch(Verdict::isSafe), detail));
    }

    private static boolean isSafe(String code) {
        return code.equals(OVERDRAWN)
                || Arrays.stream(ErrorCode.values())
                        .anyMatch(each -> each.name().equals(code) && each.retryable());
    }

    private static void judge(Rest rest, List<Check> checks) {
        checks.add(new Check(
                MONEY,
                rest.moneyBefore() == rest.moneyAfter(),
                rest.moneyBefore() + " before, " + rest.moneyAfter() + " after"));
        checks.add(new Check(NOTHING_PREPARED, rest.prepared() == 0, rest.prepared() + " prepared"));
        long total = rest.answers().values().stream().mapToLong(Long::longValue).sum();
        checks.add(new Check(
                ANSWERS,
                rest.falseAnswers().isEmpty() && total > 0,
                rest.falseAnswers().isEmpty()
                        ? total + " answers compared with both databases"
                        : String.join(
                                "; ", rest.falseAnswers().stream().limit(3).toList())));
        long unknown = rest.answers().getOrDefault(Answer.Kind.UNKNOWN, 0L);
        checks.add(new Check(CERTAIN, unknown == 0, unknown + " unknown at the end"));
    }

    /** What the names of an act's checks begin with. */
    static String prefix(Act act) {
        return "act " + act.number() + ": ";
    }

    boolean holds() {
        return checks.stream().allMatch(Check::holds);
    }

    List<Check> failed() {
        return checks.stream().filter(check -> !check.holds()).toList();
    }

    private static void judge(ActResult result, List<Check> checks) {
        String act = prefix(result.act());
        String wantedPoint = result.act().lastPoint();
        checks.add(new Check(
                act + KILLED,
                result.exitCode() == ChildProcess.EXIT_KILLED && result.point().equals(wantedPoint),
                "at " + result.point() + ", exit code " + result.exitCode()));
        checks.add(new Check(
                act + IN_DOUBT,
                !result.endings().isEmpty() && result.branches() > 0,
                result.endings().size() + " transactions, " + result.branches() + " branches"));
        checks.add(new Check(
                act + RESOLVED,
                result.resolved(),
                result.resolved() ? "after " + Narrator.seconds(result.resolvedMillis()) : "some are still prepared"));
        checks.add(new Check(
                act + ENDING,
                result.endings().stream().allMatch(ending -> isRight(result.act(), ending)),
                result.count(Answer.Kind.COMMITTED) + " committed, " + result.count(Answer.Kind.ROLLED_BACK)
                        + " rolled back, " + result.count(Answer.Kind.UNKNOWN) + " different in the two banks"));
        checks.add(new Check(
                act + GOES_ON, result.committedAfterwards() > 0, result.committedAfterwards() + " committed"));
    }

    private static boolean isRight(Act act, ActResult.Ending ending) {
        Answer.Kind must = act.ending();
        return must == null ? ending.ending() != Answer.Kind.UNKNOWN : ending.ending() == must;
    }
}
