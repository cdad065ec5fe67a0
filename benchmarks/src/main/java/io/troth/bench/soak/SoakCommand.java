package io.troth.bench.soak;

import io.troth.bench.contender.Contender;
import io.troth.bench.run.Machine;
import io.troth.bench.run.Mix;
import io.troth.bench.run.Plan;
import io.troth.bench.run.Soak;
import io.troth.bench.troth.TrothNoop;
import io.troth.bench.troth.TrothPostgres;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.Callable;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;

/** {@code troth bench soak}: exits 0 only if nothing grew and no money was lost. */
@Command(
        name = "soak",
        description = "Keeps Troth under full load for a long time and looks at the memory, file handles and threads of"
                + " all its processes: they must not grow. Progress goes to standard error.",
        mixinStandardHelpOptions = true)
public final class SoakCommand implements Callable<Integer> {

    private static final int EXIT_GROWN = 1;
    private static final int LOOKS = 60;
    private static final long PAUSE_SECONDS_MIN = 2;

    @Option(names = "--minutes", paramLabel = "N", description = "how long (default: ${DEFAULT-VALUE})")
    private int minutes = 30;

    @Option(
            names = "--only",
            paramLabel = "NAME",
            description = "which of Troth's contenders (default: ${DEFAULT-VALUE})")
    private String only = "troth-processes";

    @Option(
            names = "--in-flight",
            paramLabel = "N",
            description = "how many transactions are in flight (default: ${DEFAULT-VALUE})")
    private int inFlight = 64;

    @Option(
            names = "--warm-up",
            paramLabel = "N",
            description = "transactions before the first look (default: ${DEFAULT-VALUE})")
    private int warmUp = 20_000;

    @Option(names = "--out", paramLabel = "DIR", description = "write soak.html and soak.json there")
    private @Nullable Path out;

    @Override
    public Integer call() throws Exception {
        Contender contender = Stream.concat(TrothPostgres.all().stream(), TrothNoop.all().stream())
                .filter(each -> each.name().equals(only))
                .findFirst()
                .orElse(null);
        if (contender == null || minutes < 1 || inFlight < 1 || warmUp < 1) {
            System.err.println("troth bench soak: --only takes a contender of Troth's, every number is at least 1");
            return CommandLine.ExitCode.USAGE;
        }
        Duration time = Duration.ofMinutes(minutes);
        Plan plan = new Plan(Mix.transfer(), List.of(contender), List.of(inFlight), 1, time, warmUp);
        Duration pause = Duration.ofSeconds(Math.max(PAUSE_SECONDS_MIN, time.toSeconds() / LOOKS));
        Soak.Outcome outcome = new Soak(plan, pause, System.err::println).run();
        List<String> wrong = new ArrayList<>();
        if (!outcome.wrong().isEmpty()) {
            wrong.add(outcome.wrong());
        }
        wrong.addAll(Growth.of(outcome.samples()));
        wrong.forEach(System.out::println);
        if (wrong.isEmpty()) {
            System.out.printf("%d minutes, %d in flight: nothing has grown%n", minutes, inFlight);
        }
        if (out != null) {
            String command =
                    String.format("troth bench soak --minutes %d --only %s --in-flight %d", minutes, only, inFlight);
            SoakReport.write(out, Machine.facts(command, time), outcome.samples(), wrong);
            System.out.println("report: " + out.resolve("soak.html").toAbsolutePath());
        }
        return wrong.isEmpty() ? CommandLine.ExitCode.OK : EXIT_GROWN;
    }
}
