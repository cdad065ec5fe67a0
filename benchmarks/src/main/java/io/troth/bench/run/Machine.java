package io.troth.bench.run;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Locale;
import java.util.Map;
import java.util.TreeMap;

/** Where a run took place: figures of two machines cannot be compared, their ratios sometimes. */
public final class Machine {

    private Machine() {}

    /** What a report says of it. */
    public static Map<String, String> facts(String command, Duration took) {
        Map<String, String> facts = new TreeMap<>();
        facts.put("command", command);
        facts.put("took", took.toSeconds() + " s");
        facts.put("processors", Integer.toString(Runtime.getRuntime().availableProcessors()));
        facts.put("java", Runtime.version().toString());
        facts.put("system", System.getProperty("os.name") + " " + System.getProperty("os.version"));
        facts.put("load at the end", load());
        return facts;
    }

    /** How busy the machine is: above the number of processors somebody else takes part, too. */
    static String load() {
        try {
            String[] words = Files.readString(Path.of("/proc/loadavg")).split(" ", -1);
            return String.format(Locale.ROOT, "%s (1 min), %s (5 min)", words[0], words[1]);
        } catch (IOException e) {
            return "unknown";
        }
    }
}
