package io.troth.bench;

import io.troth.bench.contender.Contender;
import io.troth.bench.contender.Suite;
import io.troth.bench.failover.FailoverCommand;
import io.troth.bench.naive.NaiveNoop;
import io.troth.bench.peers.Peers;
import io.troth.bench.postgres.HandDriven;
import io.troth.bench.recovery.RecoveryCommand;
import io.troth.bench.report.Goal;
import io.troth.bench.report.Report;
import io.troth.bench.report.ReportFiles;
import io.troth.bench.report.TableReport;
import io.troth.bench.run.Bench;
import io.troth.bench.run.Machine;
import io.troth.bench.run.Mix;
import io.troth.bench.run.Plan;
import io.troth.bench.run.Result;
import io.troth.bench.soak.SoakCommand;
import java.io.IOException;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import java.util.concurrent.Callable;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;

/** {@code troth bench}: exits 0 only if every run is valid. */
@Command(
        name = "troth bench",
        description = "Runs the same transactions with Troth, its peers and the physical floor, in turns. Progress goes"
                + " to standard error, tables to standard output.",
        mixinStandardHelpOptions = true,
        subcommands = {FailoverCommand.class, RecoveryCommand.class, SoakCommand.class})
public final class BenchMain implements Callable<Integer> {

    private static final int EXIT_INVALID = 1;
    private static final List<String> BASELINES = List.of(HandDriven.COMPLETE, new NaiveNoop().name());

    private static final List<Integer> LEVELS = List.of(1, 8, 32, 256, 1_024);
    private static final List<Integer> NOOP_LEVELS = List.of(1, 16, 256, 1_024);
    private static final int WARM_UP = 50_000;
    private static final Duration TURN = Duration.ofSeconds(3);
    private static final int ROUNDS = 3;

    /** They start further processes, and say little in a second. */
    private static final Set<String> NOT_QUICK = Set.of(
            "2pc",
            "troth-decided",
            "troth-processes",
            "troth-cluster",
            "troth-noop-cluster",
            "troth-noop-blocking",
            "troth-noop-agents",
            "troth-noop-ram",
            "narayana-slots",
            "narayana-journal",
            "atomikos",
            "bitronix");

    private static final List<Integer> QUICK_LEVELS = List.of(1, 8);
    private static final int QUICK_WARM_UP = 200;
    private static final int QUICK_NOOP_WARM_UP = 1_000;
    private static final Duration QUICK_TURN = Duration.ofSeconds(1);

    @Option(names = "--list", description = "list the contenders")
    private boolean list;

    @Option(
            names = "--quick",
            description = "a smoke run of about a minute with some of the contenders; its figures mean little")
    private boolean quick;

    @Option(
            names = "--peers",
            description = "also Atomikos and Bitronix, which have licences of their own and are fetched by this option")
    private boolean peers;

    @Option(names = "--out", paramLabel = "DIR", description = "write report.html, report.json and histograms there")
    private @Nullable Path out;

    @Option(names = "--suite", paramLabel = "SUITE", description = "only POSTGRES or only NOOP; both by default")
    private @Nullable Suite suite;

    @Option(
            names = "--only",
            paramLabel = "NAME",
            split = ",",
            description = "only these contenders; --list says which there are")
    private @Nullable Set<String> only;

    @Option(
            names = "--work",
            paramLabel = "WORK",
            split = ",",
            description =
                    "over PostgreSQL, one run for each: transfer (the default), contention, one-branch, read-only,"
                            + " one-reader, branches-3, branches-5, branches-10")
    private List<String> work = List.of("transfer");

    @Option(
            names = "--in-flight",
            paramLabel = "N",
            split = ",",
            description = "how many transactions are in flight, one level after the other")
    private @Nullable List<Integer> levels;

    @Option(names = "--rounds", paramLabel = "N", description = "turns of each contender at each level; 3 by default")
    private int rounds;

    @Option(names = "--seconds", paramLabel = "N", description = "how long a turn takes; 3 by default")
    private int seconds;

    @Option(
            names = "--warm-up",
            paramLabel = "N",
            description = "transactions of each contender before anything is measured, at the highest level but with at"
                    + " most 32 in flight; 50,000 by default")
    private int warmUp;

    private String command = "";

    /** Measures; the first argument is the sub-command of the launcher. */
    public static void main(String[] arguments) {
        List<String> words = List.of(arguments);
        List<String> own = !words.isEmpty() && words.get(0).equals("bench") ? words.subList(1, words.size()) : words;
        BenchMain main = new BenchMain();
        main.command = "troth bench " + String.join(" ", own);
        System.exit(new CommandLine(main).execute(own.toArray(String[]::new)));
    }

    @Override
    public Integer call() throws Exception {
        if (peers && !Peers.isComplete()) {
            System.err.println("troth bench: the launcher puts the libraries that --peers wants on the class path");
            return CommandLine.ExitCode.USAGE;
        }
        if (list) {
            for (Contender contender : Contenders.all()) {
                System.out.printf("%-22s %-8s %s%n", contender.name(), contender.suite(), contender.description());
            }
            return CommandLine.ExitCode.OK;
        }
        List<Plan> plans;
        try {
            plans = plans();
        } catch (IllegalArgumentException e) {
            System.err.println("troth bench: " + e.getMessage());
            return CommandLine.ExitCode.USAGE;
        }
        long start = System.nanoTime();
        List<Result> results = new ArrayList<>();
        for (Plan plan : plans) {
            Result result = new Bench(plan, System.err::println, !quick).run();
            System.out.println(TableReport.of(result, BASELINES));
            System.out.println(Goal.text(Goals.of(result)));
            results.add(result);
            // Not only at the end: what breaks a later run is not to take this one with it.
            write(results, Duration.ofNanos(System.nanoTime() - start));
        }
        return results.stream().allMatch(Result::isValid) ? CommandLine.ExitCode.OK : EXIT_INVALID;
    }

    private void write(List<Result> results, Duration took) throws IOException {
        if (out != null) {
            List<List<Goal>> goals = results.stream().map(Goals::of).toList();
            ReportFiles.write(out, new Report(results, BASELINES, Machine.facts(command, took), goals));
            System.out.println("report: " + out.resolve("report.html").toAbsolutePath());
        }
    }

    /**
     * The runs that the options ask for.
     *
     * @throws IllegalArgumentException when they ask for what there is not
     */
    List<Plan> plans() {
        Set<String> names = Contenders.all().stream().map(Contender::name).collect(Collectors.toSet());
        if (only != null && !names.containsAll(only)) {
            throw new IllegalArgumentException("--only knows " + names + "; found " + only);
        }
        List<Plan> plans = new ArrayList<>();
        if (suite != Suite.NOOP) {
            for (String name : work) {
                add(
                        plans,
                        Suite.POSTGRES,
                        Mix.named(name),
                        quick ? QUICK_LEVELS : LEVELS,
                        quick ? QUICK_WARM_UP : WARM_UP);
            }
        }
        if (suite != Suite.POSTGRES) {
            add(
                    plans,
                    Suite.NOOP,
                    Mix.named("transfer"),
                    quick ? QUICK_LEVELS : NOOP_LEVELS,
                    quick ? QUICK_NOOP_WARM_UP : WARM_UP);
        }
        if (plans.isEmpty()) {
            throw new IllegalArgumentException("nobody is left to take part");
        }
        return plans;
    }

    private void add(List<Plan> plans, Suite itsSuite, Mix mix, List<Integer> defaultLevels, int defaultWarmUp) {
        List<Contender> contenders = Contenders.all().stream()
                .filter(contender -> contender.suite() == itsSuite)
                .filter(contender -> only == null
                        ? !quick || !NOT_QUICK.contains(contender.name())
                        : only.contains(contender.name()))
                .toList();
        if (!contenders.isEmpty()) {
            plans.add(new Plan(
                    mix,
                    contenders,
                    levels == null ? defaultLevels : levels,
                    rounds > 0 ? rounds : quick ? 1 : ROUNDS,
                    seconds > 0 ? Duration.ofSeconds(seconds) : quick ? QUICK_TURN : TURN,
                    warmUp > 0 ? warmUp : defaultWarmUp));
        }
    }
}
