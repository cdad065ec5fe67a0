package io.troth.core.participant;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.troth.core.EpochId;
import io.troth.core.GlobalTxId;
import io.troth.core.coordinator.AgentMessage;
import java.util.List;
import org.junit.jupiter.api.Test;

/** Goal: the rules of protocol 5.2 and 9.6 about epochs, and who is told that a client session is closed. */
class AgentEpochsTest {

    @Test
    void refusesTheSameEpochNumberWithAnotherNonce() {
        AgentHarness agent = new AgentHarness().welcomed();
        EpochId back = new EpochId(AgentHarness.EPOCH.number(), AgentHarness.EPOCH.nonce() + 1);
        agent.machine.step(new AgentEvent.StreamBroken(AgentHarness.WHY));
        assertTrue(agent.welcome(back).contains("CloseStream"));
        assertNull(agent.machine.ready());
        assertEquals(List.of("CallRefused NO_COORDINATOR"), agent.join(AgentHarness.TX, 1, 1));
    }

    @Test
    void aLeaderOfTheSameNumberWithAnotherNonceKnowsNothingOfItsTransactions() {
        EpochId back = new EpochId(AgentHarness.EPOCH.number(), AgentHarness.EPOCH.nonce() + 1);
        for (AgentMessage order : List.of(
                new AgentMessage.RollbackBranch(AgentHarness.TX, AgentHarness.BRANCH, AgentHarness.RESOURCE),
                new AgentMessage.CommitBranch(AgentHarness.TX, AgentHarness.BRANCH, AgentHarness.RESOURCE, null, false),
                new AgentMessage.AskOnePhase(AgentHarness.TX, AgentHarness.BRANCH))) {
            AgentHarness agent = new AgentHarness().prepared();
            assertEquals(List.of(), agent.order(back, order));
            assertEquals(BranchState.PREPARED, agent.state());
        }
    }

    /** The operator knows what the log does not (seed 71863 of the simulator: two logs of one epoch number). */
    @Test
    void whatAnOperatorHasDecidedHoldsForAnyTransaction() {
        EpochId back = new EpochId(AgentHarness.EPOCH.number(), AgentHarness.EPOCH.nonce() + 1);
        AgentHarness rolledBack = new AgentHarness().prepared();
        assertTrue(rolledBack
                .order(
                        back,
                        new AgentMessage.RollbackBranch(
                                AgentHarness.TX, AgentHarness.BRANCH, AgentHarness.RESOURCE, true))
                .contains("RollbackPrepared"));
        AgentHarness committed = new AgentHarness().prepared();
        assertTrue(committed
                .order(
                        back,
                        new AgentMessage.CommitBranch(
                                AgentHarness.TX, AgentHarness.BRANCH, AgentHarness.RESOURCE, null, false, true))
                .contains("CommitPrepared proof"));
    }

    @Test
    void refusesALeaderOfALowerEpoch() {
        AgentHarness agent = new AgentHarness().welcomed();
        agent.welcome(AgentHarness.NEXT_EPOCH);
        assertTrue(agent.welcome(AgentHarness.EPOCH).contains("CloseStream"));
    }

    @Test
    void aDeposedLeaderPreparesNothingAndItsDecisionsAreCarriedOut() {
        AgentHarness prepared = new AgentHarness().prepared();
        prepared.step(new AgentEvent.Heard(AgentHarness.NEXT_EPOCH, 1));
        assertTrue(prepared.order(new AgentMessage.CommitBranch(
                        AgentHarness.TX, AgentHarness.BRANCH, AgentHarness.RESOURCE, null, false))
                .contains("CommitPrepared proof"));

        AgentHarness active = new AgentHarness().active();
        active.step(new AgentEvent.Heard(AgentHarness.NEXT_EPOCH, 1));
        assertEquals(List.of(), active.order(new AgentMessage.Prepare(AgentHarness.TX, AgentHarness.BRANCH, 1)));
        assertEquals(List.of(), active.order(new AgentMessage.CommitOnePhase(AgentHarness.TX, AgentHarness.BRANCH, 1)));
    }

    @Test
    void aClosedSessionTakesItsOwnBranchesWithItAndNoOthers() {
        AgentHarness agent = new AgentHarness().welcomed();
        for (long session = 4; session <= 6; session++) {
            agent.join(new GlobalTxId(0, AgentHarness.EPOCH, session, 1), session, session);
            agent.join(new GlobalTxId(2, AgentHarness.EPOCH, session, 9), 10 + session, 10 + session);
        }
        assertEquals(
                List.of("Rollback", "Rollback"), agent.order(new AgentMessage.SessionClosed(AgentHarness.EPOCH, 5)));
        assertEquals(List.of(), agent.order(new AgentMessage.SessionClosed(AgentHarness.EPOCH, 5)));
        assertEquals(List.of(), agent.order(new AgentMessage.SessionClosed(AgentHarness.NEXT_EPOCH, 4)));
    }
}
