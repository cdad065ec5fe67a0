package io.troth.agent.metrics;

import static org.junit.jupiter.api.Assertions.assertEquals;

import io.micrometer.core.instrument.MockClock;
import io.micrometer.core.instrument.simple.SimpleConfig;
import io.micrometer.core.instrument.simple.SimpleMeterRegistry;
import io.troth.agent.jdbc.PoolStats;
import io.troth.agent.jdbc.ResourceStats;
import io.troth.client.grpc.TrothServerInterceptor;
import io.troth.core.BranchId;
import io.troth.core.EpochId;
import io.troth.core.ErrorCode;
import io.troth.core.GlobalTxId;
import io.troth.core.Outcome;
import io.troth.core.Reason;
import io.troth.core.Vote;
import io.troth.core.participant.AgentNotice;
import io.troth.core.participant.BranchState;
import io.troth.core.participant.PreparedXid;
import java.io.IOException;
import java.lang.ref.WeakReference;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Set;
import java.util.TreeSet;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import org.awaitility.Awaitility;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;

/**
 * Goal: every notice is counted where docs/METRICS.md says, and the gauges show what is and not what was. Method: notices
 * made up by the test, and a clock that it moves.
 */
class AgentMetricsTest {

    private static final EpochId EPOCH = new EpochId(1, 2);
    private static final GlobalTxId TX = new GlobalTxId(0, EPOCH, 1, 1);
    private static final BranchId BRANCH = new BranchId(7, 1);
    private static final BranchId OTHER = new BranchId(8, 1);
    private static final Reason REASON = Reason.of(ErrorCode.DEADLINE_EXCEEDED);

    private final MockClock clock = new MockClock();
    private final SimpleMeterRegistry registry = new SimpleMeterRegistry(SimpleConfig.DEFAULT, clock);
    private final AgentMetrics metrics = watching(new AgentMetrics(registry));

    private static AgentMetrics watching(AgentMetrics metrics) {
        ResourceStats stats = new ResourceStats(new PoolStats(3, 1, 2, 10), new PoolStats(1, 0, 0, 5));
        metrics.watch("accounts", () -> stats);
        metrics.watchKeptResults(new AtomicInteger(7)::get, 9);
        metrics.watchServedCalls("sql", new TrothServerInterceptor(Set.of(), 11));
        return metrics;
    }

    private void moves(BranchState... states) {
        moves(metrics, null, states);
    }

    private static void moves(AgentMetrics metrics, @Nullable Reason reason, BranchState... states) {
        for (int i = 0; i < states.length; i++) {
            metrics.heard(new AgentNotice.StateChanged(
                    TX, BRANCH, "accounts", i == 0 ? null : states[i - 1], states[i], reason));
        }
    }

    private double gauge(String name) {
        return registry.get(name).gauge().value();
    }

    private double ended(String end) {
        var counter =
                registry.find("troth.agent.branches.finished").tag("end", end).counter();
        return counter == null ? 0 : counter.count();
    }

    @Test
    void countsEachWayInWhichABranchCanEnd() {
        moves(BranchState.ACTIVE, BranchState.PREPARING, BranchState.PREPARED, BranchState.COMMITTING);
        moves(metrics, null, BranchState.COMMITTING, BranchState.FINISHED);
        assertEquals(1, ended("committed"));
        moves(BranchState.ACTIVE, BranchState.PREPARING, BranchState.FINISHED);
        assertEquals(1, ended("read_only"));
        moves(BranchState.ACTIVE, BranchState.ONE_PHASE, BranchState.FINISHED);
        assertEquals(1, ended("one_phase"));
        moves(metrics, REASON, BranchState.ACTIVE, BranchState.ONE_PHASE, BranchState.FINISHED);
        assertEquals(1, ended("one_phase_failed"));
        moves(metrics, REASON, BranchState.ACTIVE, BranchState.PREPARING, BranchState.FINISHED);
        moves(metrics, REASON, BranchState.ACTIVE, BranchState.ROLLING_BACK, BranchState.FINISHED);
        moves(metrics, REASON, BranchState.IN_DOUBT, BranchState.ROLLING_BACK_PREPARED, BranchState.FINISHED);
        assertEquals(3, ended("rolled_back"));
        assertEquals(0, gauge("troth.agent.in.doubt.branches"));
        assertEquals(0, gauge("troth.agent.unprepared.branches"));
    }

    @Test
    void measuresPrepareAndCommitAndHowLongABranchIsOpenOrInDoubt() {
        moves(BranchState.ACTIVE);
        clock.add(Duration.ofSeconds(4));
        assertEquals(1, gauge("troth.agent.unprepared.branches"));
        assertEquals(4, gauge("troth.agent.unprepared.oldest.age"));
        step(BranchState.ACTIVE, BranchState.PREPARING);
        clock.add(Duration.ofMillis(20));
        step(BranchState.PREPARING, BranchState.PREPARED);
        assertEquals(0, gauge("troth.agent.unprepared.branches"));
        clock.add(Duration.ofSeconds(3));
        assertEquals(1, gauge("troth.agent.in.doubt.branches"));
        assertEquals(3, gauge("troth.agent.in.doubt.oldest.age"));
        step(BranchState.PREPARED, BranchState.COMMITTING);
        clock.add(Duration.ofMillis(30));
        step(BranchState.COMMITTING, BranchState.FINISHED);
        var millis = TimeUnit.MILLISECONDS;
        assertEquals(20, registry.get("troth.agent.prepare.duration").timer().totalTime(millis));
        assertEquals(30, registry.get("troth.agent.commit.duration").timer().totalTime(millis));
        assertEquals(0, gauge("troth.agent.in.doubt.oldest.age"));
    }

    private void step(BranchState from, BranchState to) {
        metrics.heard(new AgentNotice.StateChanged(TX, BRANCH, "accounts", from, to, null));
    }

    @Test
    void countsWhatOtherInstancesLeftPreparedForAsLongAsAScanSeesIt() {
        moves(BranchState.ACTIVE, BranchState.PREPARING);
        PreparedXid own = new PreparedXid(TX, BRANCH);
        PreparedXid others = new PreparedXid(TX, OTHER);
        metrics.heard(new AgentNotice.Scanned("accounts", List.of(own, others), 2));
        assertEquals(1, gauge("troth.agent.in.doubt.branches"));
        assertEquals(2, gauge("troth.agent.other.cluster.prepared"));
        clock.add(Duration.ofSeconds(30));
        metrics.heard(new AgentNotice.Scanned("accounts", List.of(others), 0));
        assertEquals(30, gauge("troth.agent.in.doubt.oldest.age"));
        metrics.heard(new AgentNotice.Scanned("accounts", List.of(), 0));
        assertEquals(0, gauge("troth.agent.in.doubt.branches"));
        assertEquals(0, gauge("troth.agent.other.cluster.prepared"));
    }

    @Test
    void countsWhatAnotherInstanceLeftOnceAndAsOldAsItIsWhenThisOneResolvesIt() {
        metrics.heard(new AgentNotice.Scanned("accounts", List.of(new PreparedXid(TX, BRANCH)), 0));
        clock.add(Duration.ofSeconds(30));
        moves(BranchState.COMMITTING);
        assertEquals(1, gauge("troth.agent.in.doubt.branches"));
        assertEquals(30, gauge("troth.agent.in.doubt.oldest.age"));
        clock.add(Duration.ofMillis(20));
        step(BranchState.COMMITTING, BranchState.FINISHED);
        assertEquals(0, gauge("troth.agent.in.doubt.branches"));
        assertEquals(1, ended("committed"));
        var commits = registry.get("troth.agent.commit.duration").timer();
        assertEquals(20, commits.totalTime(TimeUnit.MILLISECONDS));
    }

    @Test
    void countsReconnectsButNotTheFirstConnect() {
        metrics.heard(new AgentNotice.Ready(EPOCH));
        assertEquals(1, gauge("troth.agent.ready"));
        metrics.heard(new AgentNotice.NotReady(REASON, 1));
        assertEquals(0, gauge("troth.agent.ready"));
        metrics.heard(new AgentNotice.Ready(EPOCH));
        assertEquals(1, registry.get("troth.agent.reconnects").counter().count());
        metrics.failed(new IllegalStateException());
        assertEquals(0, gauge("troth.agent.ready"));
    }

    @Test
    void hasWhatIsAlertedOnFromTheStart() {
        for (String name : List.of("failures", "alarms", "heuristic", "resolved.elsewhere")) {
            assertEquals(0, registry.get("troth.agent." + name).counter().count(), name);
        }
        metrics.heard(new AgentNotice.Alarm(REASON, TX));
        var alarms = registry.get("troth.agent.alarms").counters();
        assertEquals(1, alarms.stream().mapToDouble(alarm -> alarm.count()).sum());
        assertEquals(ErrorCode.values().length, alarms.size(), "it was one of those");
    }

    @Test
    void showsThePools() {
        assertEquals(3, pool("troth.agent.pool.in.use", "branches"));
        assertEquals(2, pool("troth.agent.pool.waiting", "branches"));
        assertEquals(5, pool("troth.agent.pool.size.max", "recovery"));
    }

    @Test
    void showsThemForAsLongAsItIsThere() {
        WeakReference<Object> unheld = new WeakReference<>(new Object());
        Awaitility.await("a garbage collection").atMost(Duration.ofSeconds(60)).until(() -> {
            System.gc();
            return unheld.get() == null;
        });
        assertEquals(3, pool("troth.agent.pool.in.use", "branches"));
        assertEquals(5, pool("troth.agent.pool.size.max", "recovery"));
        showsWhatIsRemembered();
    }

    @Test
    void showsWhatIsRemembered() {
        assertEquals(7, gauge("troth.agent.kept.results"));
        assertEquals(9, gauge("troth.agent.kept.results.max"));
        assertEquals(0, gauge("troth.agent.served.calls"));
        assertEquals(11, gauge("troth.agent.served.calls.max"));
    }

    private double pool(String name, String pool) {
        return registry.get(name).tag("pool", pool).gauge().value();
    }

    @Test
    void isDescribedCompletely() throws IOException {
        Set<String> scraped;
        try (Prometheus prometheus = new Prometheus()) {
            AgentMetrics all = watching(prometheus.metrics());
            moves(all, null, BranchState.ACTIVE, BranchState.FINISHED);
            for (AgentNotice notice : List.of(
                    new AgentNotice.Ready(EPOCH),
                    new AgentNotice.NotReady(REASON, 1),
                    new AgentNotice.Voted(TX, BRANCH, Vote.NO, REASON),
                    new AgentNotice.Refused(REASON),
                    new AgentNotice.ScanFailed("accounts", REASON),
                    new AgentNotice.PhaseTwoDelayed(TX, BRANCH, "accounts", REASON),
                    new AgentNotice.ResolvedElsewhere(TX, BRANCH, "accounts"),
                    new AgentNotice.Heuristic(TX, BRANCH, "accounts", ""),
                    new AgentNotice.LeftAlone(TX, BRANCH, Outcome.UNKNOWN),
                    new AgentNotice.Alarm(REASON, TX))) {
                all.heard(notice);
            }
            all.failed(new IllegalStateException());
            scraped = prometheus
                    .scrape()
                    .lines()
                    .filter(line -> line.startsWith("# TYPE troth_"))
                    .map(line -> line.split(" ", -1)[2])
                    .collect(Collectors.toCollection(TreeSet::new));
        }
        Set<String> described = new TreeSet<>();
        Matcher row = Pattern.compile("(?m)^\\| `(troth_agent_[a-z_]+)`")
                .matcher(Files.readString(Path.of("..", "docs", "METRICS.md")));
        while (row.find()) {
            described.add(row.group(1));
        }
        assertEquals(scraped, described);
    }
}
