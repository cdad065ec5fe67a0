package io.troth.coordinator.cli;

import io.troth.coordinator.config.CoordinatorConfig;
import io.troth.coordinator.engine.StepListener;
import io.troth.coordinator.server.CoordinatorProcess;
import java.io.PrintWriter;
import picocli.CommandLine.Command;

/** {@code troth coordinator}: the service. */
@Command(name = "coordinator", description = "Runs a coordinator until it is stopped (SIGTERM, or Ctrl-C).")
final class CoordinatorCommand extends Configured {
    @Override
    int run(CoordinatorConfig config, PrintWriter out, PrintWriter err) {
        CoordinatorProcess.run(config, StepListener.NONE, out, err);
        return ExitCode.OK;
    }
}
