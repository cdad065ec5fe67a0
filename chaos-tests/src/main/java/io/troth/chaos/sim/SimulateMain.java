package io.troth.chaos.sim;

import io.troth.chaos.sim.world.Fault;
import io.troth.chaos.sim.world.Plan;
import io.troth.chaos.sim.world.Sights;
import java.io.IOException;
import java.io.PrintStream;
import java.net.URISyntaxException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.EnumSet;
import java.util.List;
import java.util.Objects;
import java.util.Set;
import java.util.TreeSet;
import java.util.concurrent.Callable;
import java.util.concurrent.TimeUnit;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;

/** {@code troth simulate}: exits 0 only if every property held in every seed. */
@Command(
        name = "troth simulate",
        description =
                "Runs the whole system in one thread on a virtual clock, once for each seed, with everything going"
                        + " wrong that the seed chooses, and checks that no transaction is half done, told wrongly or left over."
                        + " The same seed gives the same run. Touches no disk and no network.",
        mixinStandardHelpOptions = true)
public final class SimulateMain implements Callable<Integer> {

    private static final int EXIT_BROKEN = 1;
    /** From so many seeds on everything that can happen must have happened. */
    private static final long LONG_RUN = 2_000;

    @Option(names = "--seeds", paramLabel = "N", description = "how many seeds; ${DEFAULT-VALUE} by default")
    private long seeds = 1_000;

    @Option(names = "--first", paramLabel = "N", description = "the first seed; ${DEFAULT-VALUE} by default")
    private long first = 1;

    @Option(names = "--seed", paramLabel = "N", description = "only this one")
    private @Nullable Long seed;

    @Option(names = "--threads", paramLabel = "N", description = "how many threads; one for each processor by default")
    private int threads = Runtime.getRuntime().availableProcessors();

    @Option(names = "--trace", description = "with --seed: print everything that happens, in order")
    private boolean trace;

    @Option(names = "--shrink", description = "make a failing seed smaller: fewer faults, transactions and processes")
    private boolean shrink;

    @Option(names = "--counts", description = "print how often everything noteworthy happened")
    private boolean counts;

    @Option(
            names = "--only",
            paramLabel = "FAULT",
            split = ",",
            description = "only these kinds of faults may be chosen; NONE for none at all")
    private @Nullable List<String> only;

    @Option(names = "--agents", paramLabel = "N", description = "with --seed: so many agents instead of the seed's")
    private @Nullable Integer agents;

    @Option(names = "--clients", paramLabel = "N", description = "with --seed: so many clients instead of the seed's")
    private @Nullable Integer clients;

    @Option(names = "--transactions", paramLabel = "N", description = "with --seed: so many transactions at most")
    private @Nullable Integer transactions;

    @Option(names = "--millis", paramLabel = "N", description = "with --seed: things go wrong for so long")
    private @Nullable Integer millis;

    @Option(names = "--skip", paramLabel = "N", split = ",", description = "with --seed: these faults do not happen")
    private @Nullable List<Integer> skip;

    @Option(
            names = "--without",
            paramLabel = "FAULT",
            split = ",",
            description =
                    "with --seed: faults of these kinds do not happen; all else stays as it is up to the first of them")
    private @Nullable List<String> without;

    private final PrintStream out = System.out;

    /** Runs the simulation; the first argument is the sub-command of the launcher. */
    public static void main(String[] arguments) {
        System.setProperty("logback.configurationFile", "logback-simulate.xml");
        List<String> words = List.of(arguments);
        List<String> own = !words.isEmpty() && words.get(0).equals("simulate") ? words.subList(1, words.size()) : words;
        System.exit(run(own));
    }

    /** What {@link #main} does, without the end of the process. */
    static int run(List<String> arguments) {
        return new CommandLine(new SimulateMain()).execute(arguments.toArray(String[]::new));
    }

    @Override
    public Integer call() throws InterruptedException {
        Set<Fault> allowed;
        Set<Fault> suppressed;
        try {
            allowed = only == null ? EnumSet.allOf(Fault.class) : faults(only);
            suppressed = without == null ? Set.of() : faults(without);
        } catch (IllegalArgumentException e) {
            System.err.println("troth simulate: there is no such fault: " + e.getMessage());
            return CommandLine.ExitCode.USAGE;
        }
        if (Stream.<@Nullable Number>of(seeds, threads, agents, clients, transactions, millis)
                .anyMatch(number -> number != null && number.longValue() < 1)) {
            // Nothing of nothing would hold every property.
            System.err.println("troth simulate: seeds, threads and sizes must be at least 1");
            return CommandLine.ExitCode.USAGE;
        }
        if (seed != null) {
            return one(changed(Plan.of(seed, allowed), suppressed));
        }
        Campaign.Summary summary = new Campaign(first, seeds, allowed).run(threads);
        if (counts) {
            summary.sights().all().forEach((sight, times) -> out.printf("%,12d  %s%n", times, sight));
        }
        if (summary.failed() != null) {
            int exit = one(Plan.of(summary.failed(), allowed));
            out.println(summary.line());
            return exit;
        }
        List<String> missing =
                seeds >= LONG_RUN && only == null ? MustHappen.missing(summary.sights(), seeds) : List.of();
        missing.forEach(sight -> out.println("never happened: " + sight));
        summary.surprises()
                .forEach((pair, where) -> out.println(
                        "happened, though steps.txt has a reason why it cannot: " + pair + ", in seed " + where));
        boolean asDescribed = missing.isEmpty() && summary.surprises().isEmpty();
        out.println(summary.line() + (asDescribed ? ", every property held" : ""));
        return asDescribed ? CommandLine.ExitCode.OK : EXIT_BROKEN;
    }

    private static Set<Fault> faults(List<String> names) {
        Set<Fault> faults = EnumSet.noneOf(Fault.class);
        for (String name : names) {
            if (!name.equals("NONE")) {
                faults.add(Fault.valueOf(name));
            }
        }
        return faults;
    }

    private Plan changed(Plan plan, Set<Fault> suppressed) {
        Plan sized = plan.sized(
                agents == null ? plan.agents() : agents,
                clients == null ? plan.clients() : clients,
                transactions == null ? plan.transactions() : transactions,
                millis == null ? plan.millis() : millis);
        for (Fault fault : suppressed) {
            sized = sized.without(fault);
        }
        return skip == null ? sized : sized.skipping(new TreeSet<>(skip));
    }

    /** One seed: says what it came to, and how to see it again. */
    private int one(Plan plan) {
        Simulation.Result result = Simulation.run(plan, new Sights(), true);
        if (result.failure() == null) {
            if (trace) {
                result.trace().forEach(out::println);
            }
            out.printf(
                    "seed %d: every property held; %,d transactions, %,d faults, %.1f simulated seconds%n",
                    plan.seed(), result.transactions(), result.faults(), result.nanos() / 1e9);
            return CommandLine.ExitCode.OK;
        }
        Plan shown = plan;
        if (shrink) {
            out.println("seed " + plan.seed() + " fails: " + result.failure());
            shown = Shrinker.simulating(plan, step -> out.println("  still fails: " + step))
                    .shrink();
            result = Simulation.run(shown, new Sights(), true);
        }
        result.trace().forEach(out::println);
        out.println();
        out.println("FAILED   " + result.failure());
        out.println("seed     " + plan.seed() + " at commit " + commit());
        out.println("repeat   " + command(shown));
        return EXIT_BROKEN;
    }

    /** The shortest command that gives this plan. */
    static String command(Plan plan) {
        Plan whole = Plan.of(plan.seed(), EnumSet.allOf(Fault.class));
        StringBuilder command = new StringBuilder("./troth simulate --seed " + plan.seed());
        if (!plan.faults().equals(whole.faults())) {
            String kinds = names(plan.faults().keySet());
            command.append(" --only ").append(kinds.isEmpty() ? "NONE" : kinds);
        }
        if (!plan.suppressed().isEmpty()) {
            command.append(" --without ").append(names(plan.suppressed()));
        }
        append(command, "agents", whole.agents(), plan.agents());
        append(command, "clients", whole.clients(), plan.clients());
        append(command, "transactions", whole.transactions(), plan.transactions());
        append(command, "millis", whole.millis(), plan.millis());
        if (!plan.skipped().isEmpty()) {
            command.append(" --skip ")
                    .append(new TreeSet<>(plan.skipped())
                            .stream().map(String::valueOf).collect(Collectors.joining(",")));
        }
        return command.toString();
    }

    private static String names(Set<Fault> faults) {
        return faults.stream().sorted().map(Fault::name).collect(Collectors.joining(","));
    }

    private static void append(StringBuilder command, String option, int usual, int value) {
        if (value != usual) {
            command.append(" --").append(option).append(' ').append(value);
        }
    }

    /** The commit of the checkout that the classes come from, or the version of the distribution. */
    private static String commit() {
        String version = SimulateMain.class.getPackage().getImplementationVersion();
        try {
            Path classes = Path.of(SimulateMain.class
                    .getProtectionDomain()
                    .getCodeSource()
                    .getLocation()
                    .toURI());
            Path checkout = Objects.requireNonNullElse(classes.getParent(), classes);
            List<String> git = List.of("git", "-C", checkout.toString(), "rev-parse", "--short", "HEAD");
            Process process = new ProcessBuilder(new ArrayList<>(git))
                    .redirectError(ProcessBuilder.Redirect.DISCARD)
                    .start();
            String said = new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8).trim();
            if (process.waitFor(5, TimeUnit.SECONDS) && process.exitValue() == 0 && !said.isEmpty()) {
                return said;
            }
        } catch (IOException | URISyntaxException e) {
            // No git here, or no checkout.
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
        return version == null ? "unknown" : version;
    }
}
