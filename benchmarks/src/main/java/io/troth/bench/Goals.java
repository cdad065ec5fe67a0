package io.troth.bench;

import io.troth.bench.contender.Suite;
import io.troth.bench.postgres.HandDriven;
import io.troth.bench.report.Figure;
import io.troth.bench.report.FigureReader;
import io.troth.bench.report.Goal;
import io.troth.bench.run.Result;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/** What Troth wants to reach, as far as a run can tell; ratios within one run, since rates are those of a machine. */
final class Goals {

    private static final String TROTH = "troth";
    private static final String NOOP = "troth-noop";
    private static final String NAIVE = "naive-noop";
    private static final String FLOOR = "stream-floor";
    private static final String COMPLETE = HandDriven.COMPLETE;

    /** Everybody else over PostgreSQL is a peer. */
    private static final Set<String> NO_PEERS =
            Set.of("local", "2pc", "2pc-log", COMPLETE, TROTH, "troth-decided", "troth-processes", "troth-cluster");

    /** All other ratios are the median of those within the rounds. */
    private static final String TWO_LEVELS = " (two levels, so not of the same round)";

    private final Result result;
    private final FigureReader read;
    private final List<Goal> goals = new ArrayList<>();

    private Goals(Result result) {
        this.result = result;
        this.read = new FigureReader(result);
    }

    /** Those that the run says something about. */
    static List<Goal> of(Result result) {
        Goals goals = new Goals(result);
        if (result.plan().contenders().get(0).suite() == Suite.NOOP) {
            goals.noop();
        } else {
            goals.postgres(result.plan().mix().name());
        }
        return List.copyOf(goals.goals);
    }

    private void noop() {
        atMost("p50 at 1 in flight, by that of the stream floor", 2, read.p50Ratio(NOOP, FLOOR, 1));
        atMost(
                "p50 at 16 in flight, by that of the stream floor at 1" + TWO_LEVELS,
                3,
                Figure.ratio(read.p50(NOOP, 16), read.p50(FLOOR, 1)));
        atLeast("throughput at 16 in flight, by that of naive", 15, read.ratio(NOOP, NAIVE, 16));
        atLeast("throughput at 256 in flight, by that of naive", 30, read.ratio(NOOP, NAIVE, 256));
        atLeast(
                "throughput of blocking callers at 256 in flight, by that of naive",
                20,
                read.ratio("troth-noop-blocking", NAIVE, 256));
        atLeast(
                "throughput at 1,024 in flight, by that at 256" + TWO_LEVELS,
                0.95,
                Figure.ratio(read.throughput(NOOP, 1_024), read.throughput(NOOP, 256)));
        atMost("CPU-us of the coordinator per transaction at 256", 20, read.cpuOf("coordinator", NOOP, 256));
        atMost("CPU-us of all processes per transaction at 256", 40, read.cpu(NOOP, 256));
        atLeast(
                "throughput at 256 in flight, by that with a log in memory",
                0.85,
                read.ratio(NOOP, "troth-noop-ram", 256));
        atLeast(
                "throughput of three coordinators at 256 in flight, by that of one",
                0.1,
                read.ratio("troth-noop-cluster", NOOP, 256));
        // The counter is read while transactions are in flight: one or two of a turn may be on the other side.
        atMost("forced writes per transaction at 1 in flight", 1.005, read.forced(NOOP, 1));
        atMost("forced writes per transaction at 16 in flight", 0.1, read.forced(NOOP, 16));
        atMost("forced writes per transaction at 256 in flight", 0.01, read.forced(NOOP, 256));
    }

    private void postgres(String work) {
        if (work.equals("one-branch")) {
            result.plan()
                    .levels()
                    .forEach(inFlight -> atLeast(
                            "one branch: throughput at " + inFlight + " in flight, by that of local commits",
                            0.9,
                            read.ratio(TROTH, "local", inFlight)));
        }
        if (!work.equals("transfer")) {
            return;
        }
        atMost("p50 at 1 in flight, by that of " + COMPLETE, 1.25, read.p50Ratio(TROTH, COMPLETE, 1));
        atMost(
                "p50 at 1 in flight with wait=DECIDED, by that of 2pc-log",
                1,
                read.p50Ratio("troth-decided", "2pc-log", 1));
        for (int inFlight : result.plan().levels()) {
            String throughput = "throughput at " + inFlight + " in flight, by that of ";
            if (inFlight == 8 || inFlight == 32) {
                atLeast(throughput + COMPLETE, 0.95, read.ratio(TROTH, COMPLETE, inFlight));
            }
            if (inFlight == 256) {
                atLeast(throughput + "one, of three coordinators", 0.3, read.ratio("troth-cluster", TROTH, inFlight));
            }
            if (inFlight >= 8) {
                result.plan().contenders().stream()
                        .map(contender -> contender.name())
                        .filter(name -> !NO_PEERS.contains(name))
                        .forEach(peer -> atLeast(throughput + peer, 1, read.ratio(TROTH, peer, inFlight)));
            }
        }
    }

    private void atLeast(String what, double limit, @Nullable Figure figure) {
        add(what, limit, true, figure);
    }

    private void atMost(String what, double limit, @Nullable Figure figure) {
        add(what, limit, false, figure);
    }

    private void add(String what, double limit, boolean atLeast, @Nullable Figure figure) {
        if (figure != null) {
            goals.add(Goal.of(what, limit, atLeast, figure));
        }
    }
}
