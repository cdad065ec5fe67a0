package io.troth.chaos.process;

import java.io.PrintStream;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;

/**
 * The named points of one child process. A point that is armed reports {@code REACHED point gtrid} and parks the thread
 * that came to it, until it is released or, the usual end, the process is killed.
 *
 * <p>Commands, one per line: {@code arm POINT [count]} (the next {@code count} arrivals park, 1 if absent; answered by
 * {@code ARMED POINT}), {@code disarm POINT}, {@code release} (everybody who is parked goes on; answered by
 * {@code RELEASED}). Thread-safe.
 */
public final class Failpoints {

    /** The start of the line that reports a reached point. */
    public static final String REACHED = "REACHED ";

    private static final Set<String> COMMANDS = Set.of("arm", "disarm", "release");

    private final PrintStream out;
    private final Object lock = new Object();
    private final Map<String, Integer> armed = new HashMap<>();
    private long releases;

    public Failpoints(PrintStream out) {
        this.out = out;
    }

    /** Whether the line is one of the commands above. */
    public static boolean isCommand(String line) {
        return COMMANDS.contains(List.of(line.split(" ", -1)).get(0));
    }

    /** Carries out one of the commands above; anything else is ignored. */
    public void command(String line) {
        String[] words = line.split(" ", -1);
        switch (words[0]) {
            case "arm" -> arm(words[1], words.length > 2 ? Integer.parseInt(words[2]) : 1);
            case "disarm" -> arm(words[1], 0);
            case "release" -> release();
            default -> {
                // Other listeners of the same input have commands of their own.
            }
        }
    }

    /** Called by the code under test when it comes to a point. Returns at once unless that point is armed. */
    public void reached(String point, String subject) {
        synchronized (lock) {
            int left = armed.getOrDefault(point, 0);
            if (left == 0) {
                return;
            }
            armed.put(point, left - 1);
            long arrivedAt = releases;
            out.println(REACHED + point + " " + subject);
            out.flush();
            boolean interrupted = false;
            while (releases == arrivedAt) {
                try {
                    lock.wait();
                } catch (InterruptedException e) {
                    // Whoever is parked stays parked: only a release or a kill ends it.
                    interrupted = true;
                }
            }
            if (interrupted) {
                Thread.currentThread().interrupt();
            }
        }
    }

    private void arm(String point, int count) {
        synchronized (lock) {
            // Said before anybody can come there, or the lines would now and then be the other way round.
            out.println((count > 0 ? "ARMED " : "DISARMED ") + point);
            out.flush();
            armed.put(point, count);
        }
    }

    private void release() {
        synchronized (lock) {
            // Said before anybody goes on, who may come to the next point at once.
            out.println("RELEASED");
            out.flush();
            releases++;
            lock.notifyAll();
        }
    }
}
