package io.troth.chaos.explore;

import java.util.List;
import java.util.concurrent.Callable;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;

/** {@code troth explore}: exits 0 only if everything held and everything that is to be seen was seen. */
@Command(
        name = "troth explore",
        description = "Visits the states that the protocol's real code can get into within small scopes: every order,"
                + " loss, delay and repetition of messages, every crash. Checks all properties in each state.",
        mixinStandardHelpOptions = true)
public final class ExploreMain implements Callable<Integer> {

    private static final int EXIT_WRONG = 1;

    @Option(names = "--scope", paramLabel = "NAME", description = "only this scope; --list says which there are")
    private @Nullable String scope;

    @Option(names = "--list", description = "list the scopes")
    private boolean list;

    @Option(
            names = "--deep",
            description = "explore each scope to its end, or until memory is full, which may take hours; says every ten"
                    + " seconds how far it is")
    private boolean deep;

    @Option(
            names = "--threads",
            paramLabel = "N",
            description = "scopes at a time; 2 by default, with --deep 1, because they share the memory")
    private int threads;

    @Option(names = "--max-states", paramLabel = "N", description = "stop each scope there")
    private long statesMax;

    /** Explores; the first argument is the sub-command of the launcher. */
    public static void main(String[] arguments) {
        List<String> words = List.of(arguments);
        List<String> own = !words.isEmpty() && words.get(0).equals("explore") ? words.subList(1, words.size()) : words;
        System.exit(new CommandLine(new ExploreMain()).execute(own.toArray(String[]::new)));
    }

    @Override
    public Integer call() throws InterruptedException {
        if (list) {
            Scopes.all().forEach(each -> System.out.printf("%-20s %s%n", each.name, each.says));
            return CommandLine.ExitCode.OK;
        }
        List<Scope> scopes;
        try {
            scopes = scope == null ? Scopes.all() : List.of(Scopes.named(scope));
        } catch (IllegalArgumentException e) {
            System.err.println("troth explore: " + e.getMessage());
            return CommandLine.ExitCode.USAGE;
        }
        long limit = deep && statesMax == 0 ? Long.MAX_VALUE : statesMax;
        int atATime = threads > 0 ? threads : deep ? 1 : 2;
        List<ExploreResult> results = new Exploration(System.out, deep).run(scopes, limit, atATime);
        Pairs pairs = Exploration.pairs(results);
        System.out.println(pairs.text());
        boolean right = results.stream().allMatch(result -> result.violation() == null);
        // One scope alone, or a part of each, does not get everywhere.
        if (right && scope == null && statesMax == 0) {
            List<String> missing = LegalPairs.missing(pairs);
            missing.forEach(pair -> System.out.println("never reached: " + pair));
            right = missing.isEmpty();
        }
        System.out.println(Exploration.summary(results));
        return right ? CommandLine.ExitCode.OK : EXIT_WRONG;
    }
}
