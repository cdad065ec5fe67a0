package io.troth.chaos.sim.database;

import io.troth.core.Reason;
import io.troth.core.participant.StatementEnd;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * How a statement ended for the application.
 *
 * @param end what the agent's engine must hear
 * @param row the row as the statement left or found it; empty when it failed
 * @param failure why it failed, null when it did not
 */
public record StatementResult(
        StatementEnd end, List<Long> row, @Nullable Reason failure) {

    public StatementResult {
        row = List.copyOf(row);
    }

    public static StatementResult of(List<Long> row) {
        return new StatementResult(StatementEnd.completed(), row, null);
    }

    public static StatementResult failed(StatementEnd end, Reason failure) {
        return new StatementResult(end, List.of(), failure);
    }
}
