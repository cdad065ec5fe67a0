package io.troth.chaos.demo;

import io.troth.chaos.bank.Answer;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;

/** Prints how a run ended. */
final class Summary {

    private final Narrator narrator;

    Summary(Narrator narrator) {
        this.narrator = narrator;
    }

    void print(List<ActResult> acts, Map<Answer.Kind, Long> answers, Verdict verdict, long runMillis) {
        narrator.heading("Result");
        List<List<String>> rows = new ArrayList<>();
        rows.add(List.of("act", "killed", "in doubt", "resolved", "committed", "rolled back", "time to resolve"));
        for (ActResult result : acts) {
            rows.add(List.of(
                    Integer.toString(result.act().number()),
                    result.act().victimText(),
                    Integer.toString(result.endings().size()),
                    result.resolved() ? "all" : "NOT ALL",
                    Long.toString(result.count(Answer.Kind.COMMITTED)),
                    Long.toString(result.count(Answer.Kind.ROLLED_BACK)),
                    result.resolved() ? Narrator.seconds(result.resolvedMillis()) : "-"));
        }
        narrator.table("  ", rows);
        narrator.blank();
        long transfers = answers.values().stream().mapToLong(Long::longValue).sum();
        narrator.line("  transfers " + transfers + ", committed " + answers.get(Answer.Kind.COMMITTED)
                + ", rolled back " + answers.get(Answer.Kind.ROLLED_BACK) + ", unknown "
                + answers.get(Answer.Kind.UNKNOWN));
        narrator.blank();
        for (Verdict.Check check : verdict.checks()) {
            narrator.line("  " + (check.holds() ? "ok    " : "WRONG ") + check.name() + " (" + check.detail() + ")");
        }
        narrator.blank();
        narrator.line(
                verdict.holds()
                        ? "Everything held, in " + Narrator.seconds(runMillis) + "."
                        : "NOT everything held: " + verdict.failed().size() + " checks failed.");
    }
}
