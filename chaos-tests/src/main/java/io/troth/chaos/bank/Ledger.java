package io.troth.chaos.bank;

import java.util.ArrayList;
import java.util.EnumMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;

/** Every answer that the client was given, one per transfer. Thread-safe. */
public final class Ledger {

    private final Map<Long, Answer> answers = new TreeMap<>();
    private final List<String> contradictions = new ArrayList<>();

    /** Takes down an answer. A later certain answer replaces UNKNOWN; one that contradicts is a finding. */
    public synchronized void record(Answer answer) {
        Answer earlier = answers.put(answer.transfer(), answer);
        if (earlier == null || earlier.kind() == Answer.Kind.UNKNOWN || answer.kind() == earlier.kind()) {
            return;
        }
        contradictions.add(
                "transfer " + answer.transfer() + " was answered " + earlier.kind() + " and then " + answer.kind());
    }

    /** Changes a truthful answer into its opposite: for the test that a wrong answer is found. */
    public synchronized void falsifyOne() {
        for (Answer answer : answers.values()) {
            if (answer.kind() == Answer.Kind.COMMITTED) {
                answers.put(
                        answer.transfer(),
                        new Answer(answer.transfer(), Answer.Kind.ROLLED_BACK, answer.tx(), "falsified"));
                return;
            }
        }
        throw new IllegalStateException("no transfer was committed, so none can be falsified");
    }

    public synchronized long count(Answer.Kind kind) {
        return answers.values().stream().filter(answer -> answer.kind() == kind).count();
    }

    public synchronized long size() {
        return answers.size();
    }

    /** How many answers there are of each kind. */
    public synchronized Map<Answer.Kind, Long> counts() {
        Map<Answer.Kind, Long> counts = new EnumMap<>(Answer.Kind.class);
        for (Answer.Kind kind : Answer.Kind.values()) {
            counts.put(kind, count(kind));
        }
        return counts;
    }

    /** The answer about one transfer, or UNKNOWN when there was none. */
    public synchronized Answer answer(long transfer) {
        return answers.getOrDefault(transfer, new Answer(transfer, Answer.Kind.UNKNOWN, "-", "no answer"));
    }

    /**
     * Compares every answer with what the two banks hold.
     *
     * @return what is wrong, in words; empty when every answer is true
     */
    public synchronized List<String> compare(Bank.Books first, Bank.Books second) {
        List<String> findings = new ArrayList<>(contradictions);
        Set<Long> numbers = new HashSet<>(answers.keySet());
        numbers.addAll(first.amounts().keySet());
        numbers.addAll(second.amounts().keySet());
        for (long number : numbers.stream().sorted().toList()) {
            Long lost = first.amounts().get(number);
            Long gained = second.amounts().get(number);
            if ((lost == null) != (gained == null)) {
                findings.add("transfer " + number + " happened only in the " + (lost == null ? "second" : "first")
                        + " bank");
            } else if (lost != null && gained != null && lost + gained != 0) {
                findings.add("transfer " + number + " took " + lost + " and gave " + gained);
            }
            Answer answer = answer(number);
            if (answer.kind() == Answer.Kind.COMMITTED && (lost == null || gained == null)) {
                findings.add("transfer " + number + " was answered COMMITTED, but is not in both banks");
            }
            if (answer.kind() == Answer.Kind.ROLLED_BACK && (lost != null || gained != null)) {
                findings.add("transfer " + number + " was answered ROLLED_BACK, but is in a bank");
            }
        }
        return findings;
    }
}
