package io.troth.agent.jdbc;

import io.troth.agent.engine.BranchWorkspace;
import io.troth.client.context.CallScope;
import io.troth.core.BranchId;
import io.troth.core.participant.StatementEnd;
import java.util.concurrent.atomic.AtomicInteger;

/** An engine that admits everything to one branch. */
final class SimulatedWorkspace implements BranchWorkspace {

    private final BranchId branch;
    private volatile StatementEnd.Kind lastEnd;
    private final AtomicInteger running = new AtomicInteger();

    SimulatedWorkspace(BranchId branch) {
        this.branch = branch;
    }

    BranchId branch() {
        return branch;
    }

    /** How the last statement ended. */
    StatementEnd.Kind lastEnd() {
        return lastEnd;
    }

    /** The statements that were admitted and have not ended. */
    int running() {
        return running.get();
    }

    @Override
    public BranchId join(CallScope scope, String resource, long waitMillis) {
        return branch;
    }

    @Override
    public void statementBegins(CallScope scope, BranchId which) {
        running.incrementAndGet();
    }

    @Override
    public void statementEnds(BranchId which, StatementEnd end) {
        running.decrementAndGet();
        lastEnd = end.kind();
    }

    @Override
    public boolean isActive(BranchId which) {
        return true;
    }
}
