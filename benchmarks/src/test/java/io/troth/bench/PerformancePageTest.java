package io.troth.bench;

import static org.junit.jupiter.api.Assertions.assertDoesNotThrow;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.Test;
import picocli.CommandLine;

/** Goal: the commands that stand beside the figures work. Method: each is read as the main reads it, but not run. */
class PerformancePageTest {

    private static final String COMMAND = "./troth bench";

    @Test
    void everyCommandOfThePageAsksForRunsThatThereAre() throws IOException {
        List<String> commands = Files.readAllLines(Path.of("../docs/PERFORMANCE.md")).stream()
                .filter(line -> line.startsWith("    " + COMMAND))
                .map(line -> line.replaceFirst("\\s+#.*", "").strip())
                .toList();
        assertFalse(commands.isEmpty());
        for (String command : commands) {
            assertDoesNotThrow(() -> read(command.substring(COMMAND.length()).strip()), command);
        }
    }

    @Test
    void whatThereIsNotIsRefused() {
        assertThrows(IllegalArgumentException.class, () -> read("--only nobody"));
        assertThrows(IllegalArgumentException.class, () -> read("--work nothing"));
        assertThrows(CommandLine.ParameterException.class, () -> read("--nonsense"));
    }

    private static void read(String options) {
        BenchMain main = new BenchMain();
        new CommandLine(main).parseArgs(options.isEmpty() ? new String[0] : options.split(" +"));
        assertFalse(main.plans().isEmpty());
    }
}
