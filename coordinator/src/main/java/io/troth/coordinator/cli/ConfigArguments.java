package io.troth.coordinator.cli;

import io.troth.coordinator.config.ConfigKey;
import io.troth.coordinator.config.ConfigLoader;
import io.troth.coordinator.config.CoordinatorConfig;
import java.nio.file.Path;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Model.OptionSpec;
import picocli.CommandLine.ParseResult;

/** The options by which a command learns the configuration: a file, {@code --dev}, and one option for each key. */
final class ConfigArguments {

    private static final String FILE = "--config";
    private static final String DEV = "--dev";

    /** Shown by {@code --help}; the others are in docs/CONFIGURATION.md. */
    private static final List<ConfigKey<?>> SHOWN = List.of(
            ConfigKey.DATA_DIRECTORY,
            ConfigKey.CLUSTER_ID,
            ConfigKey.GRPC_ADDRESS,
            ConfigKey.GRPC_PORT,
            ConfigKey.HTTP_ADDRESS,
            ConfigKey.HTTP_PORT,
            ConfigKey.INSECURE);

    private ConfigArguments() {}

    /** Adds the options to a command. */
    static void addTo(CommandSpec command) {
        command.addOption(OptionSpec.builder("-c", FILE)
                .type(Path.class)
                .paramLabel("FILE")
                .description("The configuration file.")
                .build());
        command.addOption(OptionSpec.builder(DEV)
                .type(boolean.class)
                .description("For one machine: loopback, and data in .troth/coordinator unless it is set.")
                .build());
        for (ConfigKey<?> key : ConfigKey.all()) {
            boolean isFlag = key.equals(ConfigKey.INSECURE);
            command.addOption(OptionSpec.builder(key.option())
                    .type(String.class)
                    .arity(isFlag ? "0..1" : "1")
                    .fallbackValue(isFlag ? "true" : "")
                    .paramLabel(isFlag ? "true|false" : "VALUE")
                    .hidden(!SHOWN.contains(key))
                    .description(key.documentation().replace("%", "%%"))
                    .build());
        }
        command.usageMessage()
                .footer("", "Every key of docs/CONFIGURATION.md is an option: log.stallLimit is --log-stall-limit.");
    }

    /**
     * The configuration that these arguments, the environment and the file give.
     *
     * @throws io.troth.coordinator.config.ConfigRefusedException when it is not good
     */
    static CoordinatorConfig load(ParseResult arguments, Map<String, String> environment) {
        ConfigLoader loader = new ConfigLoader();
        if (arguments.hasMatchedOption(DEV)) {
            loader.defaults(CoordinatorConfig.devDefaults(), DEV);
        }
        Path file = arguments.matchedOptionValue(FILE, null);
        if (file != null) {
            loader.file(file);
        }
        Map<ConfigKey<?>, String> flags = new HashMap<>();
        for (ConfigKey<?> key : ConfigKey.all()) {
            String text = value(arguments, key);
            if (text != null) {
                flags.put(key, text);
            }
        }
        return loader.environment(environment).flags(flags).load();
    }

    private static @Nullable String value(ParseResult arguments, ConfigKey<?> key) {
        return arguments.hasMatchedOption(key.option()) ? arguments.matchedOptionValue(key.option(), "") : null;
    }
}
