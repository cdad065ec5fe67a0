package io.troth.chaos.explore;

import java.util.List;
import java.util.concurrent.Callable;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;

/** {@code troth explore}: exits 0 only if everything held. */
@Command(
        name = "troth explore",
        description = "Visits every state that the protocol's code can get into within some small scopes.",
        mixinStandardHelpOptions = true)
public final class ExploreMain implements Callable<Integer> {

    @Option(names = "--scope", paramLabel = "NAME", description = "only this one")
    private @Nullable String scope;

    @Option(names = "--max-states", paramLabel = "N", description = "stop each scope there")
    private long statesMax = 1_000_000;

    /** Explores; the first argument is the sub-command of the launcher. */
    public static void main(String[] arguments) {
        List<String> words = List.of(arguments);
        List<String> own = !words.isEmpty() && words.get(0).equals("explore") ? words.subList(1, words.size()) : words;
        System.exit(new CommandLine(new ExploreMain()).execute(own.toArray(String[]::new)));
    }

    @Override
    public Integer call() {
        for (Scope each : Scopes.all()) {
            if (scope == null || scope.equals(each.name)) {
                ExploreResult result = Explorer.run(each, statesMax);
                result.path().forEach(System.out::println);
                System.out.println(result.line());
                System.out.println(result.pairs().text());
            }
        }
        return 0;
    }
}
