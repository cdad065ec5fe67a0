package io.troth.core.coordinator;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/**
 * Goal: the protocol as readable text. Method: every file in {@code scenarios/} has commands (lines with {@code >}) and
 * the full output of the real machine after each. {@code -Dscenarios.rewrite=true} writes what it says now; review the
 * difference.
 */
class ScenarioTest {

    private static final Path DIRECTORY = Path.of("src", "test", "resources", "scenarios");

    static List<String> scenarios() throws IOException {
        try (Stream<Path> files = Files.list(DIRECTORY)) {
            return files.map(file -> file.getFileName().toString())
                    .filter(name -> name.endsWith(".txt"))
                    .sorted()
                    .toList();
        }
    }

    @ParameterizedTest
    @MethodSource("scenarios")
    void saysExactlyWhatIsWritten(String name) throws IOException {
        Path file = DIRECTORY.resolve(name);
        String expected = Files.readString(file);
        String actual = run(expected);
        if (Boolean.getBoolean("scenarios.rewrite")) {
            Files.writeString(file, actual);
        }
        assertEquals(
                Boolean.getBoolean("scenarios.rewrite") ? actual : expected,
                actual,
                name + ": rewrite it with -Dscenarios.rewrite=true and review the difference");
    }

    @ParameterizedTest
    @MethodSource("scenarios")
    void beginsWithAWordOnWhatItShows(String name) throws IOException {
        assertTrue(Files.readString(DIRECTORY.resolve(name)).startsWith("# "), name + " has no comment on top");
    }

    private static String run(String script) {
        ScenarioScript machine = new ScenarioScript();
        StringBuilder text = new StringBuilder();
        boolean afterCommand = false;
        for (String line : script.lines().toList()) {
            if (line.startsWith("> ")) {
                if (afterCommand) {
                    text.append('\n');
                }
                text.append(line).append('\n');
                machine.run(line.substring(2))
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
