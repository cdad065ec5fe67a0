package io.troth.coordinator.engine;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotNull;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.troth.core.BranchWork;
import io.troth.core.EpochId;
import io.troth.core.ErrorCode;
import io.troth.core.GlobalTxId;
import io.troth.core.Outcome;
import io.troth.core.Reason;
import io.troth.core.Vote;
import io.troth.core.coordinator.AgentMessage;
import io.troth.core.coordinator.ClientMessage;
import io.troth.core.coordinator.CoordinatorLimits;
import io.troth.core.coordinator.Event;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.SplittableRandom;
import org.junit.jupiter.api.Test;

/**
 * What one transaction costs and how it ends. The engine runs over a simulated log; entries and forced writes are
 * counted exactly, so that a growth fails the test (test plan, pitfall 21).
 */
class CoordinatorEngineTest {

    private final EngineWorld world = EngineWorld.fresh().open();

    @Test
    void commitsTwoBranchesWithTwelveEntriesAndOneForcedWrite() {
        int forcedBefore = world.simulated().forcedWrites();
        int recordsBefore = world.simulated().recordsWritten();
        world.countFromHere();

        GlobalTxId tx = world.commitTwo();
        world.settle();

        assertEquals(Outcome.COMMITTED, onlyAnswer().outcome());
        assertEquals(12, world.entries());
        assertEquals(1, world.simulated().forcedWrites() - forcedBefore);
        assertEquals(2, world.simulated().recordsWritten() - recordsBefore, "COMMIT and END");
        assertTrue(world.agents.stream().allMatch(agent -> agent.committed.contains(tx)));
    }

    /** Who hears an epoch believes in it, and of one whose EPOCH is lost nobody would know (protocol 3). */
    @Test
    void tellsNobodyOfAnEpochWhoseRecordIsNotApplied() {
        EngineWorld early = EngineWorld.fresh();
        early.logWrites = false;
        early.connect(early.agents.get(0));
        early.settle();
        assertEquals(1, early.gateway.flushes());
        assertNull(early.gateway.flushedEpoch());
        assertEquals(List.of(), early.gateway.left(), "nor is anything said");
        assertEquals(Reason.of(ErrorCode.NOT_READY), early.engine.notReady());

        early.logWrites = true;
        early.settle();
        assertNotNull(early.gateway.flushedEpoch());
        assertEquals(1, early.gateway.toAgents(AgentMessage.Welcome.class::isInstance));
        assertNull(early.engine.notReady());
    }

    @Test
    void isNotReadyAnyMoreWhenAnAgentHasHeardOfALaterEpoch() {
        FakeAgent later = new FakeAgent(0xc, "stock");
        later.heardEpoch = new EpochId(9, 9);
        world.connect(later);
        world.settle();
        assertEquals(Reason.of(ErrorCode.LOG_DISTRUSTED), world.engine.notReady());
    }

    @Test
    void leavesNoTimerOfWhatHasEnded() {
        var unused = world.commitTwo();
        world.settle();
        long aTransactions = Duration.ofMinutes(1).toNanos();
        assertTrue(world.engine.nanosToNextTurn() > aTransactions, "there is only that of the session");
    }

    @Test
    void purgesFromTheLogWhatEndedLongAgo() {
        GlobalTxId tx = world.commitTwo();
        world.settle();
        world.submit(new Event.CloseSession(world.client(), tx.epoch(), tx.session(), world.key()));
        world.pass(Duration.ofHours(24));
        assertNotNull(world.simulated().find(tx));
        for (FakeAgent agent : world.agents) {
            world.submit(new Event.ScanReported(agent.stream, agent.resource, null, 0));
        }
        world.settle();
        assertNull(world.simulated().find(tx));
    }

    @Test
    void rollsBackWithoutAnyRecord() {
        int before = world.simulated().recordsWritten();
        GlobalTxId tx = world.begin();
        List<BranchWork> works = world.enlist(tx, world.agents.get(0), world.agents.get(1));
        world.rollback(tx, works);
        world.settle();

        assertEquals(Outcome.ROLLED_BACK, onlyAnswer().outcome());
        assertEquals(0, world.simulated().recordsWritten() - before);
        assertTrue(world.agents.stream().allMatch(agent -> agent.rolledBack.contains(tx)));
    }

    @Test
    void rollsBackWithoutAnyRecordWhenABranchVotesNo() {
        int before = world.simulated().recordsWritten();
        world.agents.get(1).vote = Vote.NO;
        GlobalTxId tx = world.commitTwo();
        world.settle();

        assertEquals(Outcome.ROLLED_BACK, onlyAnswer().outcome());
        assertEquals(0, world.simulated().recordsWritten() - before);
        assertTrue(world.agents.get(0).prepared.isEmpty());
        assertTrue(world.agents.get(0).rolledBack.contains(tx));
    }

    @Test
    void commitsOneBranchInOnePhaseWithoutAnyRecord() {
        int before = world.simulated().recordsWritten();
        world.countFromHere();
        GlobalTxId tx = world.begin();
        world.commit(tx, world.enlist(tx, world.agents.get(0)), true);
        world.settle();

        assertEquals(Outcome.COMMITTED, onlyAnswer().outcome());
        assertEquals(0, world.simulated().recordsWritten() - before);
        assertEquals(5, world.entries(), "enlist, commit, commit in one phase, its result, answer");
    }

    @Test
    void forcesNothingWhenAllBranchesAreReadOnlyAndOnceWhenOneIsNot() {
        int before = world.simulated().forcedWrites();
        world.agents.forEach(agent -> agent.vote = Vote.READ_ONLY);
        world.commitTwo();
        world.settle();
        assertEquals(Outcome.READ_ONLY, onlyAnswer().outcome());
        assertEquals(0, world.simulated().forcedWrites() - before);

        world.agents.get(0).vote = Vote.YES;
        world.commitTwo();
        world.settle();
        assertEquals(Outcome.COMMITTED, world.gateway.answers().get(1).outcome());
        assertEquals(1, world.simulated().forcedWrites() - before);
    }

    @Test
    void saysTheSameToARepeatedCommit() {
        GlobalTxId tx = world.begin();
        List<BranchWork> works = world.enlist(tx, world.agents.get(0), world.agents.get(1));
        world.commit(tx, works, true);
        world.settle();
        world.commit(tx, works, true);
        world.settle();

        assertEquals(
                List.of(Outcome.COMMITTED, Outcome.COMMITTED),
                world.gateway.answers().stream()
                        .map(ClientMessage.Answer::outcome)
                        .toList());
    }

    @Test
    void reportsEveryPointOfACommitInOrder() {
        world.commitTwo();
        world.settle();

        assertEquals(
                List.of(
                        "BEFORE_SEND_PREPARE 1",
                        "AFTER_SEND_PREPARE 1",
                        "BEFORE_APPEND_COMMIT 1",
                        "AFTER_APPEND_COMMIT 1",
                        "AFTER_COMMIT_DURABLE 1",
                        "AFTER_SEND_COMMIT 1",
                        "BEFORE_APPEND_END 1",
                        "BEFORE_SEND_ANSWER 1",
                        "AFTER_APPEND_END 1",
                        "AFTER_SEND_ANSWER 1"),
                world.points);
    }

    @Test
    void sharesOneForcedWriteAmongAllThatAreReadyTogether() {
        int before = world.simulated().forcedWrites();
        int flushes = world.gateway.flushes();
        for (int i = 0; i < 64; i++) {
            world.commitTwo();
        }
        world.settle();
        assertEquals(64, world.gateway.answers().size());
        assertEquals(1, world.simulated().forcedWrites() - before);
        assertTrue(world.gateway.flushes() - flushes <= 64 / 4, "flushes: " + (world.gateway.flushes() - flushes));
    }

    /** Record by record the log's thread would wake for the first one, and the others would wait for its force. */
    @Test
    void handsOverToTheLogTogetherWhatOneTurnHasForIt() {
        world.commitTwo();
        world.commitTwo();
        world.settle();
        assertEquals(
                List.of(
                        "BEFORE_APPEND_COMMIT 1",
                        "BEFORE_APPEND_COMMIT 2",
                        "AFTER_APPEND_COMMIT 1",
                        "AFTER_APPEND_COMMIT 2"),
                world.points.stream()
                        .filter(point -> point.contains("APPEND_COMMIT"))
                        .toList());
    }

    /** It writes the first half while the second is stepped. */
    @Test
    void handsOverToTheLogAPartBeforeItStepsTheRestOfMuch() {
        int half = ActionCarrier.RECORDS_PER_HAND_OVER;
        int count = 2 * half;
        List<Event> votes = new ArrayList<>();
        world.agents.forEach(agent -> agent.answers = false);
        for (int i = 0; i < count; i++) {
            GlobalTxId tx = world.begin();
            List<BranchWork> works = world.enlist(tx, world.agents.get(0), world.agents.get(1));
            world.commit(tx, works, true);
            for (int j = 0; j < works.size(); j++) {
                votes.add(new Event.VoteReceived(
                        world.agents.get(j).stream, tx, works.get(j).branch(), Vote.YES, null, null));
            }
        }
        world.settle();
        world.submit(votes.toArray(Event[]::new));
        world.engine.runOnce();
        assertEquals(count, world.simulated().waiting());
        int handed = world.points.indexOf("AFTER_APPEND_COMMIT " + half);
        int next = world.points.indexOf("BEFORE_APPEND_COMMIT " + (half + 1));
        assertTrue(handed < next, handed + " comes after " + next);
    }

    @Test
    void tellsThatItIsFullAndThatThereIsRoomAgainAlsoWhenNothingElseHappens() {
        CoordinatorLimits two = new CoordinatorLimits(
                2, 2, 10, 64, 10, 10, 3_600_000L, 1_000L, 1_000L, 10_000L, 1_000L, 5_000L, 3_600_000L, 86_400_000L);
        EngineWorld full = new EngineWorld(
                        new SimulatedDecisionLog(), EngineWorld.twoAgents(), new EngineWorld.Options().limits(two))
                .open();
        GlobalTxId first = full.begin();
        List<BranchWork> works = full.enlist(first, full.agents.get(0));
        full.enlist(full.begin(), full.agents.get(0));
        full.pass(Duration.ofMillis(200));
        full.rollback(first, works);
        full.settle();
        full.pass(Duration.ofMillis(200));
        assertEquals(
                List.of(false, true),
                full.gateway.left().stream()
                        .filter(sent -> sent.toClient() instanceof ClientMessage.Accepting)
                        .map(sent -> ((ClientMessage.Accepting) sent.toClient()).accepting())
                        .toList());
    }

    @Test
    void runsTheSameWayTwice() {
        assertEquals(scriptedRun(7), scriptedRun(7));
    }

    private static String scriptedRun(long seed) {
        EngineWorld run = new EngineWorld(
                        new SimulatedDecisionLog(), EngineWorld.twoAgents(), new EngineWorld.Options().seed(seed))
                .open();
        SplittableRandom random = new SplittableRandom(seed);
        for (int i = 0; i < 200; i++) {
            run.agents.get(0).vote = List.of(Vote.YES, Vote.READ_ONLY, Vote.NO).get(random.nextInt(3));
            run.agents.get(1).answers = random.nextInt(4) > 0;
            run.commitTwo();
            run.pass(Duration.ofMillis(random.nextInt(20_000)));
        }
        return run.gateway.left().toString() + run.points;
    }

    private ClientMessage.Answer onlyAnswer() {
        assertEquals(1, world.gateway.answers().size());
        return world.gateway.answers().get(0);
    }
}
