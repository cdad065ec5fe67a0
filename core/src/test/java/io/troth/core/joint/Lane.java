package io.troth.core.joint;

import java.util.ArrayList;
import java.util.List;
import java.util.SplittableRandom;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;

/** Things that will happen: in the order in which they were put in, like the bytes of a stream, or in any order. */
final class Lane {

    /** {@code name} is for the schedule; null when what happens tells by itself. */
    record Task(@Nullable Supplier<String> name, Runnable body) {}

    private final boolean ordered;
    private final List<Task> tasks = new ArrayList<>();
    private boolean closed;

    Lane(boolean ordered) {
        this.ordered = ordered;
    }

    void add(Supplier<String> name, Runnable body) {
        tasks.add(new Task(name, body));
    }

    /** Nothing more will be put in. */
    void close() {
        closed = true;
    }

    boolean isOver() {
        return closed && tasks.isEmpty();
    }

    boolean isEmpty() {
        return tasks.isEmpty();
    }

    Task take(SplittableRandom random) {
        return tasks.remove(ordered ? 0 : random.nextInt(tasks.size()));
    }

    void clear() {
        tasks.clear();
    }

    /** Some of the youngest get lost, as when a connection breaks. */
    void loseSome(SplittableRandom random) {
        int kept = random.nextInt(tasks.size() + 1);
        while (tasks.size() > kept) {
            tasks.remove(tasks.size() - 1);
        }
    }

    /** A copy of what is left, to be carried out or not by whoever takes over. */
    List<Task> drain() {
        List<Task> all = List.copyOf(tasks);
        tasks.clear();
        return all;
    }
}
