package io.troth.bench.report;

import com.google.gson.Gson;
import com.google.gson.GsonBuilder;
import io.troth.bench.contender.Contender;
import io.troth.bench.run.Result;
import io.troth.bench.run.Turn;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/** The result for programs: every turn, and what they come to. */
final class JsonReport {

    private static final Gson GSON = new GsonBuilder().setPrettyPrinting().create();

    private JsonReport() {}

    static String of(Report report) {
        List<Object> runs = new ArrayList<>();
        for (int i = 0; i < report.results().size(); i++) {
            Result result = report.results().get(i);
            Map<String, Object> run = run(result, Baseline.of(result, report.baselines()));
            run.put("goals", report.goals().get(i));
            runs.add(run);
        }
        return GSON.toJson(Map.of("machine", report.machine(), "runs", runs));
    }

    private static Map<String, Object> run(Result result, String baseline) {
        Map<String, Object> run = new LinkedHashMap<>();
        run.put("suite", result.plan().contenders().get(0).suite().name());
        run.put("work", result.plan().mix().name());
        run.put("rounds", result.plan().rounds());
        run.put("turnMillis", result.plan().turn().toMillis());
        run.put("warmUpTransactions", result.plan().warmUp());
        run.put("baseline", baseline);
        Map<String, String> contenders = new LinkedHashMap<>();
        for (Contender contender : result.plan().contenders()) {
            contenders.put(contender.name(), contender.description());
        }
        run.put("contenders", contenders);
        run.put("invalid", result.wrong());
        run.put("absent", result.absent());
        run.put(
                "summary",
                Row.of(result, baseline).stream().map(JsonReport::row).toList());
        run.put("turns", result.turns().stream().map(JsonReport::turn).toList());
        return run;
    }

    private static Map<String, Object> row(Row row) {
        Map<String, Object> values = new LinkedHashMap<>();
        values.put("contender", row.contender());
        values.put("inFlight", row.inFlight());
        values.put("throughputPerSecond", row.throughput());
        values.put("ratioToBaseline", row.ratio());
        values.put(
                "latencyMillis",
                Map.of(
                        "p50", row.millis(50),
                        "p90", row.millis(90),
                        "p99", row.millis(99),
                        "p99.9", row.millis(99.9),
                        "max", row.millis(100)));
        values.put(
                "cpuMicros",
                Map.of(
                        "callers", row.ownMicros(),
                        "databases", row.databaseMicros(),
                        "others", row.otherMicros()));
        values.put("cpuMicrosOfProcesses", row.namedMicros());
        values.put("logForces", row.forced());
        values.put("databaseForces", row.databaseForced());
        return values;
    }

    private static Map<String, Object> turn(Turn turn) {
        Map<String, Object> values = new LinkedHashMap<>();
        values.put("contender", turn.contender());
        values.put("inFlight", turn.inFlight());
        values.put("round", turn.round());
        values.put("startNanos", turn.startNanos());
        values.put("nanos", turn.nanos());
        values.put("committed", turn.committed());
        values.put("failed", turn.failed());
        values.put("forced", turn.forced());
        values.put("cpuNanos", turn.cpu());
        values.put("timelineMillis", Turn.TIMELINE_MILLIS);
        values.put("timeline", turn.timeline());
        return values;
    }
}
