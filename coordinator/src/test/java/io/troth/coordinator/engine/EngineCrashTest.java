package io.troth.coordinator.engine;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.troth.core.BranchId;
import io.troth.core.BranchWork;
import io.troth.core.GlobalTxId;
import io.troth.core.Outcome;
import io.troth.core.Vote;
import io.troth.core.coordinator.AgentMessage;
import io.troth.core.coordinator.ClientMessage;
import io.troth.core.coordinator.CommitContent;
import io.troth.core.coordinator.Event;
import io.troth.core.coordinator.LogRecord;
import java.time.Duration;
import java.util.EnumSet;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;

/**
 * The process dies at every point of every kind of transaction, with what has left arriving or lost, and what was not
 * forced lost. The next process must finish it in one way at both agents, and no two answers may contradict.
 */
class EngineCrashTest {

    /** What happens to T. */
    private enum Path {
        COMMIT,
        VOTE_NO,
        ONE_PHASE
    }

    static Stream<Arguments> everyPointOfEveryPath() {
        return Stream.of(Path.values())
                .flatMap(path -> pointsOf(path).stream()
                        .flatMap(
                                point -> Stream.of(Arguments.of(path, point, true), Arguments.of(path, point, false))));
    }

    private static Set<StepListener.Point> pointsOf(Path path) {
        EngineWorld world = EngineWorld.fresh().open();
        begin(world, path);
        world.settle();
        Set<StepListener.Point> points = EnumSet.noneOf(StepListener.Point.class);
        world.points.forEach(point -> points.add(StepListener.Point.valueOf(point.substring(0, point.indexOf(' ')))));
        return points;
    }

    @Test
    void knowsEveryPoint() {
        Set<StepListener.Point> all = EnumSet.noneOf(StepListener.Point.class);
        for (Path path : Path.values()) {
            all.addAll(pointsOf(path));
        }
        assertEquals(EnumSet.allOf(StepListener.Point.class), all);
    }

    @ParameterizedTest
    @MethodSource("everyPointOfEveryPath")
    void endsInOneWayAfterADeathAt(Path path, StepListener.Point point, boolean lastArrives) {
        EngineWorld first = EngineWorld.fresh().open();
        first.diesAt = point.name();
        Begun begun = begin(first, path);
        first.settle();
        assertEquals(1, first.heard.crashes.size(), "the point was reached");
        assertTrue(first.engine.isStopped(), "who stands half way through a step never makes another one");
        if (lastArrives) {
            first.deliverLast();
        }

        EngineWorld second = first.crash(true).open();
        second.submit(new Event.OutcomeInquiry(second.request(), begun.tx(), begun.content()));
        second.settle();

        boolean onePhase = path == Path.ONE_PHASE;
        Set<Boolean> ends = new HashSet<>();
        for (FakeAgent agent : first.agents) {
            assertTrue(agent.prepared.isEmpty(), "prepared at " + agent.resource);
            if (!onePhase || agent.resource.equals("accounts")) {
                ends.add(agent.committed.contains(begun.tx()));
            }
        }
        assertEquals(1, ends.size(), "committed here and not there");
        boolean committed = ends.contains(true);
        if (path == Path.VOTE_NO) {
            assertFalse(committed);
        }
        // One branch that is asked again by a stranger to it says that it does not know: UNKNOWN, never a guess.
        Outcome expected = onePhase ? Outcome.UNKNOWN : committed ? Outcome.COMMITTED : Outcome.ROLLED_BACK;
        if (!onePhase) {
            assertEquals(expected, onlyAnswer(second));
        }
        first.gateway.answers().forEach(answer -> {
            if (answer.outcome() == Outcome.COMMITTED || answer.outcome() == Outcome.ROLLED_BACK) {
                assertEquals(committed ? Outcome.COMMITTED : Outcome.ROLLED_BACK, answer.outcome());
            }
        });
    }

    @Test
    void drivesPhaseTwoWhenItDiedBetweenForceAndSend() {
        EngineWorld first = EngineWorld.fresh().open();
        first.logWrites = false;
        GlobalTxId tx = first.commitTwo();
        first.settle();
        assertEquals(1, first.simulated().write(), "COMMIT becomes durable, and the engine never hears of it");
        assertTrue(first.gateway.answers().isEmpty());

        EngineWorld second = first.crash(true).open();
        second.ask(tx);
        second.settle();
        assertEquals(Outcome.COMMITTED, onlyAnswer(second));
        assertTrue(first.agents.stream().allMatch(agent -> agent.committed.contains(tx) && agent.prepared.isEmpty()));
    }

    @Test
    void sendsTheSamePhaseTwoAgainAfterARestartAndIsHeard() {
        EngineWorld first = EngineWorld.fresh().open();
        GlobalTxId tx = first.commitTwo();
        first.diesAt = StepListener.Point.BEFORE_APPEND_END.name();
        first.settle();
        assertTrue(first.agents.stream().allMatch(agent -> agent.committed.contains(tx)));

        EngineWorld second = first.crash(true).open();
        assertEquals(2, second.gateway.toAgents(message -> message instanceof AgentMessage.CommitBranch));
        assertTrue(second.simulated().written().stream().anyMatch(entry -> entry.record() instanceof LogRecord.End));
    }

    @Test
    void aCommitThatWasHandedOverBeatsTheDeadlineAndTheScan() {
        EngineWorld world = EngineWorld.fresh().open();
        world.logWrites = false;
        GlobalTxId tx = world.commitTwo();
        world.settle();
        FakeAgent agent = world.agents.get(0);

        world.pass(Duration.ofMinutes(5));
        world.submit(new Event.BranchInquiry(agent.stream, tx, agent.prepared.firstKey(), agent.resource));
        world.ask(tx);
        world.settle();
        assertEquals(Outcome.PENDING, onlyAnswer(world));
        assertEquals(2, agent.prepared.size() + world.agents.get(1).prepared.size());
        assertEquals(0, world.gateway.toAgents(message -> message instanceof AgentMessage.RollbackBranch));

        world.logWrites = true;
        world.settle();
        assertTrue(world.agents.stream().allMatch(each -> each.committed.contains(tx)));
    }

    @Test
    void aDeadlineThatCameFirstBeatsTheLastVote() {
        EngineWorld world = EngineWorld.fresh().open();
        world.agents.get(1).answers = false;
        GlobalTxId tx = world.commitTwo();
        world.settle();
        world.pass(Duration.ofMinutes(1));
        assertEquals(Outcome.ROLLED_BACK, onlyAnswer(world));

        FakeAgent late = world.agents.get(1);
        int before = world.simulated().recordsWritten();
        world.submit(new Event.VoteReceived(late.stream, tx, new BranchId(late.instance, 1), Vote.YES, null, null));
        late.answers = true;
        world.settle();
        assertEquals(before, world.simulated().recordsWritten());
        assertTrue(late.rolledBack.contains(tx));
    }

    private record Begun(GlobalTxId tx, CommitContent content) {}

    private static Begun begin(EngineWorld world, Path path) {
        GlobalTxId tx = world.begin();
        FakeAgent[] at =
                path == Path.ONE_PHASE ? new FakeAgent[] {world.agents.get(0)} : world.agents.toArray(FakeAgent[]::new);
        world.agents.get(1).vote = path == Path.VOTE_NO ? Vote.NO : Vote.YES;
        List<BranchWork> works = world.enlist(tx, at);
        world.commit(tx, works, true);
        return new Begun(tx, new CommitContent(works, true));
    }

    private static Outcome onlyAnswer(EngineWorld world) {
        List<ClientMessage.Answer> answers = world.gateway.answers();
        assertEquals(1, answers.size());
        return answers.get(0).outcome();
    }
}
