package io.troth.bench.failover;

import io.troth.bench.run.Scratch;
import io.troth.chaos.process.WorkDirectory;
import java.util.Map;
import java.util.concurrent.Callable;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;

/** {@code troth bench failover}: exits 0 only if every client was told the truth. */
@Command(
        name = "failover",
        description =
                "Kills the leader of three coordinators again and again while transactions run, at five moments in"
                        + " turn: prepare was sent, COMMIT was handed to the log, COMMIT is applied and unsent, in phase 2, in"
                        + " one phase. Times how soon what was in doubt is resolved and new transactions commit, and compares"
                        + " every answer with the databases. Progress goes to standard error.",
        mixinStandardHelpOptions = true)
public final class FailoverCommand implements Callable<Integer> {

    private static final int EXIT_WRONG = 1;

    @Option(names = "--kills", paramLabel = "N", description = "how many (default: ${DEFAULT-VALUE})")
    private int kills = 25;

    @Option(
            names = "--in-flight",
            paramLabel = "N",
            description = "how many transactions are in flight (default: ${DEFAULT-VALUE})")
    private int inFlight = 16;

    @Option(
            names = "--election-timeout",
            paramLabel = "TIME",
            description = "cluster.electionTimeout, such as 300ms (default: that of the product)")
    private @Nullable String electionTimeout;

    @Override
    public Integer call() throws Exception {
        if (kills < 1 || inFlight < 1) {
            System.err.println("troth bench failover: every number is at least 1");
            return CommandLine.ExitCode.USAGE;
        }
        FailoverRun.Outcome outcome;
        try (Scratch scratch = new Scratch("troth-failover-")) {
            WorkDirectory directory = scratch.directory();
            outcome = new FailoverRun(scratch.children(), directory.path(), inFlight, settings(), System.err::println)
                    .run(kills);
            if (!outcome.wrong().isEmpty()) {
                directory.keep();
                System.err.println("what the processes wrote is in " + directory.path());
            }
        }
        System.out.print(FailoverReport.table(outcome.kills()));
        System.out.println();
        for (Moment moment : Moment.values()) {
            System.out.printf("%-10s %s%n", moment, moment.meaning());
        }
        System.out.println();
        System.out.println("answers: " + outcome.answers());
        outcome.wrong().forEach(System.out::println);
        if (outcome.wrong().isEmpty()) {
            System.out.println(
                    "every answer was true, and every transaction happened at all of its databases or at none");
        }
        return outcome.wrong().isEmpty() ? CommandLine.ExitCode.OK : EXIT_WRONG;
    }

    private Map<String, String> settings() {
        String timeout = electionTimeout;
        return timeout == null ? Map.of() : Map.of("cluster.electionTimeout", timeout);
    }
}
