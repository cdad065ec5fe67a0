package io.troth.coordinator.cli;

import io.troth.coordinator.config.ConfigRefusedException;
import io.troth.coordinator.log.LogRefusedException;
import io.troth.coordinator.server.StartFailedException;
import io.troth.core.Build;
import java.io.PrintWriter;
import java.nio.charset.StandardCharsets;
import java.util.logging.Level;
import java.util.logging.Logger;
import picocli.CommandLine;
import picocli.CommandLine.Command;
import picocli.CommandLine.IVersionProvider;
import picocli.CommandLine.Option;
import picocli.CommandLine.ScopeType;

/** The commands of the coordinator's module; the launcher {@code troth} gives the name of one as the first argument. */
@Command(
        name = "troth",
        versionProvider = CoordinatorMain.Version.class,
        subcommands = {
            CoordinatorCommand.class,
            ClusterCommand.class,
            ConfigCommand.class,
            LogCommand.class,
            AdminCommand.class
        })
public final class CoordinatorMain extends Group {

    /** Every command below has it, too. */
    @Option(
            names = {"-h", "--help"},
            usageHelp = true,
            scope = ScopeType.INHERIT,
            description = "Shows this.")
    @SuppressWarnings("UnusedVariable") // picocli asks for it.
    private boolean help;

    @Option(
            names = {"-V", "--version"},
            versionHelp = true,
            description = "Says which version this is.")
    @SuppressWarnings("UnusedVariable") // picocli asks for it.
    private boolean version;

    private CoordinatorMain() {}

    static final class Version implements IVersionProvider {
        @Override
        public String[] getVersion() {
            return new String[] {"troth " + Build.VERSION + ", Java " + Runtime.version()};
        }
    }

    /** Runs one command and ends the process with its exit code. */
    public static void main(String[] arguments) {
        // The libraries' own log: gRPC would write a stack trace for whoever speaks anything but HTTP/2 to a port.
        Logger.getLogger("").setLevel(Level.WARNING);
        PrintWriter out = new PrintWriter(System.out, true, StandardCharsets.UTF_8);
        PrintWriter err = new PrintWriter(System.err, true, StandardCharsets.UTF_8);
        System.exit(run(out, err, arguments));
    }

    static CommandLine line() {
        return new CommandLine(new CoordinatorMain());
    }

    /** Runs one command. */
    static int run(PrintWriter out, PrintWriter err, String... arguments) {
        return line().setOut(out)
                .setErr(err)
                .setExecutionExceptionHandler((failure, line, parsed) -> explain(failure, err))
                .execute(arguments);
    }

    /** Refusals say everything in their message; of anything else a developer wants to see where it came from. */
    private static int explain(Exception failure, PrintWriter err) {
        if (failure instanceof ConfigRefusedException
                || failure instanceof LogRefusedException
                || failure instanceof StartFailedException) {
            String message = String.valueOf(failure.getMessage());
            message.lines().forEach(line -> err.println("troth: " + line));
        } else {
            err.println("troth: " + failure);
            failure.printStackTrace(err);
        }
        return ExitCode.FAILED;
    }
}
