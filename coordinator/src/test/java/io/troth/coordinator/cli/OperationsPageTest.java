package io.troth.coordinator.cli;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;

import io.troth.core.ErrorCode;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import picocli.CommandLine;

/**
 * Goal: what docs/OPERATIONS.md tells an operator to type is what the commands take. Method: every command in a list of
 * steps is parsed, as it stands there; that they do what they say is for {@link ClusterCommandTest} and {@link
 * AdminCommandTest}. Every error code that the page names is in the catalogue.
 */
class OperationsPageTest {

    private static final Path PAGE = Path.of("..", "docs", "OPERATIONS.md");
    private static final Pattern WORD = Pattern.compile("\"([^\"]*)\"|\\S+");
    private static final Pattern CODE = Pattern.compile("^\\| (`[A-Z_]+`[^|]*) \\|");

    @Test
    void everyStepIsACommand() throws IOException {
        List<String> commands;
        try (Stream<String> lines = Files.lines(PAGE)) {
            commands = lines.filter(line -> line.matches(" {7}troth .*"))
                    .map(String::strip)
                    .toList();
        }
        assertFalse(commands.isEmpty());
        for (String command : commands) {
            List<String> words = new ArrayList<>();
            Matcher word = WORD.matcher(command.substring("troth ".length()));
            while (word.find()) {
                words.add(word.group(1) == null ? word.group() : word.group(1));
            }
            // An exception says what is wrong with it.
            CommandLine.ParseResult parsed = CoordinatorMain.line().parseArgs(words.toArray(String[]::new));
            assertEquals(words.get(0), parsed.subcommand().commandSpec().name(), command);
        }
    }

    @Test
    void everyCodeInATableIsInTheCatalogue() throws IOException {
        List<String> codes = new ArrayList<>();
        for (String line : Files.readAllLines(PAGE)) {
            Matcher row = CODE.matcher(line);
            if (row.find()) {
                Matcher code = Pattern.compile("`([A-Z_]+)`").matcher(row.group(1));
                while (code.find()) {
                    codes.add(code.group(1));
                }
            }
        }
        assertFalse(codes.isEmpty());
        // Throws when it is none.
        codes.forEach(ErrorCode::valueOf);
    }
}
