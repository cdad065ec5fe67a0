package io.troth.chaos.cluster;

import io.troth.chaos.process.ChildProcess;
import io.troth.chaos.process.Children;
import io.troth.chaos.process.Failpoints;
import java.time.Duration;
import java.util.List;
import java.util.function.Supplier;

/**
 * One Troth process that can be killed and started again: same main, same arguments, so same data and ports. Not
 * thread-safe, except for {@link #child()}.
 */
public final class TrothProcess implements AutoCloseable {

    /** What a child main prints when it serves. */
    public static final String READY = "READY";

    private static final Duration START_LIMIT = Duration.ofSeconds(90);
    private static final Duration ANSWER_LIMIT = Duration.ofSeconds(60);

    private final String name;
    private final Supplier<ChildProcess> starter;
    private ChildProcess child;

    /** Starts it without waiting; see {@link #awaitReady()}. */
    public TrothProcess(Children children, String name, Class<?> main, List<String> arguments) {
        this(name, () -> children.startJava(name, main, arguments));
    }

    /** As the other one, by whatever starts it, each time. */
    TrothProcess(String name, Supplier<ChildProcess> starter) {
        this.name = name;
        this.starter = starter;
        this.child = starter.get();
    }

    /** The process that runs now, or ran last. */
    public ChildProcess child() {
        return child;
    }

    public String name() {
        return name;
    }

    /** Waits until it serves. */
    public TrothProcess awaitReady() {
        child.awaitLine(READY, START_LIMIT);
        return this;
    }

    /** The next {@code count} arrivals at the point will park. */
    public void arm(String point, int count) {
        child.send("arm " + point + " " + count);
        child.awaitLine("ARMED " + point, ANSWER_LIMIT);
    }

    /**
     * Waits until somebody is parked at the point.
     *
     * @return the global transaction that is there, in its text form
     * @throws IllegalStateException when nobody comes there in time
     */
    public String awaitReached(String point) {
        String line = child.awaitLine(Failpoints.REACHED + point + " ", ANSWER_LIMIT);
        return List.of(line.split(" ", -1)).get(2);
    }

    /** Lets everybody go on who is parked. */
    public void release() {
        child.send("release");
        child.awaitLine("RELEASED", ANSWER_LIMIT);
    }

    /** Sends SIGKILL and returns the exit code, {@value ChildProcess#EXIT_KILLED}. */
    public int kill() {
        return child.kill();
    }

    /** Starts it again without waiting. */
    public void restart() {
        child = starter.get();
    }

    @Override
    public void close() {
        child.close();
    }
}
