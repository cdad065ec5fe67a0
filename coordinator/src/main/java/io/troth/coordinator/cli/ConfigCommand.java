package io.troth.coordinator.cli;

import io.troth.coordinator.config.CoordinatorConfig;
import java.io.PrintWriter;
import picocli.CommandLine.Command;

/** {@code troth config}: what a coordinator would start with. */
@Command(
        name = "config",
        description = "Checks or prints the configuration.",
        subcommands = {ConfigCommand.Check.class, ConfigCommand.Print.class})
final class ConfigCommand extends Group {

    @Command(name = "check", description = "Ends with 0, or names everything that is wrong.")
    static final class Check extends Configured {
        @Override
        int run(CoordinatorConfig config, PrintWriter out, PrintWriter err) {
            out.println("The configuration is good.");
            return ExitCode.OK;
        }
    }

    @Command(name = "print", description = "Prints every key, its value and where it comes from; secrets are masked.")
    static final class Print extends Configured {
        @Override
        int run(CoordinatorConfig config, PrintWriter out, PrintWriter err) {
            config.lines().forEach(out::println);
            return ExitCode.OK;
        }
    }
}
