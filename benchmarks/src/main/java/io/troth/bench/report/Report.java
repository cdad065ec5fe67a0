package io.troth.bench.report;

import io.troth.bench.run.Result;
import java.util.List;
import java.util.Map;

/**
 * Everything that is written about.
 *
 * @param baselines the names to which the others are compared; in each run the first that takes part
 * @param machine what is known about where it ran, by what it is
 * @param goals of each result, in the same order
 */
public record Report(
        List<Result> results, List<String> baselines, Map<String, String> machine, List<List<Goal>> goals) {

    public Report {
        results = List.copyOf(results);
        baselines = List.copyOf(baselines);
        machine = Map.copyOf(machine);
        goals = List.copyOf(goals);
    }
}
