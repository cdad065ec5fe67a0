package io.troth.bench.run;

import com.sun.management.OperatingSystemMXBean;
import java.io.IOException;
import java.lang.management.ManagementFactory;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;

/** Reads what all processes of the run have used so far, from the kernel. A tick is 10 ms: a turn must be far longer. */
final class CpuMeter {

    private static final long NANOS_PER_TICK = 10_000_000;

    /** The fields of /proc/PID/stat after the command's closing bracket: state 0, parent 1, then as here. */
    private static final int PARENT = 1;

    private static final int USER = 11;
    private static final int SYSTEM = 12;
    private static final int CHILDREN_USER = 13;
    private static final int CHILDREN_SYSTEM = 14;

    private final OperatingSystemMXBean system = (OperatingSystemMXBean) ManagementFactory.getOperatingSystemMXBean();
    private final Set<Long> servers;

    /** One look. */
    record Reading(long own, Map<Long, Long> perProcess, Set<Long> ofDatabases) {}

    /**
     * A meter.
     *
     * @param servers the first processes of the database servers
     */
    CpuMeter(Set<Long> servers) {
        this.servers = Set.copyOf(servers);
    }

    Reading read() {
        Map<Long, List<String>> table = processes();
        Map<Long, Long> used = new HashMap<>();
        Set<Long> ofDatabases = new HashSet<>();
        long self = ProcessHandle.current().pid();
        table.forEach((pid, fields) -> {
            Set<Long> ancestors = ancestors(pid, table);
            if (!ancestors.contains(self)) {
                return;
            }
            boolean server = servers.contains(pid);
            if (server || ancestors.stream().anyMatch(servers::contains)) {
                ofDatabases.add(pid);
            }
            long ticks = ticks(fields, USER) + ticks(fields, SYSTEM);
            if (server) {
                // Its backends that have ended.
                ticks += ticks(fields, CHILDREN_USER) + ticks(fields, CHILDREN_SYSTEM);
            }
            used.put(pid, ticks * NANOS_PER_TICK);
        });
        return new Reading(system.getProcessCpuTime(), used, ofDatabases);
    }

    /** What was used between two looks; {@code named} processes by name. */
    static CpuUse between(Reading before, Reading after, Map<String, Long> named) {
        long others = 0;
        for (long pid : after.perProcess().keySet()) {
            if (!after.ofDatabases().contains(pid)) {
                others += used(before, after, pid);
            }
        }
        // As sums: all that a backend ever used is counted with its server as soon as it has ended.
        long databases = ofDatabases(after) - ofDatabases(before);
        Map<String, Long> byName = new TreeMap<>();
        named.forEach((name, pid) -> byName.put(name, used(before, after, pid)));
        return new CpuUse(after.own() - before.own(), Math.max(0, databases), others, byName);
    }

    private static long ofDatabases(Reading reading) {
        return reading.ofDatabases().stream()
                .mapToLong(pid -> reading.perProcess().getOrDefault(pid, 0L))
                .sum();
    }

    private static long used(Reading before, Reading after, long pid) {
        return after.perProcess().getOrDefault(pid, 0L) - before.perProcess().getOrDefault(pid, 0L);
    }

    private static Set<Long> ancestors(long pid, Map<Long, List<String>> table) {
        Set<Long> ancestors = new HashSet<>();
        List<String> fields = table.get(pid);
        while (fields != null) {
            long parent = Long.parseLong(fields.get(PARENT));
            if (!ancestors.add(parent)) {
                break;
            }
            fields = table.get(parent);
        }
        return ancestors;
    }

    private static long ticks(List<String> fields, int field) {
        return Long.parseLong(fields.get(field));
    }

    private static Map<Long, List<String>> processes() {
        Map<Long, List<String>> table = new HashMap<>();
        try (var directories = Files.newDirectoryStream(Path.of("/proc"), "[0-9]*")) {
            for (Path directory : directories) {
                List<String> fields = fields(directory);
                if (!fields.isEmpty()) {
                    table.put(Long.parseLong(directory.getFileName().toString()), fields);
                }
            }
        } catch (IOException e) {
            throw new IllegalStateException("CPU time can only be measured on Linux", e);
        }
        return table;
    }

    /** Empty when the process has ended meanwhile. */
    private static List<String> fields(Path directory) {
        try {
            // A command may have any bytes in it.
            String line = Files.readString(directory.resolve("stat"), StandardCharsets.ISO_8859_1);
            return List.of(line.substring(line.lastIndexOf(')') + 2).strip().split(" ", -1));
        } catch (IOException e) {
            return List.of();
        }
    }
}
