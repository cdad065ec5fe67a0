package io.troth.coordinator.engine;

import io.troth.coordinator.log.DecisionLogContract;

/** The log that the engine's tests use keeps the contract too; else they would test against a dream. */
final class SimulatedDecisionLogTest extends DecisionLogContract {

    private SimulatedDecisionLog simulated;

    @Override
    protected DecisionLog open() {
        simulated = simulated == null ? new SimulatedDecisionLog() : simulated.crash(false);
        return simulated;
    }

    @Override
    protected void crash(boolean losesUnforced) {
        simulated = simulated.crash(losesUnforced);
    }

    @Override
    protected void settle() {
        simulated.write();
    }

    @Override
    protected void failNextForcedWrite(boolean recordsSurvive) {
        simulated.failNextWrite(new IllegalStateException("simulated"), recordsSurvive);
    }
}
