package io.troth.chaos.sim.check;

import java.util.List;

/** A pure function over a history. */
public interface Checker {

    /** Every way in which the history breaks what this checker stands for, each with its name in front; empty when none. */
    List<String> complaints(History history);

    /** All of them. {@code bankTotal} is what the accounts add up to. */
    static List<Checker> all(long bankTotal, LockChecker.Limits limits) {
        return List.of(
                new AtomicityChecker(),
                new AnswerChecker(),
                new BankChecker(bankTotal),
                new ListAppendChecker(),
                new LockChecker(limits));
    }
}
