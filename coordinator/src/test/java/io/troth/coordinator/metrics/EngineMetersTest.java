package io.troth.coordinator.metrics;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.micrometer.core.instrument.MeterRegistry;
import io.micrometer.core.instrument.simple.SimpleMeterRegistry;
import io.troth.coordinator.engine.EngineScript;
import io.troth.core.BranchId;
import io.troth.core.EpochId;
import io.troth.core.ErrorCode;
import io.troth.core.GlobalTxId;
import io.troth.core.Reason;
import io.troth.core.coordinator.Event;
import io.troth.core.coordinator.LeaderView;
import io.troth.core.coordinator.LogEntry;
import io.troth.core.coordinator.LogRecord;
import io.troth.core.coordinator.Notice;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.concurrent.atomic.AtomicLong;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/**
 * A scripted run of the engine, then a scrape: every count must be what the script did, and every meter must stand in
 * docs/METRICS.md with its type, and the other way round.
 */
class EngineMetersTest {

    private static final Pattern TYPE = Pattern.compile("# TYPE (troth_\\S+) (\\S+)");
    private static final Pattern ROW = Pattern.compile("\\| `(troth_\\w+)` \\| (\\w+) \\|.*");

    private final AtomicLong nanos = new AtomicLong();
    private final CoordinatorMetrics metrics = new CoordinatorMetrics(nanos::get);
    private final EngineScript script = new EngineScript(metrics.listener());
    /** Told of a log by hand. */
    private final MeterRegistry registry = new SimpleMeterRegistry();

    private final EngineMeters meters = new EngineMeters(registry, nanos::get);

    @AfterEach
    void close() {
        metrics.close();
    }

    @Test
    void countsExactlyWhatHappened() {
        script.runEach(() -> nanos.addAndGet(Duration.ofMillis(5).toNanos()));
        metrics.observer().written(3, true, 2_000_000);
        metrics.observer().written(5, true, 2_000_000);
        metrics.observer().written(1, false, 2_000_000);
        metrics.streamOpened(CoordinatorMetrics.Peer.AGENT);
        metrics.streamOpened(CoordinatorMetrics.Peer.AGENT);
        metrics.streamOpened(CoordinatorMetrics.Peer.CLIENT);
        metrics.streamClosed(CoordinatorMetrics.Peer.AGENT);
        metrics.refusedAtEdge(Reason.of(ErrorCode.INVALID_ARGUMENT));
        Map<String, Double> series = series(metrics.scrape());

        assertEquals(2, series.get("troth_transactions_ended_total{outcome=\"committed\"}"), "two-phase and one-phase");
        assertEquals(2, series.get("troth_transactions_ended_total{outcome=\"rolled_back\"}"));
        assertEquals(1, series.get("troth_transactions_ended_total{outcome=\"read_only\"}"));
        assertEquals(1, series.get("troth_transactions_rolled_back_total{reason=\"rolled_back_by_client\"}"));
        assertEquals(1, series.get("troth_transactions_rolled_back_total{reason=\"prepare_refused\"}"));
        assertEquals(1, series.get("troth_transactions_open{state=\"active\"}"));
        assertEquals(1, series.get("troth_transactions_open{state=\"committed\"}"));
        assertEquals(0, series.get("troth_transactions_open{state=\"preparing\"}"));
        assertEquals(4, series.get("troth_prepare_duration_seconds_count"), "all that were prepared");
        assertEquals(3, series.get("troth_commit_duration_seconds_count{phases=\"two\"}"));
        assertEquals(1, series.get("troth_commit_duration_seconds_count{phases=\"one\"}"));
        assertEquals(1, series.get("troth_in_doubt_transactions"));
        assertTrue(series.get("troth_in_doubt_oldest_age_seconds") > 0);
        assertEquals(2, series.get("troth_log_force_duration_seconds_count"));
        assertEquals(0.004, series.get("troth_log_force_duration_seconds_sum"), 1e-9);
        assertEquals(8, series.get("troth_log_force_records_sum"));
        assertEquals(1, series.get("troth_log_lazy_writes_total"));
        assertEquals(1, series.get("troth_streams_open{peer=\"agent\"}"));
        assertEquals(1, series.get("troth_streams_open{peer=\"client\"}"));
        assertEquals(1, series.get("troth_sessions_open"));
        assertEquals(5, series.get("troth_kept_results"), "the client has not said that it has heard them");
        assertEquals(1_000_000, series.get("troth_kept_results_max"));
        assertEquals(1, series.get("troth_refused_total{reason=\"wrong_session_key\"}"));
        assertEquals(1, series.get("troth_refused_total{reason=\"invalid_argument\"}"));
        assertEquals(1, series.get("troth_ready"));
        assertEquals(1, series.get("troth_accepting"));
        assertEquals(0, series.get("troth_heuristic_mixed_total"));
        assertEquals(
                0, series.get("troth_alarms_total{reason=\"log_distrusted\"}"), "so that the first is an increase");
    }

    private void assertReadyAndAccepting(int ready, int accepting, boolean coreAccepts) {
        meters.sample(new LeaderView(null, true, false, coreAccepts, Map.of(), 0, 0, 0, 0, List.of(), List.of()));
        assertEquals(ready, registry.get("troth.ready").gauge().value());
        assertEquals(accepting, registry.get("troth.accepting").gauge().value());
    }

    @Test
    void isNotReadyWhileAWriteHangsAndAcceptsNothingOnAFullDisk() {
        assertReadyAndAccepting(1, 1, true);
        Reason hangs = Reason.of(ErrorCode.LOG_STALLED);
        meters.stepping(new Event.AcceptingChanged(false, hangs, hangs));
        assertReadyAndAccepting(0, 0, false);
        Reason full = Reason.of(ErrorCode.DISK_FLOOR);
        meters.stepping(new Event.AcceptingChanged(false, full, full));
        assertReadyAndAccepting(1, 0, false);
        meters.stepping(new Event.AcceptingChanged(true, full, null));
        assertReadyAndAccepting(1, 1, true);
    }

    @Test
    void showsNothingOfALeadershipThatIsOver() {
        script.runEach(() -> {});
        assertEquals(1, series(metrics.scrape()).get("troth_ready"));
        script.stops();
        Map<String, Double> series = series(metrics.scrape());
        assertEquals(0, series.get("troth_ready"));
        assertEquals(0, series.get("troth_accepting"));
        assertEquals(0, series.get("troth_transactions_open{state=\"active\"}"));
        assertEquals(0, series.get("troth_in_doubt_transactions"));
        assertEquals(0, series.get("troth_in_doubt_oldest_age_seconds"));
        assertEquals(0, series.get("troth_sessions_open"));
        assertEquals(0, series.get("troth_kept_results"));
        assertEquals(0, series.get("troth_kept_results_max"));
        assertEquals(2, series.get("troth_transactions_ended_total{outcome=\"committed\"}"), "counters stay");
    }

    @Test
    void isNotReadyWhileAWriteOfTheLogHangs() {
        script.runEach(() -> {});
        script.hangs(true);
        assertEquals(0, series(metrics.scrape()).get("troth_ready"));
        script.hangs(false);
        assertEquals(1, series(metrics.scrape()).get("troth_ready"));
    }

    @Test
    void countsWhatWasRecoveredUntilItEnds() {
        GlobalTxId first = new GlobalTxId(0, new EpochId(7, 1), 1, 1);
        GlobalTxId second = new GlobalTxId(0, new EpochId(7, 1), 1, 2);
        leads(7, List.of());
        leads(8, List.of(first, second));
        nanos.addAndGet(Duration.ofSeconds(3).toNanos());
        assertInDoubt(2, 3);
        applied(8, new LogRecord.End(first));
        assertInDoubt(1, 3);
        GlobalTxId own = new GlobalTxId(0, new EpochId(8, 1), 1, 1);
        applied(8, commit(own));
        assertInDoubt(2, 3);
        applied(8, new LogRecord.End(second));
        nanos.addAndGet(Duration.ofSeconds(2).toNanos());
        assertInDoubt(1, 2);
        applied(8, new LogRecord.End(own));
        assertInDoubt(0, 0);
    }

    @Test
    void countsWhatOutlivesADrain() {
        meters.drainOutlived(2);
        meters.drainOutlived(3);
        assertEquals(5, registry.get("troth.drain.outlived").counter().count());
    }

    @Test
    void forgetsWhatItKnewAsTheLeaderOfAnEarlierEpoch() {
        leads(7, List.of());
        applied(7, commit(new GlobalTxId(0, new EpochId(7, 1), 1, 1)));
        assertInDoubt(1, 0);
        leads(9, List.of());
        assertInDoubt(0, 0);
    }

    @Test
    void countsWhatWasRecoveredOnceThoughTheLeaderBeforeWasNeverReady() {
        GlobalTxId tx = new GlobalTxId(0, new EpochId(7, 1), 1, 1);
        recovers(7, List.of(tx));
        leads(9, List.of(tx));
        assertInDoubt(1, 0);
    }

    private void recovers(long epoch, List<GlobalTxId> unended) {
        meters.begins();
        applied(epoch, new LogRecord.Epoch(new EpochId(epoch, 1)));
        unended.forEach(tx -> applied(epoch, commit(tx)));
    }

    private void leads(long epoch, List<GlobalTxId> unended) {
        recovers(epoch - 1, unended);
        EpochId own = new EpochId(epoch, 1);
        applied(epoch, new LogRecord.Epoch(own));
        meters.heard(new Notice.Ready(own, unended.size()));
    }

    private void applied(long epoch, LogRecord record) {
        meters.applied(new LogEntry(epoch, record));
    }

    private static LogRecord.Commit commit(GlobalTxId tx) {
        return new LogRecord.Commit(tx, List.of(new LogRecord.YesBranch(new BranchId(1, 1), "bank-a", null)));
    }

    private void assertInDoubt(int count, int oldestSeconds) {
        meters.sample(new LeaderView(null, true, false, true, Map.of(), 0, 0, 0, 0, List.of(), List.of()));
        assertEquals(count, registry.get("troth.in.doubt.transactions").gauge().value());
        assertEquals(
                oldestSeconds, registry.get("troth.in.doubt.oldest.age").gauge().value());
    }

    @Test
    void theTableOfMetersIsWhatAScrapeShows() throws IOException {
        script.runEach(() -> {});
        Notice.Alarm alarm = new Notice.Alarm(Reason.of(ErrorCode.INTERNAL), null);
        metrics.listener().heard(alarm);
        Map<String, String> shown = new TreeMap<>();
        for (String line : metrics.scrape().lines().toList()) {
            Matcher matcher = TYPE.matcher(line);
            if (matcher.matches()) {
                shown.put(matcher.group(1), matcher.group(2));
            }
        }
        assertEquals(documented(), shown);
    }

    @Test
    void showsTheProcessToo() {
        Map<String, Double> series = series(metrics.scrape());
        for (String name : List.of("jvm_threads_live_threads", "process_files_open_files", "process_uptime_seconds")) {
            assertTrue(series.getOrDefault(name, 0.0) > 0, name);
        }
        assertTrue(series.keySet().stream().anyMatch(name -> name.startsWith("jvm_memory_used_bytes{")));
        assertTrue(series.containsKey("process_cpu_usage"));
    }

    @Test
    void noTagCarriesAnId() {
        script.runEach(() -> {});
        GlobalTxId tx = new GlobalTxId(0, new EpochId(7, 0xfeedL), 8_888, 9_999);
        metrics.listener().heard(new Notice.HeuristicMixed(tx, new BranchId(0xabcdefL, 1), "secret"));
        metrics.listener().heard(new Notice.Alarm(new Reason(ErrorCode.INTERNAL, tx.toString()), tx));
        String text = metrics.scrape();
        // Without the values: the share of a processor can be 0.9999.
        String named = text.replaceAll("(?m)^([^#].*) \\S+$", "$1");
        for (String id : List.of("9999", "feed", "abcdef", "secret")) {
            assertFalse(named.contains(id), id);
        }
        assertEquals(1, series(text).get("troth_heuristic_mixed_total"));
        assertEquals(1, series(text).get("troth_alarms_total{reason=\"internal\"}"));
    }

    @BeforeEach
    void look() {
        script.answersLooks(metrics);
    }

    private static Map<String, Double> series(String text) {
        return text.lines()
                .filter(line -> !line.startsWith("#"))
                .collect(Collectors.toMap(
                        line -> line.substring(0, line.lastIndexOf(' ')),
                        line -> Double.parseDouble(line.substring(line.lastIndexOf(' ') + 1))));
    }

    private static Map<String, String> documented() throws IOException {
        Map<String, String> rows = new TreeMap<>();
        for (String line : Files.readAllLines(Path.of("../docs/METRICS.md"))) {
            Matcher matcher = ROW.matcher(line);
            // The agent's meters and a member's stand in tables of their own, which their own tests read.
            if (matcher.matches() && !matcher.group(1).matches("troth_(agent|member)_.*")) {
                rows.put(matcher.group(1), matcher.group(2));
            }
        }
        return rows;
    }
}
