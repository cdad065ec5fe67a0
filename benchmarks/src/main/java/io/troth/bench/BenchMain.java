package io.troth.bench;

import io.troth.bench.contender.Contender;
import java.util.List;
import java.util.concurrent.Callable;
import picocli.CommandLine;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;

/** {@code troth bench}. */
@Command(
        name = "troth bench",
        description = "Runs the same transactions with Troth, its peers and the physical floor, in turns.",
        mixinStandardHelpOptions = true)
public final class BenchMain implements Callable<Integer> {

    @Option(names = "--list", description = "list the contenders")
    private boolean list;

    /** Measures; the first argument is the sub-command of the launcher. */
    public static void main(String[] arguments) {
        List<String> words = List.of(arguments);
        List<String> own = !words.isEmpty() && words.get(0).equals("bench") ? words.subList(1, words.size()) : words;
        System.exit(new CommandLine(new BenchMain()).execute(own.toArray(String[]::new)));
    }

    @Override
    public Integer call() {
        for (Contender contender : Contenders.all()) {
            System.out.printf("%-20s %-8s %s%n", contender.name(), contender.suite(), contender.description());
        }
        return list ? CommandLine.ExitCode.OK : CommandLine.ExitCode.USAGE;
    }
}
