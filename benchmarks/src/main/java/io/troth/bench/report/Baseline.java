package io.troth.bench.report;

import io.troth.bench.contender.Contender;
import io.troth.bench.run.Result;
import java.util.List;

/** To whom the others are compared. */
final class Baseline {

    private Baseline() {}

    /** The first of the wanted that takes part, or whoever has the first turn. */
    static String of(Result result, List<String> wanted) {
        List<String> names =
                result.plan().contenders().stream().map(Contender::name).toList();
        return wanted.stream().filter(names::contains).findFirst().orElse(names.get(0));
    }
}
