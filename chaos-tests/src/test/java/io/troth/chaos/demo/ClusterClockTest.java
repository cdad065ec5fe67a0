package io.troth.chaos.demo;

import static org.junit.jupiter.api.Assertions.assertEquals;

import io.troth.agent.engine.StepListener;
import io.troth.chaos.bank.Answer;
import io.troth.chaos.cluster.CoordinatorCluster.Lead;
import io.troth.chaos.cluster.Teller;
import io.troth.chaos.cluster.TrothProcess;
import io.troth.chaos.process.Children;
import io.troth.chaos.process.WallClocks;
import io.troth.chaos.process.WorkDirectory;
import io.troth.coordinator.engine.StepListener.Point;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.SplittableRandom;
import java.util.concurrent.ConcurrentLinkedQueue;
import org.awaitility.Awaitility;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.condition.EnabledIf;

/**
 * Goal: nothing whatever comes of wall clocks that jump, stand still or run at another speed, in any process and at any
 * moment (pitfall 18). Method: three coordinators, two databases, two agents and a client, each with a clock of its own that
 * the test turns; every transfer must be committed, by the leader of the beginning.
 */
@EnabledIf("io.troth.chaos.process.WallClocks#canBeSet")
class ClusterClockTest {

    private static final Path BINARIES = Path.of(System.getProperty("java.io.tmpdir"));
    private static final Duration LIMIT = Duration.ofSeconds(60);
    /** So many that none is ever overdrawn, which would be a rollback. */
    private static final int ACCOUNTS = 10_000;

    private static final int THREADS = 4;
    private static final int COMMITS_BETWEEN_JUMPS = 2;
    private static final int JUMPS = Integer.getInteger("troth.jumps", 60);
    private static final double[] SPEEDS = {0, 0.5, 1, 1, 1, 1, 2, 1000};
    private static final List<Duration> JUMPS_BY = List.of(
            Duration.ZERO,
            Duration.ofSeconds(1),
            Duration.ofMinutes(1),
            Duration.ofHours(1),
            Duration.ofDays(1),
            Duration.ofDays(4_000));
    /** A busy machine must not look like a clock that has jumped; what is larger than this still would. */
    private static final Map<String, String> PATIENT = Map.of("cluster.electionTimeout", "30s");

    private static WorkDirectory directory;
    private static Children children;
    private static WallClocks clocks;
    private static ClusterStage stage;
    private static Teller teller;
    private static Lead leader;
    private static long money;

    private static final ConcurrentLinkedQueue<Answer> NOT_COMMITTED = new ConcurrentLinkedQueue<>();

    @BeforeAll
    static void start() throws Exception {
        directory = WorkDirectory.create("cluster-clock-");
        clocks = new WallClocks(directory.directory("clocks"));
        children = new Children(directory.directory("logs"), clocks::environment);
        stage = new ClusterStage(directory.path(), children, BINARIES, ACCOUNTS, PATIENT);
        teller = new Teller(stage.client());
        teller.onAnswer(answer -> {
            if (answer.kind() != Answer.Kind.COMMITTED) {
                NOT_COMMITTED.add(answer);
            }
        });
        leader = stage.members().lead();
        money = stage.banks().money();
    }

    @AfterAll
    static void end() {
        children.close();
        stage.close();
        directory.close();
    }

    /** Everybody whose clock can be turned. */
    private static List<String> all() {
        List<String> all = new ArrayList<>(stage.members().nodes());
        stage.agents().forEach(agent -> all.add(agent.name()));
        all.add(stage.client().name());
        all.add(DemoBanks.BANK_A);
        all.add(DemoBanks.BANK_B);
        return all;
    }

    private static void assertNothingCameOfIt(String after) {
        assertEquals(List.of(), List.copyOf(NOT_COMMITTED), after);
        Verdict.Rest rest = Show.rest(stage.banks(), teller, money);
        assertEquals(List.of(), rest.falseAnswers(), after);
        assertEquals(money, rest.moneyAfter(), after);
        assertEquals(0, rest.prepared(), after);
        assertEquals(leader, stage.members().lead(), after);
    }

    @Test
    void inWhateverPhaseATransactionIs() {
        List<Moment> moments = new ArrayList<>();
        moments.add(new Moment(stage.client(), "BEFORE_COMMIT"));
        TrothProcess leads = stage.members().process(leader.node());
        for (Point point : Point.values()) {
            if (!point.name().contains("ONE_PHASE") && !point.name().contains("ROLLBACK")) {
                moments.add(new Moment(leads, point.name()));
            }
        }
        for (StepListener.Point point : StepListener.Point.values()) {
            if (!point.name().contains("ONE_PHASE")) {
                moments.add(new Moment(stage.agents().get(0), point.name()));
            }
        }
        long before = teller.committed();
        boolean forward = true;
        for (Moment moment : moments) {
            moment.process().arm(moment.point(), 1);
            teller.burst(1);
            moment.process().awaitReached(moment.point());
            for (String each : all()) {
                clocks.set(each, Duration.ofDays(forward ? 1 : -1), 1);
            }
            forward = !forward;
            moment.process().release();
            teller.awaitBurstDone();
        }
        assertEquals(before + moments.size(), teller.committed());
        assertNothingCameOfIt("jumps of a day at each of " + moments);
    }

    private record Moment(TrothProcess process, String point) {
        @Override
        public String toString() {
            return process.name() + " " + point;
        }
    }

    @Test
    void whileTransfersRun() {
        long seed = Long.getLong("troth.seed", System.nanoTime());
        String again = "; repeat with -Dtroth.seed=" + seed;
        SplittableRandom random = new SplittableRandom(seed);
        List<String> all = all();
        List<String> jumps = new ArrayList<>();
        teller.run(THREADS);
        for (int i = 0; i < JUMPS; i++) {
            String who = all.get(i < all.size() ? i : random.nextInt(all.size()));
            Duration by = JUMPS_BY.get(random.nextInt(JUMPS_BY.size()));
            Duration ahead = random.nextBoolean() ? by : by.negated();
            double speed = SPEEDS[random.nextInt(SPEEDS.length)];
            jumps.add(who + " " + ahead + " x " + speed);
            clocks.set(who, ahead, speed);
            awaitNoticedAndCommits(who, jumps + again);
        }
        teller.pause();
        assertNothingCameOfIt(jumps + again);
    }

    /** The process has looked at its clock since, so that the jump was one to it; and transfers go on. */
    private static void awaitNoticedAndCommits(String who, String after) {
        long committed = teller.committed();
        long looks = clocks.looks(who);
        Awaitility.await("transfers after " + after)
                .atMost(LIMIT)
                .pollInterval(Duration.ofMillis(10))
                .until(() -> teller.committed() >= committed + COMMITS_BETWEEN_JUMPS && clocks.looks(who) > looks);
    }
}
