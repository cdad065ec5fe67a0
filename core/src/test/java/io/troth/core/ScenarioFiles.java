package io.troth.core;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.function.Function;
import java.util.regex.Pattern;
import java.util.stream.Stream;

/**
 * Files with commands (lines with {@code >}) and the full output of a machine after each. {@code
 * -Dscenarios.rewrite=true} writes what it says now; review the difference.
 */
public final class ScenarioFiles {

    private final Path directory;

    /** The files of this directory of test resources. */
    public ScenarioFiles(String directory) {
        this.directory = Path.of("src", "test", "resources", directory);
    }

    /** The names of all files. */
    public List<String> names() throws IOException {
        try (Stream<Path> files = Files.list(directory)) {
            return files.map(file -> file.getFileName().toString())
                    .filter(name -> name.endsWith(".txt"))
                    .sorted()
                    .toList();
        }
    }

    /** Fails unless the machine, which says some lines to each command, says exactly what is written. */
    public void check(String name, Function<String, List<String>> machine) throws IOException {
        Path file = directory.resolve(name);
        String expected = Files.readString(file);
        assertTrue(expected.startsWith("# "), name + " has no comment on top");
        String actual = run(expected, machine);
        if (Boolean.getBoolean("scenarios.rewrite")) {
            Files.writeString(file, actual);
        } else {
            assertEquals(
                    expected, actual, name + ": rewrite it with -Dscenarios.rewrite=true and review the difference");
        }
    }

    /** Fails unless the machine says what is written, but for {@code leftOut}. */
    public void check(String name, Function<String, List<String>> machine, Pattern leftOut) throws IOException {
        String expected = Files.readString(directory.resolve(name));
        assertEquals(
                leftOut.matcher(expected).replaceAll(""),
                leftOut.matcher(run(expected, machine)).replaceAll(""),
                name);
    }

    private static String run(String script, Function<String, List<String>> machine) {
        StringBuilder text = new StringBuilder();
        boolean afterCommand = false;
        for (String line : script.lines().toList()) {
            if (line.startsWith("> ")) {
                if (afterCommand) {
                    text.append('\n');
                }
                text.append(line).append('\n');
                machine.apply(line.substring(2))
                        .forEach(said -> text.append("  ").append(said).append('\n'));
                afterCommand = true;
            } else if (line.startsWith("#")) {
                if (afterCommand) {
                    text.append('\n');
                    afterCommand = false;
                }
                text.append(line).append('\n');
            }
        }
        return text.toString();
    }
}
