package io.troth.bench.naive;

import io.troth.chaos.process.Children;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;

/** How a main of this package is started: with the JVM's own settings, as a service would be. */
final class ServerProcess {

    private ServerProcess() {}

    static List<String> command(Class<?> main, String argument) {
        List<String> command = new ArrayList<>();
        command.add(Path.of(System.getProperty("java.home"), "bin", "java").toString());
        command.add("-XX:+ExitOnOutOfMemoryError");
        command.addAll(Children.classFlags());
        command.add(main.getName());
        command.add(argument);
        return command;
    }
}
