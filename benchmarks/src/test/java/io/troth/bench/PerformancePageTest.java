package io.troth.bench;

import static org.junit.jupiter.api.Assertions.assertDoesNotThrow;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.troth.bench.contender.Contender;
import io.troth.bench.peers.Peers;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import picocli.CommandLine;
import picocli.CommandLine.ParseResult;

/** Goal: the commands that stand beside the figures work. Method: each is read as the main reads it, but not run. */
class PerformancePageTest {

    private static final String COMMAND = "./troth bench";

    @Test
    void everyCommandOfThePageAsksForRunsThatThereAre() throws IOException {
        String page = Files.readString(Path.of("../docs/PERFORMANCE.md"));
        Stream<String> lines = page.lines()
                .filter(line -> line.startsWith("    " + COMMAND))
                .map(line -> line.replaceFirst("\\s+#.*", ""));
        // Each second piece is code. A line of a paragraph may end within it.
        List<String> pieces = List.of(
                page.replaceAll("(?m)^ {4}.*$", "").replaceAll("\\s+", " ").split("`", -1));
        Stream<String> inText = pieces.stream()
                .filter(piece -> piece.startsWith(COMMAND) || piece.matches("--(suite|only|work) .*"))
                .map(piece -> piece.startsWith(COMMAND) ? piece : COMMAND + " " + piece);
        List<String> commands = Stream.concat(lines, inText).map(String::strip).toList();

        assertTrue(commands.stream().anyMatch(command -> !page.contains(command)), "none of several lines");
        assertTrue(commands.size() > 20, commands::toString);
        for (String command : commands) {
            assertDoesNotThrow(() -> read(command.substring(COMMAND.length()).strip()), command);
        }
    }

    @Test
    void whatThereIsNotIsRefused() {
        assertThrows(IllegalArgumentException.class, () -> read("--only nobody"));
        assertThrows(IllegalArgumentException.class, () -> read("--work nothing"));
        assertThrows(CommandLine.ParameterException.class, () -> read("--nonsense"));
        assertThrows(CommandLine.ParameterException.class, () -> read("soak --nonsense"));
    }

    private static void read(String options) {
        BenchMain main = new BenchMain();
        ParseResult parsed = new CommandLine(main).parseArgs(options.isEmpty() ? new String[0] : options.split(" +"));
        if (parsed.hasSubcommand()) {
            return;
        }
        // Some peers are only there under the Maven profile of that name.
        if (options.contains("--peers") && !Peers.isComplete()) {
            List<String> names = Contenders.all().stream().map(Contender::name).toList();
            read(options.replace("--peers", "")
                    .replaceAll("(atomikos|bitronix)(-best)?", names.get(0))
                    .strip());
            return;
        }
        assertFalse(main.plans().isEmpty());
    }
}
