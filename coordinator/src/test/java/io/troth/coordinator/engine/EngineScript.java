package io.troth.coordinator.engine;

import static org.junit.jupiter.api.Assertions.assertTrue;

import io.troth.coordinator.metrics.CoordinatorMetrics;
import io.troth.core.BranchWork;
import io.troth.core.GlobalTxId;
import io.troth.core.SessionKey;
import io.troth.core.Vote;
import io.troth.core.coordinator.CoordinatorStateMachine;
import io.troth.core.coordinator.Event;
import io.troth.core.coordinator.StreamId;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.function.Function;

/** A run in which each kind of end happens: what the meters are compared with. */
public final class EngineScript {

    private final EngineWorld world;

    /** {@code listener} hears all of it. */
    public EngineScript(EngineListener listener) {
        world = new EngineWorld(
                new SimulatedDecisionLog(), EngineWorld.twoAgents(), new EngineWorld.Options().listeners(listener));
    }

    /**
     * Two commits (one of them in one phase), two rollbacks, one all read-only, one enlist with a wrong key, one
     * transaction left active, and one committed whose second branch never acknowledges.
     */
    public void runEach(Runnable between) {
        world.open();
        FakeAgent first = world.agents.get(0);
        FakeAgent second = world.agents.get(1);
        world.commitTwo();
        next(between);
        GlobalTxId alone = world.begin();
        world.commit(alone, world.enlist(alone, first), true);
        next(between);
        GlobalTxId given = world.begin();
        world.rollback(given, world.enlist(given, first, second));
        next(between);
        second.vote = Vote.NO;
        world.commitTwo();
        next(between);
        first.vote = Vote.READ_ONLY;
        second.vote = Vote.READ_ONLY;
        world.commitTwo();
        next(between);
        first.vote = Vote.YES;
        second.vote = Vote.YES;
        world.submit(new Event.Enlist(
                first.stream, world.begin(), new SessionKey(1, 2), first.newBranch(), first.resource, 60_000));
        world.enlist(world.begin(), first);
        next(between);
        GlobalTxId halfDone = world.begin();
        List<BranchWork> works = world.enlist(halfDone, first, second);
        second.commits = false;
        world.commit(halfDone, works, true);
        next(between);
    }

    /** A write of the log hangs, or has returned. */
    public void hangs(boolean hangs) {
        world.simulated().stall(hangs);
        world.settle();
    }

    /** Another one is to lead. */
    public void stops() {
        CompletableFuture<Boolean> drained = world.engine.drain(Duration.ZERO);
        world.settle();
        assertTrue(drained.isDone());
    }

    /** Lets the meters look at the engine: here the looker has to run it. */
    public void answersLooks(CoordinatorMetrics metrics) {
        metrics.watch(new EngineInbox() {
            @Override
            public StreamId newStream() {
                return world.engine.newStream();
            }

            @Override
            public SessionKey newSessionKey() {
                return world.engine.newSessionKey();
            }

            @Override
            public void submit(List<Event> events, Runnable stepped) {
                world.engine.submit(events, stepped);
            }

            @Override
            public <T> CompletableFuture<T> look(Function<CoordinatorStateMachine, T> look) {
                CompletableFuture<T> looked = world.engine.look(look);
                world.settle();
                return looked;
            }
        });
    }

    private void next(Runnable between) {
        world.settle();
        between.run();
    }
}
