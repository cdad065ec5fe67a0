package io.troth.bench;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.google.gson.JsonParser;
import io.troth.bench.contender.Contender;
import io.troth.bench.contender.Database;
import io.troth.bench.contender.Environment;
import io.troth.bench.contender.Running;
import io.troth.bench.contender.Step;
import io.troth.bench.contender.Suite;
import io.troth.bench.contender.Work;
import io.troth.bench.naive.NaiveNoop;
import io.troth.bench.naive.StreamFloor;
import io.troth.bench.postgres.HandDriven;
import io.troth.bench.report.Report;
import io.troth.bench.report.ReportFiles;
import io.troth.bench.report.TableReport;
import io.troth.bench.run.Bench;
import io.troth.bench.run.Mix;
import io.troth.bench.run.Plan;
import io.troth.bench.run.Result;
import io.troth.bench.run.Turn;
import io.troth.bench.troth.TrothNoop;
import io.troth.bench.troth.TrothPostgres;
import java.nio.file.Files;
import java.nio.file.Path;
import java.sql.Connection;
import java.sql.SQLException;
import java.sql.Statement;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/**
 * Goal: a run of the benchmarks works, and one that must not count does not. Method: tiny runs with real servers and
 * processes, some dozen transactions each; beside honest contenders there is one that loses money and one that does not
 * force what it claims. Nothing is said about speed.
 */
class BenchTest {

    private static final Duration TURN = Duration.ofMillis(300);
    private static final int WARM_UP = 20;

    @TempDir
    Path directory;

    @Test
    void aRunOverPostgresCountsTheHonestAndNotTheOthers() throws Exception {
        List<Contender> contenders = new ArrayList<>(HandDriven.all().subList(2, 4));
        contenders.add(TrothPostgres.all().get(0));
        contenders.add(new Liar());
        contenders.add(new Cheat("thief", 1, 0, false));

        Result result = run(contenders, List.of(1, 4));

        assertEquals(
                Map.of("liar at 1", wrong(result, "liar at 1"), "liar at 4", wrong(result, "liar at 4")),
                result.wrong());
        assertTrue(wrong(result, "liar at 1").contains("forced its log 0 times"), result::toString);
        assertEquals(List.of("thief"), List.copyOf(result.absent().keySet()));
        assertTrue(String.valueOf(result.absent().get("thief")).contains("money was lost"), result::toString);
        assertFalse(result.isValid());
        for (String honest : List.of("2pc-log", "2pc-log-probe", "troth")) {
            for (Turn turn : result.turns(honest, 1)) {
                assertTrue(turn.committed() > 0, honest);
                assertEquals(0, turn.failed(), honest);
                // Others cannot share a force with the only one in flight.
                assertTrue(turn.forced() >= turn.committed(), honest);
            }
        }
        assertReports(result, "2pc-log-probe");
    }

    @Test
    void aRunOverNothingNeedsNoDatabase() throws Exception {
        List<Contender> contenders = new ArrayList<>(List.of(new StreamFloor(), new NaiveNoop()));
        for (Contender troth : TrothNoop.all()) {
            if (Set.of("troth-noop", "troth-noop-agents").contains(troth.name())) {
                contenders.add(troth);
            }
        }
        Result result = run(contenders, List.of(1, 2));

        assertEquals(Map.of(), result.wrong());
        assertEquals(Map.of(), result.absent());
        assertEquals(1, result.turns("troth-noop", 2).size());
        assertEquals(1, result.turns("troth-noop-agents", 2).size());
        assertEquals(List.of(), result.turns("stream-floor", 2));
        result.turns().forEach(turn -> assertTrue(turn.committed() > 0, turn.contender()));
        assertReports(result, "naive-noop");
    }

    @Test
    void whoDoesNothingIsFoundOutThoughBothStepsAreAtOneDatabase() throws Exception {
        Result result = run(
                Mix.named("one-branch"), List.of(HandDriven.all().get(0), new Cheat("idler", 0, 0, false)), List.of(1));

        assertEquals(Map.of(), result.wrong());
        assertEquals(List.of("idler"), List.copyOf(result.absent().keySet()));
        assertTrue(String.valueOf(result.absent().get("idler")).contains("changed by 0"), result::toString);
    }

    @Test
    void aLoneWriterForcesItsDatabaseOrIsFoundOut() throws Exception {
        Result result = run(Mix.named("one-branch"), List.of(new Cheat("lazy", 2, 1, false)), List.of(1));

        assertEquals(Map.of(), result.wrong());
        assertEquals(List.of("everybody"), List.copyOf(result.absent().keySet()));
        assertTrue(String.valueOf(result.absent().get("everybody")).contains("were claimed"), result::toString);
    }

    @Test
    void whoBreaksLeavesNothingBehindThatHurtsTheOthers() throws Exception {
        Result result =
                run(List.of(new Cheat("deserter", 2, 0, true), HandDriven.all().get(1)), List.of(2));

        assertEquals(Map.of(), result.wrong());
        assertEquals(List.of("deserter"), List.copyOf(result.absent().keySet()));
        assertTrue(String.valueOf(result.absent().get("deserter")).contains("has run away"), result::toString);
        assertTrue(result.turns("2pc", 2).get(0).committed() > 0);
    }

    private static Result run(List<Contender> contenders, List<Integer> levels) throws Exception {
        return run(Mix.transfer(), contenders, levels);
    }

    private static Result run(Mix mix, List<Contender> contenders, List<Integer> levels) throws Exception {
        return new Bench(new Plan(mix, contenders, levels, 1, TURN, WARM_UP), line -> {}, false).run();
    }

    private static String wrong(Result result, String key) {
        return result.wrong().getOrDefault(key, "");
    }

    private void assertReports(Result result, String baseline) throws Exception {
        List<String> baselines = List.of("nobody", baseline);
        assertTrue(TableReport.of(result, baselines).contains("ratios to " + baseline));
        ReportFiles.write(
                directory,
                new Report(List.of(result), baselines, Map.of("machine", "<small>"), List.of(Goals.of(result))));

        String page = Files.readString(directory.resolve("report.html"));
        assertTrue(page.contains("<svg") && page.contains("prefers-color-scheme: dark"));
        assertTrue(page.contains("&lt;small&gt;"));
        assertFalse(page.contains("<script") || page.contains("src=") || page.contains("href="));
        assertEquals(
                result.turns().size(),
                JsonParser.parseString(Files.readString(directory.resolve("report.json")))
                        .getAsJsonObject()
                        .getAsJsonArray("runs")
                        .get(0)
                        .getAsJsonObject()
                        .getAsJsonArray("turns")
                        .size());
        assertTrue(Files.size(directory.resolve("transfer-" + baseline + "-1.hgrm")) > 0);
        assertEquals(
                result.turns().size(),
                Files.readAllLines(directory.resolve("turns.hlog")).stream()
                        .filter(line -> line.startsWith("Tag="))
                        .count());
    }

    /**
     * Does so many of the steps and forgets the others: takes the money from the first account, does nothing, or does all.
     * In no case does it wait for the disk.
     *
     * @param deserts whether it breaks in its first turn, with all accounts locked: by a prepared transaction, and by one
     *     that is open
     */
    private record Cheat(String name, int stepsDone, int databaseForcesClaimed, boolean deserts) implements Contender {

        @Override
        public String description() {
            return "does not do all that it is asked to";
        }

        @Override
        public Suite suite() {
            return Suite.POSTGRES;
        }

        @Override
        public int logForcesClaimed() {
            return 0;
        }

        @Override
        public Running open(Environment environment) throws Exception {
            List<Connection> connections = new ArrayList<>();
            for (Database database : environment.databases()) {
                Connection connection = database.connect();
                try (Statement statement = connection.createStatement()) {
                    statement.execute("SET synchronous_commit = off");
                }
                connections.add(connection);
            }
            return new Running() {
                @Override
                public synchronized void run(Work work) throws Exception {
                    for (Step step : work.steps().subList(0, stepsDone)) {
                        Database.run(step, connections.get(step.resource()));
                    }
                }

                @Override
                public long forcedWrites() {
                    if (deserts) {
                        desert(connections);
                    }
                    return 0;
                }

                @Override
                public void close() throws SQLException {
                    for (Connection connection : connections) {
                        connection.close();
                    }
                }
            };
        }
    }

    private static void desert(List<Connection> connections) {
        for (Connection connection : connections) {
            try (Statement statement = connection.createStatement()) {
                statement.execute("BEGIN");
                statement.execute("UPDATE account SET balance = balance - 7");
                if (connection == connections.get(0)) {
                    statement.execute("PREPARE TRANSACTION 'it''s left'");
                }
            } catch (SQLException e) {
                throw new IllegalStateException(e);
            }
        }
        throw new IllegalStateException("it has run away");
    }

    /** Commits as the floor does, and says that it has a log. */
    private static final class Liar implements Contender {

        private final Contender floor = HandDriven.all().get(1);

        @Override
        public String name() {
            return "liar";
        }

        @Override
        public String description() {
            return "has no log";
        }

        @Override
        public Suite suite() {
            return floor.suite();
        }

        @Override
        public int logForcesClaimed() {
            return 1;
        }

        @Override
        public int databaseForcesClaimed() {
            return floor.databaseForcesClaimed();
        }

        @Override
        public Running open(Environment environment) throws Exception {
            return floor.open(environment);
        }
    }
}
