package io.troth.coordinator.cli;

import java.util.concurrent.Callable;
import picocli.CommandLine;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.Spec;

/** A command that only has sub-commands. */
class Group implements Callable<Integer> {

    @Spec
    private CommandSpec spec;

    @Option(
            names = {"-h", "--help"},
            usageHelp = true,
            description = "Shows this.")
    @SuppressWarnings("UnusedVariable") // picocli asks for it.
    private boolean help;

    @SuppressWarnings("NullAway.Init") // picocli fills it in.
    Group() {}

    @Override
    public Integer call() {
        CommandLine line = spec.commandLine();
        throw new ParameterException(
                line,
                "missing sub-command: "
                        + String.join(", ", line.getSubcommands().keySet()));
    }
}
