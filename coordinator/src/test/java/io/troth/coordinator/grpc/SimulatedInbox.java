package io.troth.coordinator.grpc;

import io.troth.coordinator.engine.EngineInbox;
import io.troth.core.SessionKey;
import io.troth.core.coordinator.CoordinatorLimits;
import io.troth.core.coordinator.CoordinatorStateMachine;
import io.troth.core.coordinator.Event;
import io.troth.core.coordinator.StreamId;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.function.Function;

/** An engine that only notes what it is given. What was stepped is up to the test. */
final class SimulatedInbox implements EngineInbox {

    private final CoordinatorStateMachine machine = new CoordinatorStateMachine(0, CoordinatorLimits.DEFAULTS);
    private final List<List<Event>> batches = new ArrayList<>();
    private final Deque<Runnable> unstepped = new ArrayDeque<>();
    private boolean stalled;
    private long streams;
    private int looks;

    @Override
    public synchronized StreamId newStream() {
        return new StreamId(++streams);
    }

    @Override
    public SessionKey newSessionKey() {
        return new SessionKey(7, 8);
    }

    @Override
    public synchronized void submit(List<Event> events, Runnable stepped) {
        batches.add(List.copyOf(events));
        if (stalled) {
            unstepped.add(stepped);
        } else {
            stepped.run();
        }
    }

    @Override
    public synchronized <T> CompletableFuture<T> look(Function<CoordinatorStateMachine, T> look) {
        looks++;
        return CompletableFuture.completedFuture(look.apply(machine));
    }

    /** From now on nothing is stepped. */
    synchronized void stall() {
        stalled = true;
    }

    /** Steps everything that waits, and everything that comes. */
    synchronized void resume() {
        stalled = false;
        unstepped.forEach(Runnable::run);
        unstepped.clear();
    }

    synchronized int looks() {
        return looks;
    }

    synchronized int batches() {
        return batches.size();
    }

    synchronized List<Event> events() {
        return batches.stream().flatMap(List::stream).toList();
    }

    synchronized <E extends Event> List<E> events(Class<E> kind) {
        return events().stream().filter(kind::isInstance).map(kind::cast).toList();
    }
}
