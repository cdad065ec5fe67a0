package io.troth.bench.troth;

import io.troth.bench.contender.JavaProcess;
import io.troth.chaos.process.ChildProcess;
import io.troth.chaos.process.Children;
import java.io.IOException;
import java.net.HttpURLConnection;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.locks.LockSupport;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/** A coordinator or an agent as a process, as the launcher {@code troth} starts it. Thread-safe. */
public final class ProductProcess implements Coordinators {

    /** The metric of a coordinator that counts them. */
    static final String FORCES = "troth_log_force_duration_seconds_count";

    private static final Duration START_LIMIT = Duration.ofSeconds(90);
    private static final long PAUSE_NANOS = 20_000_000;

    private final ChildProcess child;
    private final String ready;

    private ProductProcess(ChildProcess child) {
        this.child = child;
        this.ready = child.awaitLine("READY", START_LIMIT);
    }

    /** Starts it and returns when it serves. */
    static ProductProcess start(Children children, String name, List<String> arguments) {
        return new ProductProcess(JavaProcess.start(children, name, ChildMain.class, arguments));
    }

    /** A coordinator with its log in the directory. */
    static ProductProcess coordinator(Children children, String name, Path directory) {
        return coordinator(children, name, directory, List.of());
    }

    /** As {@link #coordinator(Children, String, Path)} with more flags. */
    public static ProductProcess coordinator(Children children, String name, Path directory, List<String> flags) {
        List<String> arguments = new ArrayList<>(List.of(
                "coordinator", "--data-directory", directory.toString(), "--grpc-port", "0", "--http-port", "0"));
        arguments.addAll(flags);
        return start(children, name, arguments);
    }

    public long pid() {
        return child.pid();
    }

    /** What the line that says that it is ready says about a word, such as {@code grpc}. */
    public String said(String word) {
        Matcher matcher = Pattern.compile("\\b" + word + "=(\\S+)").matcher(ready);
        if (!matcher.find()) {
            throw new IllegalStateException(child.name() + " did not say " + word + ": " + ready);
        }
        return matcher.group(1);
    }

    @Override
    public List<String> endpoints() {
        return List.of(said("grpc"));
    }

    @Override
    public long forcedWrites() {
        try {
            return http().metric(FORCES);
        } catch (IOException e) {
            throw silent(e);
        }
    }

    @Override
    public Map<String, Long> processes() {
        return Map.of("coordinator", child.pid());
    }

    private IllegalStateException silent(IOException e) {
        return new IllegalStateException(child.name() + " does not answer", e);
    }

    /** Waits until it says that it can do its work: an agent serves before it has found its coordinator. */
    void awaitReady() {
        long deadline = System.nanoTime() + START_LIMIT.toNanos();
        HttpLook looks = http();
        while (!isReady(looks)) {
            if (System.nanoTime() - deadline > 0) {
                throw new IllegalStateException(child.name() + " never became ready");
            }
            LockSupport.parkNanos(PAUSE_NANOS);
        }
    }

    private boolean isReady(HttpLook looks) {
        try {
            return looks.get("/readyz").statusCode() == HttpURLConnection.HTTP_OK;
        } catch (IOException e) {
            throw silent(e);
        }
    }

    private HttpLook http() {
        return new HttpLook(said("http"));
    }

    @Override
    public void close() {
        child.close();
    }
}
