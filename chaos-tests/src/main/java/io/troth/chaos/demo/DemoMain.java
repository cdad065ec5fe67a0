package io.troth.chaos.demo;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Set;
import java.util.concurrent.Callable;
import java.util.concurrent.CountDownLatch;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;

/** {@code troth demo}: exits 0 only if everything held. */
@Command(
        name = "troth demo",
        description = "Moves money between two databases, kills Troth's processes at the worst moments, and checks that"
                + " nothing was lost, doubled or left half done. Writes only to a temp directory, and cleans up. With"
                + " --cluster: three coordinators, of which the leader is killed, cut off, stopped and restarted while"
                + " transfers run; the timeline is left as a page.",
        mixinStandardHelpOptions = true)
public final class DemoMain implements Callable<Integer> {

    private static final int EXIT_WRONG = 1;

    @Option(
            names = "--seconds",
            paramLabel = "N",
            description = "how long ordinary transfers run in total; ${DEFAULT-VALUE} by default")
    private int seconds = DemoOptions.DEFAULT_SECONDS;

    @Option(names = "--accounts", paramLabel = "N", description = "accounts of each bank; ${DEFAULT-VALUE} by default")
    private int accounts = DemoOptions.DEFAULT_ACCOUNTS;

    @Option(names = "--cluster", description = "three coordinators instead of one, and other faults")
    private boolean cluster;

    @Option(
            names = "--out",
            paramLabel = "DIR",
            description = "with --cluster: where the timeline goes; ${DEFAULT-VALUE} by default")
    private Path out = Path.of(".troth", "demo");

    @Option(names = "--keep", description = "leave everything running at the end, with the addresses printed")
    private boolean keep;

    @Option(names = "--binaries", paramLabel = "DIRECTORY", hidden = true)
    private @Nullable Path binaries;

    /** Runs the demo; the first argument is the sub-command of the launcher. */
    public static void main(String[] arguments) {
        List<String> words = List.of(arguments);
        List<String> own = !words.isEmpty() && words.get(0).equals("demo") ? words.subList(1, words.size()) : words;
        System.exit(new CommandLine(new DemoMain()).execute(own.toArray(String[]::new)));
    }

    @Override
    public Integer call() throws InterruptedException {
        Narrator narrator = new Narrator(System.out, isTerminal());
        Show demo;
        try {
            demo = show(narrator);
        } catch (IllegalArgumentException e) {
            System.err.println("troth demo: " + e.getMessage());
            return CommandLine.ExitCode.USAGE;
        }
        return play(demo, narrator);
    }

    private Show show(Narrator narrator) {
        return cluster
                ? new ClusterDemo(
                        new ClusterOptions(seconds, accounts, out, List.of(Fault.values()), Set.of()),
                        narrator,
                        binaries)
                : new Demo(new DemoOptions(seconds, accounts, List.of(Act.values()), Set.of()), narrator, binaries);
    }

    private Integer play(Show demo, Narrator narrator) throws InterruptedException {
        // After Ctrl-C: nothing more is said, everything is ended and deleted.
        Runtime.getRuntime()
                .addShutdownHook(new Thread(
                        () -> {
                            narrator.fallSilent();
                            demo.close();
                        },
                        "clean-up"));
        try {
            return run(demo, narrator);
        } finally {
            demo.close();
        }
    }

    private int run(Show demo, Narrator narrator) throws InterruptedException {
        Verdict verdict;
        try {
            verdict = demo.run();
        } catch (IllegalStateException e) {
            narrator.line("The demo could not go on: " + e.getMessage());
            demo.printComplaints();
            return EXIT_WRONG;
        }
        if (!verdict.holds()) {
            demo.printComplaints();
        }
        if (keep) {
            demo.printAddresses();
            new CountDownLatch(1).await();
        }
        return verdict.holds() ? CommandLine.ExitCode.OK : EXIT_WRONG;
    }

    /** Whether the output goes to somebody who watches it: newer JDKs have a console also when it goes to a file. */
    private static boolean isTerminal() {
        try {
            String output = Files.readSymbolicLink(Path.of("/proc/self/fd/1")).toString();
            return output.startsWith("/dev/pts/") || output.startsWith("/dev/tty");
        } catch (IOException e) {
            return false;
        }
    }
}
