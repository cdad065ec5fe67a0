package io.troth.chaos.sim.resource;

import io.troth.core.participant.StatementEnd;
import java.util.List;

/**
 * How a statement ended.
 *
 * @param end what the agent must hear
 * @param isGood whether it did what it should; where it never reached the branch, the branch is none the worse for it
 * @param row the row as the statement left or found it; empty when it failed
 */
public record OperationResult(StatementEnd end, boolean isGood, List<Long> row) {

    public OperationResult {
        row = List.copyOf(row);
    }
}
