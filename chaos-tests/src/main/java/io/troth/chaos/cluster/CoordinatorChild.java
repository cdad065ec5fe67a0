package io.troth.chaos.cluster;

import io.troth.chaos.process.Failpoints;
import io.troth.chaos.process.Lifeline;
import io.troth.coordinator.config.ConfigKey;
import io.troth.coordinator.config.CoordinatorConfig;
import io.troth.coordinator.server.CoordinatorProcess;
import java.io.PrintStream;
import java.io.PrintWriter;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;

/** The coordinator's process as it is, except that its points can be armed and that it ends when its parent does. */
public final class CoordinatorChild {

    private CoordinatorChild() {}

    /**
     * What {@link #main} takes.
     *
     * @param data the directory of its decision log
     * @param settings more of its configuration, each {@code key=value}
     */
    public static List<String> arguments(Path data, int grpcPort, int httpPort, String... settings) {
        List<String> arguments = new ArrayList<>(List.of(
                ConfigKey.DATA_DIRECTORY + "=" + data,
                ConfigKey.GRPC_PORT + "=" + grpcPort,
                ConfigKey.HTTP_PORT + "=" + httpPort));
        arguments.addAll(List.of(settings));
        return arguments;
    }

    /** What {@link #main} takes: a whole configuration, by key. */
    public static List<String> arguments(Map<String, String> settings) {
        return settings.entrySet().stream().map(Map.Entry::toString).sorted().toList();
    }

    public static void main(String[] arguments) {
        PrintStream parent = System.out;
        Failpoints failpoints = new Failpoints(parent);
        Lifeline.attach(failpoints::command);
        Map<ConfigKey<?>, String> texts = new HashMap<>();
        for (String argument : arguments) {
            List<String> parts = List.of(argument.split("=", 2));
            texts.put(key(parts.get(0)), parts.get(1));
        }
        Path data = Path.of(texts.getOrDefault(ConfigKey.DATA_DIRECTORY, ""));
        CoordinatorProcess.run(
                CoordinatorConfig.onFreePorts(data, texts),
                (point, tx) -> failpoints.reached(point.name(), tx.toString()),
                new PrintWriter(parent, true, StandardCharsets.UTF_8),
                new PrintWriter(System.err, true, StandardCharsets.UTF_8));
    }

    private static ConfigKey<?> key(String name) {
        return ConfigKey.all().stream()
                .filter(key -> key.keyName().equals(name))
                .findFirst()
                .orElseThrow(() -> new IllegalArgumentException("no such key: " + name));
    }
}
