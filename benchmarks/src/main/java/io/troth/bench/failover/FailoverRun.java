package io.troth.bench.failover;

import io.troth.bench.troth.ClusterCoordinators;
import io.troth.chaos.cluster.CoordinatorCluster;
import io.troth.chaos.cluster.CoordinatorCluster.Lead;
import io.troth.chaos.process.ChildProcess;
import io.troth.chaos.process.Children;
import io.troth.chaos.process.Failpoints;
import io.troth.core.BranchId;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.TimeUnit;
import java.util.function.Consumer;

/** One cluster, killed leader after leader. */
final class FailoverRun {

    private static final int MEMBERS = 3;
    private static final List<Moment> MOMENTS = List.of(Moment.values());
    private static final Duration PARK_LIMIT = Duration.ofSeconds(60);
    private static final Duration PARK_LOOK = Duration.ofSeconds(10);
    private static final long GIVE_UP_NANOS = TimeUnit.SECONDS.toNanos(60);
    private static final long POLL_NANOS = 1_000_000;
    /** So long transactions run before a kill, and after it. */
    private static final long RUN_MILLIS = 300;

    private final Children children;
    private final Path directory;
    private final int workers;
    private final Map<String, String> settings;
    private final Consumer<String> progress;

    /** What came of it: {@code wrong} is empty when every answer was true. */
    record Outcome(List<Kill> kills, List<String> wrong, String answers) {}

    FailoverRun(
            Children children, Path directory, int workers, Map<String, String> settings, Consumer<String> progress) {
        this.children = children;
        this.directory = directory;
        this.workers = workers;
        this.settings = settings;
        this.progress = progress;
    }

    /** Kills so many leaders, the moments in turn; ends early when an answer was wrong. */
    Outcome run(int kills) throws InterruptedException {
        List<Kill> done = new ArrayList<>();
        List<String> wrong = new ArrayList<>();
        try (CoordinatorCluster members = ClusterCoordinators.parkable(children, directory, MEMBERS, settings)) {
            members.awaitLeadAbove(0);
            try (Traffic traffic = new Traffic(members.endpoints(), workers)) {
                while (done.size() < kills && wrong.isEmpty()) {
                    Moment moment = MOMENTS.get(done.size() % MOMENTS.size());
                    traffic.run();
                    TimeUnit.MILLISECONDS.sleep(RUN_MILLIS);
                    Lead leader = park(members, moment.point().name());
                    Kill kill = kill(members, leader, moment, traffic);
                    done.add(kill);
                    members.awaitLeadAbove(leader.epoch());
                    TimeUnit.MILLISECONDS.sleep(RUN_MILLIS);
                    traffic.rest();
                    wrong.addAll(traffic.settle());
                    progress.accept(String.format(
                            "kill %d of %d, %s: %d in doubt; next leader after %.0f ms, all resolved after %.0f ms,"
                                    + " committing after %.0f ms%s",
                            done.size(),
                            kills,
                            moment,
                            kill.inDoubt(),
                            kill.leaderMillis(),
                            kill.resolvedMillis(),
                            kill.commitMillis(),
                            wrong.isEmpty() ? "" : "; WRONG: " + wrong));
                    members.restart(leader.node());
                    members.awaitFollows(leader.node());
                }
                return new Outcome(done, wrong, traffic.summary());
            }
        }
    }

    private static Kill kill(CoordinatorCluster members, Lead leader, Moment moment, Traffic traffic)
            throws InterruptedException {
        members.process(leader.node()).kill();
        long killed = System.nanoTime();
        traffic.watch();
        List<Set<BranchId>> inDoubt =
                traffic.databases().stream().map(RememberingDatabase::prepared).toList();
        long elected = 0;
        long resolved = 0;
        while (elected == 0 || resolved == 0 || traffic.firstCommitNanos() == 0) {
            long now = System.nanoTime();
            if (elected == 0 && members.lead().epoch() > leader.epoch()) {
                elected = now;
            }
            if (resolved == 0 && !isAnyPrepared(traffic, inDoubt)) {
                resolved = now;
            }
            if (now - killed > GIVE_UP_NANOS) {
                throw new IllegalStateException("a minute after the kill of " + leader.node() + " at " + moment
                        + (resolved == 0 ? " branches are still in doubt" : " nobody commits"));
            }
            TimeUnit.NANOSECONDS.sleep(POLL_NANOS);
        }
        int count = inDoubt.stream().mapToInt(Set::size).sum();
        return new Kill(
                moment,
                count,
                millis(elected - killed),
                millis(resolved - killed),
                millis(traffic.firstCommitNanos() - killed));
    }

    /**
     * Returns when a transaction has come to the point and its leader stands still. On a machine that is busy another one
     * may lead before that, and who leads no more comes to no point.
     */
    private static Lead park(CoordinatorCluster members, String point) {
        long deadline = System.nanoTime() + PARK_LIMIT.toNanos();
        while (true) {
            Lead leader = members.lead();
            ChildProcess process = members.process(leader.node()).child();
            process.send("arm " + point);
            try {
                process.awaitLine(Failpoints.REACHED + point + " ", PARK_LOOK);
                return leader;
            } catch (IllegalStateException late) {
                process.send("disarm " + point);
                process.send("release");
                if (System.nanoTime() - deadline > 0) {
                    throw late;
                }
            }
        }
    }

    private static boolean isAnyPrepared(Traffic traffic, List<Set<BranchId>> inDoubt) {
        for (int i = 0; i < inDoubt.size(); i++) {
            if (inDoubt.get(i).stream().anyMatch(traffic.databases().get(i)::isPrepared)) {
                return true;
            }
        }
        return false;
    }

    private static double millis(long nanos) {
        return nanos / 1e6;
    }
}
