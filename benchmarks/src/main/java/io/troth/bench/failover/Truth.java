package io.troth.bench.failover;

import io.troth.core.GlobalTxId;
import io.troth.core.Outcome;
import java.util.ArrayList;
import java.util.List;

/** Compares what a client was told with what the databases have done. */
final class Truth {

    private Truth() {}

    /**
     * What is wrong, in words; empty when nothing is.
     *
     * @param branches how many of the databases it was to happen at
     * @param outcome the last word, after asking again: only a transaction in one phase may be unknown then
     */
    static List<String> compare(GlobalTxId tx, int branches, Outcome outcome, List<RememberingDatabase> databases) {
        List<String> wrong = new ArrayList<>();
        long happened =
                databases.stream().filter(database -> database.hasCommitted(tx)).count();
        if (happened != 0 && happened != branches) {
            wrong.add(tx + " happened at " + happened + " of " + branches + " databases");
            return wrong;
        }
        boolean contradicted = switch (outcome) {
            case COMMITTED, READ_ONLY -> happened == 0;
            case ROLLED_BACK -> happened != 0;
            case UNKNOWN, PENDING, FORGOTTEN, NOT_LEADER -> branches != 1;
        };
        if (contradicted) {
            wrong.add(tx + " was answered " + outcome + ", and happened at " + happened + " databases");
        }
        return wrong;
    }
}
