package io.troth.chaos.sim.resource;

import io.troth.core.participant.StatementEnd;
import java.util.List;

/**
 * How a statement ended.
 *
 * @param end what the agent must hear
 * @param row the row as the statement left or found it; empty when it failed
 */
public record OperationResult(StatementEnd end, List<Long> row) {

    public OperationResult {
        row = List.copyOf(row);
    }

    public boolean isGood() {
        return end.kind() == StatementEnd.Kind.COMPLETED;
    }
}
