package io.troth.coordinator.cli;

import io.troth.coordinator.config.CoordinatorConfig;
import java.io.PrintWriter;
import java.util.concurrent.Callable;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Spec;

/** A command that needs the configuration. {@link CoordinatorMain} gives it the options of {@link ConfigArguments}. */
abstract class Configured implements Callable<Integer> {

    private CommandSpec spec;

    @SuppressWarnings("NullAway.Init") // picocli calls the setter before anything else.
    Configured() {}

    @Spec
    final void spec(CommandSpec itself) {
        spec = itself;
        ConfigArguments.addTo(itself);
    }

    /** Does the work. */
    abstract int run(CoordinatorConfig config, PrintWriter out, PrintWriter err);

    @Override
    public final Integer call() {
        CoordinatorConfig config = ConfigArguments.load(spec.commandLine().getParseResult(), System.getenv());
        return run(config, spec.commandLine().getOut(), spec.commandLine().getErr());
    }
}
