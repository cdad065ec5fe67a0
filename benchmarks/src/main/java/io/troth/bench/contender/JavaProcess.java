package io.troth.bench.contender;

import io.troth.chaos.process.ChildProcess;
import io.troth.chaos.process.Children;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;

/** Mains of ours in processes that are there to be measured. */
public final class JavaProcess {

    private JavaProcess() {}

    /**
     * Starts a main as the launcher {@code troth} starts one: with its flags, those of {@code TROTH_JAVA_OPTS}, and
     * otherwise as the JVM comes.
     *
     * @param name what it is called in messages and log files
     */
    public static ChildProcess start(Children children, String name, Class<?> main, List<String> arguments) {
        List<String> command = new ArrayList<>();
        command.add(Path.of(System.getProperty("java.home"), "bin", "java").toString());
        command.add("-XX:+ExitOnOutOfMemoryError");
        // As the launcher says it, or a coordinator would tell each step of each transaction.
        command.add("-Dlogback.configurationFile=troth-logback.xml");
        String more = System.getenv("TROTH_JAVA_OPTS");
        if (more != null && !more.isBlank()) {
            command.addAll(List.of(more.strip().split(" +")));
        }
        command.addAll(Children.classFlags());
        command.add(main.getName());
        command.addAll(arguments);
        return children.start(name, command);
    }
}
