package io.troth.bench.recovery;

import io.troth.bench.run.Scratch;
import io.troth.chaos.process.WorkDirectory;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.Callable;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;

/** {@code troth bench recovery}. */
@Command(
        name = "recovery",
        description =
                "Starts coordinators on logs with many transactions, and an agent on a database with many branches"
                        + " in doubt. Progress goes to standard error, tables to standard output.",
        mixinStandardHelpOptions = true)
public final class RecoveryCommand implements Callable<Integer> {

    @Option(
            names = "--open",
            paramLabel = "N",
            split = ",",
            description = "logs with so many committed transactions that are not done (default: ${DEFAULT-VALUE})")
    private List<Long> open = List.of(1_000L, 10_000L, 100_000L, 1_000_000L);

    @Option(
            names = "--ended",
            paramLabel = "N",
            split = ",",
            description = "logs with so many transactions that are done (default: ${DEFAULT-VALUE})")
    private List<Long> ended = List.of(1_000L, 100_000L, 1_000_000L);

    @Option(names = "--in-doubt", paramLabel = "N", description = "branches in doubt (default: ${DEFAULT-VALUE})")
    private int inDoubt = 1_000;

    @Option(
            names = "--warm-up",
            paramLabel = "N",
            description = "transactions before their cost is measured (default: ${DEFAULT-VALUE})")
    private int warmUp = 50_000;

    @Option(
            names = "--seconds",
            paramLabel = "N",
            description = "how long the cost is measured (default: ${DEFAULT-VALUE})")
    private int seconds = 5;

    @Option(names = "--out", paramLabel = "DIR", description = "write recovery.html there")
    private @Nullable Path out;

    @Override
    public Integer call() throws Exception {
        List<Size> sizes = new ArrayList<>();
        String doubt;
        try (Scratch scratch = new Scratch("troth-recovery-")) {
            WorkDirectory directory = scratch.directory();
            SizeRun run = new SizeRun(scratch.children(), warmUp, Duration.ofSeconds(seconds));
            add(sizes, run, directory, 0, false);
            for (long size : open) {
                add(sizes, run, directory, size, false);
            }
            for (long size : ended) {
                add(sizes, run, directory, size, true);
            }
            System.err.println(inDoubt + " branches in doubt");
            doubt = String.format(
                    "%,d branches in doubt, half of them to be committed: resolved %.2f s after the start of an agent",
                    inDoubt, InDoubtRun.seconds(scratch.children(), directory.directory("in-doubt"), inDoubt));
        }
        System.out.println(RecoveryReport.table(sizes));
        System.out.println(doubt);
        if (out != null) {
            Files.createDirectories(out);
            Files.writeString(out.resolve("recovery.html"), RecoveryReport.page(sizes, doubt));
        }
        return CommandLine.ExitCode.OK;
    }

    private static void add(List<Size> sizes, SizeRun run, WorkDirectory directory, long transactions, boolean isEnded)
            throws Exception {
        System.err.printf("a log with %,d %s transactions%n", transactions, isEnded ? "ended" : "open");
        Path log = directory.path().resolve((isEnded ? "ended-" : "open-") + transactions);
        sizes.add(run.measure(log, transactions, isEnded));
        WorkDirectory.delete(log);
    }
}
