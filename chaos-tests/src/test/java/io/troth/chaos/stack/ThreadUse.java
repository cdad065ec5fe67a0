package io.troth.chaos.stack;

import com.sun.management.ThreadMXBean;
import java.lang.management.ManagementFactory;
import java.lang.management.ThreadInfo;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import java.util.TreeSet;
import org.awaitility.Awaitility;

/**
 * What one transaction costs each kind of thread that it passes: the bytes that it allocates there, and how often the
 * thread went to sleep, which is how often work was handed to it. Read from the JVM's own counters, so that time plays no
 * part but for timers, which are reckoned out: a busy machine lets a thread find its next work without sleeping, and makes
 * it sleep more often only where a lock is taken.
 *
 * <p>A thread of netty sleeps in the kernel, which the JVM does not count: 0. The kernel's own count would have the pings
 * and window updates of HTTP/2 in it, and the JVM's safepoints. What wakes such a thread for a transaction are messages that
 * come, and entries that it has to send: {@link CostTest} counts both, and what else is handed to the coordinator's loop.
 *
 * @param byKind by the name of the threads without their numbers
 */
record ThreadUse(Map<String, Use> byKind) {

    /** The caller's own thread. */
    static final String CALLER = "caller";

    private static final ThreadMXBean THREADS = (ThreadMXBean) ManagementFactory.getThreadMXBean();

    /** By so much may a figure grow before somebody has to look at it. */
    private static final double BYTES_RATIO_MAX = 1.3;

    /** And by so much besides: once a second a busy client tells how far it is, and few transactions may share that. */
    private static final double BYTES_MORE_MAX = 1_000;

    /** One hand-over more is one too many; a lock is now and then taken. */
    private static final double SLEEPS_MORE_MAX = 0.5;

    /** Long enough for what happens once a second. */
    private static final Duration IDLE = Duration.ofSeconds(3);

    /** For a machine that stands still meanwhile. */
    private static final Duration LIMIT = Duration.ofSeconds(60);

    /** A thread that allocates less is not passed by the transaction. */
    private static final double BYTES_MIN = 200;

    /** On average. */
    record Use(double bytes, double sleeps) {}

    /** What one thread has used since it started. Looking costs the looker: the figures before and after that differ. */
    private record Counted(String kind, long bytesBefore, long bytesAfter, long sleeps) {}

    /** Counters at one moment. */
    static final class Look {

        private final Map<Long, Counted> threads = new HashMap<>();
        private final long nanos = System.nanoTime();

        /** @param strangers the threads that were there before */
        Look(Set<Long> strangers) {
            long own = Thread.currentThread().getId();
            long[] ids = THREADS.getAllThreadIds();
            long[] bytes = THREADS.getThreadAllocatedBytes(ids);
            ThreadInfo[] infos = THREADS.getThreadInfo(ids);
            Counted mine = null;
            for (int i = 0; i < ids.length; i++) {
                if (infos[i] != null && ids[i] == own) {
                    mine = new Counted(CALLER, bytes[i], 0, infos[i].getWaitedCount());
                } else if (infos[i] != null && !strangers.contains(ids[i])) {
                    String kind = infos[i].getThreadName().replaceAll("[-0-9]+$", "");
                    threads.put(ids[i], new Counted(kind, bytes[i], bytes[i], infos[i].getWaitedCount()));
                }
            }
            if (mine != null) {
                threads.put(
                        own,
                        new Counted(CALLER, mine.bytesBefore(), THREADS.getThreadAllocatedBytes(own), mine.sleeps()));
            }
        }
    }

    /** The ids of the threads there are. */
    static Set<Long> running() {
        Set<Long> ids = new HashSet<>();
        for (long id : THREADS.getAllThreadIds()) {
            ids.add(id);
        }
        return ids;
    }

    /** What is used in a second when nothing is to be done: by timers, and by threads that look around. */
    static ThreadUse idle(Set<Long> strangers) {
        Look before = new Look(strangers);
        Awaitility.await().during(IDLE).atMost(LIMIT).until(() -> true);
        Look after = new Look(strangers);
        ThreadUse idle = used(before, after, seconds(before, after));
        // It is the one who looks.
        idle.byKind.remove(CALLER);
        return idle;
    }

    /** What each transaction used between two looks, beside what would have been used without any. */
    static ThreadUse between(Look before, Look after, int transactions, ThreadUse idle) {
        double secondsEach = seconds(before, after) / transactions;
        ThreadUse all = used(before, after, transactions);
        Map<String, Use> byKind = new TreeMap<>();
        all.byKind.forEach((kind, use) -> {
            Use its = idle.byKind.getOrDefault(kind, new Use(0, 0));
            double bytes = use.bytes() - its.bytes() * secondsEach;
            if (bytes >= BYTES_MIN) {
                byKind.put(kind, new Use(bytes, use.sleeps() - its.sleeps() * secondsEach));
            }
        });
        return new ThreadUse(byKind);
    }

    private static double seconds(Look before, Look after) {
        return (after.nanos - before.nanos) / 1e9;
    }

    private static ThreadUse used(Look before, Look after, double divisor) {
        Map<String, Use> byKind = new TreeMap<>();
        after.threads.forEach((id, thread) -> {
            Counted earlier = before.threads.getOrDefault(id, new Counted(thread.kind(), 0, 0, 0));
            byKind.merge(
                    thread.kind(),
                    new Use(
                            (thread.bytesBefore() - earlier.bytesAfter()) / divisor,
                            (thread.sleeps() - earlier.sleeps()) / divisor),
                    (one, other) -> new Use(one.bytes() + other.bytes(), one.sleeps() + other.sleeps()));
        });
        return new ThreadUse(byKind);
    }

    /** The lower of each figure: what else happens in this JVM meanwhile only adds, and not each time. */
    ThreadUse lower(ThreadUse other) {
        Map<String, Use> lower = new TreeMap<>();
        byKind.forEach((kind, use) -> {
            Use its = other.byKind.get(kind);
            if (its != null) {
                lower.put(kind, new Use(Math.min(use.bytes(), its.bytes()), Math.min(use.sleeps(), its.sleeps())));
            }
        });
        return new ThreadUse(lower);
    }

    /** A sentence for each figure that has grown, and for each kind of thread that was not passed before. */
    List<String> growthSince(ThreadUse old) {
        List<String> grown = new ArrayList<>();
        for (String kind : new TreeSet<>(byKind.keySet())) {
            Use now = byKind.get(kind);
            Use was = old.byKind.getOrDefault(kind, new Use(0, 0));
            if (now.bytes() > was.bytes() * BYTES_RATIO_MAX + BYTES_MORE_MAX) {
                grown.add(text("%s allocates %.0f bytes, it was %.0f", kind, now.bytes(), was.bytes()));
            }
            if (now.sleeps() > was.sleeps() + SLEEPS_MORE_MAX) {
                grown.add(text("%s was handed work %.1f times, it was %.1f", kind, now.sleeps(), was.sleeps()));
            }
        }
        return grown;
    }

    @Override
    public String toString() {
        StringBuilder text = new StringBuilder();
        byKind.forEach((kind, use) -> text.append(text("%s: %.0f bytes, %.1f; ", kind, use.bytes(), use.sleeps())));
        return text.toString();
    }

    private static String text(String format, Object... values) {
        return String.format(Locale.ROOT, format, values);
    }
}
