package io.troth.chaos.process;

import java.io.File;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.function.Function;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;

/**
 * The child processes of one run. None of them outlives the run: {@link #close()} kills them, so does the end of this
 * JVM, and when this JVM is itself killed each child notices that its standard input has ended (see {@link Lifeline}).
 *
 * <p>Thread-safe.
 */
public final class Children implements AutoCloseable {

    /** Short-lived JVMs on few cores: start fast, stay small. */
    private static final List<String> JVM_FLAGS = List.of(
            "-Xmx192m",
            "-Xss512k",
            "-XX:+UseSerialGC",
            "-XX:TieredStopAtLevel=1",
            "-Xshare:auto",
            "-XX:+ExitOnOutOfMemoryError",
            "-Djava.net.preferIPv4Stack=true",
            "-Dlogback.configurationFile=logback-child.xml");

    private static final int FIRST_JAVA_WITH_NATIVE_ACCESS_FLAG = 22;
    private static final int FIRST_JAVA_WITH_UNSAFE_FLAG = 23;

    /** Set by tests, which start dozens of them. */
    private static volatile Classes classes = new Classes(String.join(File.pathSeparator, ownClassPath()), List.of());

    /** Where JVMs find their classes. */
    private record Classes(String path, List<String> flags) {}

    private final Path logDirectory;
    private final Function<String, Map<String, String>> environment;
    private final List<ChildProcess> children = new CopyOnWriteArrayList<>();
    private final Thread hook = new Thread(this::killAll, "kill-children");

    /**
     * A group without members.
     *
     * @param logDirectory where each child's output goes, as {@code name.out} and {@code name.err}
     */
    public Children(Path logDirectory) {
        this(logDirectory, name -> Map.of());
    }

    /**
     * As the other one.
     *
     * @param environment what each child finds in its environment beside what this JVM has, by its name
     */
    public Children(Path logDirectory, Function<String, Map<String, String>> environment) {
        this.logDirectory = logDirectory;
        this.environment = environment;
        Runtime.getRuntime().addShutdownHook(hook);
    }

    /** The directory with the output of every child. */
    public Path logDirectory() {
        return logDirectory;
    }

    /**
     * Starts a main class of ours in a JVM of its own, with the class path of this one.
     *
     * @param name what the child is called in messages and in the names of its log files
     */
    public ChildProcess startJava(String name, Class<?> main, List<String> arguments) {
        return startJava(name, main, arguments, List.of());
    }

    /** As {@link #startJava(String, Class, List)}, with more flags for the JVM; they win. */
    public ChildProcess startJava(String name, Class<?> main, List<String> arguments, List<String> flags) {
        List<String> command = new ArrayList<>();
        command.add(Path.of(System.getProperty("java.home"), "bin", "java").toString());
        command.addAll(JVM_FLAGS);
        int feature = Runtime.version().feature();
        if (feature >= FIRST_JAVA_WITH_NATIVE_ACCESS_FLAG) {
            command.add("--enable-native-access=ALL-UNNAMED");
        }
        if (feature >= FIRST_JAVA_WITH_UNSAFE_FLAG) {
            command.add("--sun-misc-unsafe-memory-access=allow");
        }
        command.add("-Djava.io.tmpdir=" + temporaryFiles());
        command.addAll(flags);
        command.addAll(classFlags());
        command.add(main.getName());
        command.addAll(arguments);
        return start(name, command);
    }

    /** Starts any program. Its standard input is a pipe from here that ends when this JVM ends. */
    public ChildProcess start(String name, List<String> command) {
        return start(name, command, null);
    }

    /**
     * As {@link #start(String, List)}.
     *
     * @param lastSignal what lets the program end in order, such as {@code QUIT}; null to kill it
     */
    public ChildProcess start(String name, List<String> command, @Nullable String lastSignal) {
        try {
            Path errors = logDirectory.resolve(name + ".err");
            ProcessBuilder builder =
                    new ProcessBuilder(command).redirectError(ProcessBuilder.Redirect.appendTo(errors.toFile()));
            builder.environment().putAll(environment.apply(name));
            ChildProcess child =
                    new ChildProcess(name, builder.start(), logDirectory.resolve(name + ".out"), errors, lastSignal);
            children.add(child);
            return child;
        } catch (IOException e) {
            throw new UncheckedIOException("cannot start " + name + ": " + e.getMessage(), e);
        }
    }

    /** The children that are still running. */
    public List<ChildProcess> running() {
        return children.stream().filter(ChildProcess::isAlive).toList();
    }

    /** Ends every child that still runs, the youngest first, and waits for their ends. */
    @Override
    public void close() {
        killAll();
        try {
            Runtime.getRuntime().removeShutdownHook(hook);
        } catch (IllegalStateException e) {
            // The JVM is ending: the hook runs or has run.
            return;
        }
    }

    private void killAll() {
        List<ChildProcess> youngestFirst = new ArrayList<>(children);
        Collections.reverse(youngestFirst);
        youngestFirst.forEach(ChildProcess::close);
    }

    /** Killed processes leave their unpacked native libraries behind: where they are deleted with everything else. */
    private Path temporaryFiles() {
        try {
            return Files.createDirectories(logDirectory.resolve("tmp"));
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    /**
     * The JVMs of all groups that are started from now on find their classes here.
     *
     * @param flags more of what says where, such as an archive of classes that were loaded before
     */
    public static void takeClassesFrom(String classPath, List<String> flags) {
        classes = new Classes(classPath, List.copyOf(flags));
    }

    /** The flags of a JVM that finds the classes that this one has. */
    public static List<String> classFlags() {
        Classes now = classes;
        List<String> result = new ArrayList<>(now.flags());
        result.addAll(List.of("-cp", now.path()));
        return result;
    }

    /**
     * The class path of this JVM. Surefire hides it behind a jar that is deleted early, but says what it is, with an empty
     * entry at its end, which would be the working directory and everything that the build writes there.
     */
    public static List<String> ownClassPath() {
        String path = System.getProperty("surefire.test.class.path", System.getProperty("java.class.path"));
        return Pattern.compile(File.pathSeparator, Pattern.LITERAL)
                .splitAsStream(path)
                .filter(entry -> !entry.isEmpty())
                .toList();
    }
}
