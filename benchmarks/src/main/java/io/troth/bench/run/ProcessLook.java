package io.troth.bench.run;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;

/**
 * What a process with a JVM holds at one moment.
 *
 * @param heapBytes what is alive in its heap, after a full collection
 * @param residentBytes its memory, as the kernel counts it
 * @param handles open files and sockets
 * @param threads all of them, those of the JVM too
 */
public record ProcessLook(long heapBytes, long residentBytes, long handles, long threads) {

    private static final long BYTES_PER_KIB = 1_024;

    /** Looks; the process stands still for a full collection. */
    public static ProcessLook at(long pid) throws IOException, InterruptedException {
        Path directory = Path.of("/proc", Long.toString(pid));
        long heap = liveHeapBytes(pid);
        long handles;
        try (var files = Files.list(directory.resolve("fd"))) {
            handles = files.count();
        }
        String status = Files.readString(directory.resolve("status"));
        return new ProcessLook(heap, number(status, "VmRSS:") * BYTES_PER_KIB, handles, number(status, "Threads:"));
    }

    private static long number(String status, String name) {
        return status.lines()
                .filter(line -> line.startsWith(name))
                .mapToLong(line -> Long.parseLong(line.replaceAll("[^0-9]", "")))
                .findFirst()
                .orElseThrow(() -> new IllegalStateException("the kernel does not tell " + name));
    }

    /** What is left after a full collection, as the JDK's own tool counts it. */
    public static long liveHeapBytes(long pid) throws IOException, InterruptedException {
        Path tool = Path.of(System.getProperty("java.home"), "bin", "jcmd");
        // Not by a pipe: a newer JVM stands still until all it counts is taken, and it may be the one who would read.
        Path said = Files.createTempFile("troth-histogram", ".txt");
        String output;
        try {
            int unused = new ProcessBuilder(tool.toString(), Long.toString(pid), "GC.class_histogram")
                    .redirectErrorStream(true)
                    .redirectOutput(said.toFile())
                    .start()
                    .waitFor();
            output = Files.readString(said);
        } finally {
            Files.delete(said);
        }
        return output.lines()
                .filter(line -> line.startsWith("Total"))
                .mapToLong(line -> Long.parseLong(line.substring(
                                line.lastIndexOf(' ', line.stripTrailing().length()))
                        .strip()))
                .findFirst()
                .orElseThrow(() -> new IllegalStateException("jcmd said: " + output));
    }
}
