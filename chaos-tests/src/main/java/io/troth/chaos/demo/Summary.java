package io.troth.chaos.demo;

import io.troth.chaos.bank.Answer;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.stream.Collectors;

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
        checks(acts, verdict);
        narrator.blank();
        narrator.line(
                verdict.holds()
                        ? "Everything held, in " + Narrator.seconds(runMillis) + "."
                        : "NOT everything held: " + verdict.failed().size() + " checks failed.");
    }

    /** What holds of an act is one line; what does not is a line of its own. */
    private void checks(List<ActResult> acts, Verdict verdict) {
        for (ActResult result : acts) {
            String prefix = Verdict.prefix(result.act());
            List<Verdict.Check> ofAct = verdict.checks().stream()
                    .filter(check -> check.name().startsWith(prefix))
                    .toList();
            String held = ofAct.stream()
                    .filter(Verdict.Check::holds)
                    .map(check -> check.name().substring(prefix.length()))
                    .collect(Collectors.joining(", "));
            narrator.line("  ok     " + prefix + held);
            ofAct.stream().filter(check -> !check.holds()).forEach(this::check);
        }
        verdict.checks().stream()
                .filter(check ->
                        acts.stream().noneMatch(result -> check.name().startsWith(Verdict.prefix(result.act()))))
                .forEach(this::check);
    }

    private void check(Verdict.Check check) {
        narrator.line("  " + (check.holds() ? "ok     " : "WRONG  ") + check.name() + " (" + check.detail() + ")");
    }
}
