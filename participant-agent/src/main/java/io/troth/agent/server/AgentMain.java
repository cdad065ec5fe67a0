package io.troth.agent.server;

import io.troth.agent.config.AgentConfig;
import io.troth.agent.config.AgentConfigLoader;
import io.troth.agent.config.AgentKey;
import io.troth.agent.config.ConfigRefusedException;
import io.troth.agent.engine.StepListener;
import java.io.PrintStream;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.logging.Level;
import java.util.logging.Logger;
import picocli.CommandLine;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Model.OptionSpec;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.ParseResult;

/** {@code troth agent}: reads flags, environment and file, and runs an {@link AgentServer} until SIGTERM. */
public final class AgentMain {

    private static final int EXIT_REFUSED = 1;
    private static final int EXIT_USAGE = 2;

    private static final String CONFIG = "--config";
    private static final String RESOURCE = "--resource";
    private static final String CHECK = "--check";
    private static final String PRINT = "--print";

    private final PrintStream out;
    private final PrintStream err;
    private final StepListener steps;

    AgentMain(PrintStream out, PrintStream err, StepListener steps) {
        this.out = out;
        this.err = err;
        this.steps = steps;
    }

    /** Runs until the process is told to stop. The first argument may be the launcher's word {@code agent}. */
    public static void main(String[] args) {
        // The libraries' own log: gRPC would write a stack trace for whoever speaks anything but HTTP/2 to a port.
        Logger.getLogger("").setLevel(Level.WARNING);
        int code = new AgentMain(System.out, System.err, StepListener.NONE).run(Arrays.asList(args), System.getenv());
        if (code != 0) {
            System.exit(code);
        }
    }

    /** Returns the exit code; does not return while the server runs. */
    int run(List<String> args, Map<String, String> environment) {
        CommandLine commandLine = new CommandLine(spec());
        ParseResult parsed;
        try {
            boolean launched = !args.isEmpty() && args.get(0).equals("agent");
            parsed = commandLine.parseArgs(
                    args.subList(launched ? 1 : 0, args.size()).toArray(new String[0]));
        } catch (ParameterException e) {
            err.println("troth agent: " + e.getMessage());
            err.println("troth agent --help says what there is.");
            return EXIT_USAGE;
        }
        if (parsed.isUsageHelpRequested()) {
            commandLine.usage(out);
            return 0;
        }
        AgentConfig config;
        try {
            config = load(parsed, environment);
        } catch (ConfigRefusedException e) {
            e.problems().forEach(problem -> err.println("troth agent: " + problem));
            return EXIT_REFUSED;
        }
        if (parsed.hasMatchedOption(PRINT)) {
            config.lines().forEach(out::println);
            return 0;
        }
        if (parsed.hasMatchedOption(CHECK)) {
            out.println("the configuration is good");
            return 0;
        }
        return AgentProcess.run(config, steps, out, err);
    }

    private static CommandSpec spec() {
        CommandSpec spec = CommandSpec.create().name("troth agent").mixinStandardHelpOptions(false);
        spec.usageMessage()
                .description("Drives the branches of one or more databases. Flags win over the environment"
                        + " (TROTH_AGENT_*), the environment over the file, the file over the defaults.")
                .footer(
                        "",
                        "Passwords come from the environment (TROTH_AGENT_RESOURCES_NAME_PASSWORD) or from a file"
                                + " (agent.resources.NAME.passwordFile).");
        spec.addOption(OptionSpec.builder("-h", "--help")
                .usageHelp(true)
                .description("Shows this.")
                .build());
        spec.addOption(OptionSpec.builder("-c", CONFIG)
                .paramLabel("FILE")
                .type(Path.class)
                .description("A configuration file; its block agent { } is read.")
                .build());
        spec.addOption(OptionSpec.builder("-r", RESOURCE)
                .paramLabel("NAME=JDBC-URL")
                .type(List.class)
                .auxiliaryTypes(String.class)
                .description("A database; may be repeated.")
                .build());
        for (AgentKey<?> key : AgentKey.all()) {
            OptionSpec.Builder option = OptionSpec.builder(names(key))
                    .type(String.class)
                    .paramLabel("VALUE")
                    .description(key.documentation() + defaultOf(key));
            if (key == AgentKey.INSECURE) {
                option.arity("0..1").fallbackValue("true");
            }
            spec.addOption(option.build());
        }
        spec.addOption(OptionSpec.builder(CHECK)
                .arity("0")
                .type(boolean.class)
                .description("Only checks the configuration.")
                .build());
        spec.addOption(OptionSpec.builder(PRINT)
                .arity("0")
                .type(boolean.class)
                .description("Only prints the configuration and where each value comes from.")
                .build());
        return spec;
    }

    private static String[] names(AgentKey<?> key) {
        return key == AgentKey.COORDINATORS
                ? new String[] {"--coordinator", key.option()}
                : new String[] {key.option()};
    }

    private static String defaultOf(AgentKey<?> key) {
        String text = key.defaultText();
        return text == null || text.isEmpty() ? "" : " Default: " + text + ".";
    }

    private static AgentConfig load(ParseResult parsed, Map<String, String> environment) {
        AgentConfigLoader loader = new AgentConfigLoader();
        Path file = parsed.matchedOptionValue(CONFIG, (Path) null);
        if (file != null) {
            loader.file(file);
        }
        List<String> resources = parsed.matchedOptionValue(RESOURCE, List.of());
        Map<AgentKey<?>, String> flags = new HashMap<>();
        for (AgentKey<?> key : AgentKey.all()) {
            String value = parsed.matchedOptionValue(key.option(), (String) null);
            if (value != null) {
                flags.put(key, value);
            }
        }
        return loader.resourceFlags(resources)
                .environment(environment)
                .resourceFlags(resources)
                .flags(flags)
                .load();
    }
}
