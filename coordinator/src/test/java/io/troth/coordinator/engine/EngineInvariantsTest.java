package io.troth.coordinator.engine;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.troth.core.BranchWork;
import io.troth.core.EpochId;
import io.troth.core.GlobalTxId;
import io.troth.core.Invariant;
import io.troth.core.Vote;
import io.troth.core.coordinator.AgentMessage;
import io.troth.core.coordinator.ClientMessage;
import io.troth.core.coordinator.CommitContent;
import io.troth.core.coordinator.CoordinatorLimits;
import io.troth.core.coordinator.CorruptibleLeader;
import io.troth.core.coordinator.Event;
import io.troth.core.coordinator.LogEntry;
import io.troth.core.coordinator.LogRecord;
import io.troth.core.coordinator.TransactionState;
import java.util.List;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

/**
 * Every invariant that the coordinator asserts in production: its state is damaged, and the engine stops with the
 * invariant's name before anybody hears the outcome that would be a lie. I9 and I10 are asserted by the agent.
 */
class EngineInvariantsTest {

    private static final CoordinatorLimits SMALL_WINDOW = new CoordinatorLimits(
            100, 10, 3, 64, 10, 10, 3_600_000L, 1_000L, 1_000L, 10_000L, 1_000L, 5_000L, 3_600_000L, 86_400_000L);

    private final CorruptibleLeader leader = new CorruptibleLeader(SMALL_WINDOW);
    private final EngineWorld world = new EngineWorld(
                    new SimulatedDecisionLog(),
                    EngineWorld.twoAgents(),
                    new EngineWorld.Options().limits(SMALL_WINDOW).machine(leader.machine()))
            .open();

    private long leftBefore;

    @AfterEach
    void neverStepsAgain() {
        assertTrue(world.engine.isStopped());
        assertEquals(leftBefore, world.gateway.left().size(), "nothing of that turn has left");
        world.commitTwo();
        assertFalse(world.engine.runOnce());
        assertEquals(1, world.heard.violations.size());
        assertTrue(world.heard.crashes.isEmpty() && world.heard.logFailures.isEmpty());
    }

    @Test
    void i1DecidesOwnFullyVoted() {
        GlobalTxId tx = commitHeldBack();
        leader.setState(tx, TransactionState.PREPARING);
        breaks(Invariant.I1_DECIDES_OWN_FULLY_VOTED, world.simulated()::write);
    }

    @Test
    void i2NeverBackAfterHanding() {
        world.agents.forEach(agent -> agent.commits = false);
        GlobalTxId tx = world.commitTwo();
        world.settle();
        leader.setState(tx, TransactionState.COMMITTING);
        world.agents.forEach(agent -> agent.commits = true);
        breaks(Invariant.I2_NEVER_BACK_AFTER_HANDING, () -> world.agents.forEach(this::saysDone));
    }

    @Test
    void i3CommittedOnlyWithRecord() {
        world.agents.forEach(agent -> agent.commits = false);
        GlobalTxId tx = world.begin();
        List<BranchWork> works = world.enlist(tx, world.agents.get(0), world.agents.get(1));
        world.commit(tx, works, true);
        world.settle();
        leader.forgetCommit(tx);
        CommitContent content = new CommitContent(works, true);
        breaks(
                Invariant.I3_COMMITTED_ONLY_WITH_RECORD,
                () -> world.submit(
                        new Event.CommitRequested(world.request(), tx, world.key(), 1, content, false, 60_000)));
    }

    @Test
    void i4RolledBackOnlyWhenCertain() {
        GlobalTxId tx = world.begin();
        List<BranchWork> works = world.enlist(tx, world.agents.get(0), world.agents.get(1));
        world.rollback(tx, works);
        world.settle();
        leader.inventCommit(tx);
        breaks(Invariant.I4_ROLLED_BACK_ONLY_WHEN_CERTAIN, () -> world.commit(tx, works, true));
    }

    @Test
    void i5CommitSetVotedYes() {
        GlobalTxId tx = commitHeldBack();
        leader.setFirstVote(tx, Vote.NO);
        breaks(Invariant.I5_COMMIT_SET_VOTED_YES, world.simulated()::write);
    }

    @Test
    void i6EndsOnce() {
        GlobalTxId tx = world.begin();
        List<BranchWork> works = world.enlist(tx, world.agents.get(0));
        world.settle();
        leader.inventEnd(tx);
        breaks(Invariant.I6_ENDS_ONCE, () -> world.rollback(tx, works));
    }

    @Test
    void i7PurgesOnlyEnded() {
        world.agents.forEach(agent -> agent.commits = false);
        GlobalTxId tx = world.commitTwo();
        world.settle();
        LogRecord horizon = new LogRecord.Horizon(tx.epoch(), tx.session());
        breaks(
                Invariant.I7_PURGES_ONLY_ENDED,
                () -> world.engine.applied(List.of(new LogEntry(tx.epoch().number(), horizon)), 1));
    }

    @Test
    void i8EpochsGrow() {
        LogRecord old = new LogRecord.Epoch(new EpochId(1, 99));
        breaks(Invariant.I8_EPOCHS_GROW, () -> world.engine.applied(List.of(new LogEntry(1, old)), 1));
    }

    @Test
    void i11WithinLimits() {
        GlobalTxId tx = world.begin();
        List<BranchWork> works = world.enlist(tx, world.agents.get(0));
        world.settle();
        for (int i = 0; i < 3; i++) {
            leader.inventEnd(world.begin());
        }
        breaks(Invariant.I11_WITHIN_LIMITS, () -> world.rollback(tx, works));
    }

    private GlobalTxId commitHeldBack() {
        world.logWrites = false;
        GlobalTxId tx = world.commitTwo();
        world.settle();
        assertEquals(1, world.simulated().waiting());
        return tx;
    }

    private void saysDone(FakeAgent agent) {
        world.submit(world.gateway.left().stream()
                .filter(sent ->
                        sent.stream().equals(agent.stream) && sent.toAgent() instanceof AgentMessage.CommitBranch)
                .flatMap(sent -> agent.hears(sent.stream(), sent.toAgent()).stream())
                .toArray(Event[]::new));
    }

    private void breaks(Invariant invariant, Runnable deed) {
        leftBefore = world.gateway.left().size();
        // Something harmless to say in the same turn: it must not leave either.
        world.submit(new Event.OpenSession(world.request(), world.engine.newSessionKey(), "another"));
        deed.run();
        world.settle();
        assertEquals(1, world.heard.violations.size(), "the engine has noticed");
        assertEquals(invariant, world.heard.violations.get(0).invariant());
        assertTrue(world.heard.violations.get(0).getMessage().startsWith(invariant.name()));
        assertEquals(0, world.gateway.toClients(ClientMessage.Answer.class::isInstance) - answersBefore());
    }

    private long answersBefore() {
        return world.gateway.left().stream()
                .limit(leftBefore)
                .filter(sent -> sent.toClient() instanceof ClientMessage.Answer)
                .count();
    }
}
