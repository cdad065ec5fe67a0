package io.troth.coordinator.cli;

import java.util.concurrent.Callable;
import picocli.CommandLine;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.Spec;

/** A command that only has sub-commands. */
class Group implements Callable<Integer> {

    @Spec
    private CommandSpec spec;

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
