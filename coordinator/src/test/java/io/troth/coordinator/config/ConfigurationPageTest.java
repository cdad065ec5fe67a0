package io.troth.coordinator.config;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;

/**
 * Goal: docs/CONFIGURATION.md says of the coordinator exactly what the table of keys says, and the file of the
 * distribution is a valid one. Method: generate the part of the page and compare; {@code -Dtroth.rewrite=true} writes it.
 */
class ConfigurationPageTest {

    private static final Path PAGE = Path.of("..", "docs", "CONFIGURATION.md");
    private static final Path SAMPLE = Path.of("..", "dist", "src", "conf", "troth.conf");
    private static final String BEGIN = "<!-- coordinator: generated from io.troth.coordinator.config.ConfigKey -->\n";
    private static final String END = "<!-- coordinator: end -->";

    @Test
    void partOfThePageIsGeneratedFromTheTable() throws IOException {
        String page = Files.readString(PAGE);
        int from = page.indexOf(BEGIN);
        int to = page.indexOf(END);
        assertTrue(from >= 0 && to > from, "the marks of the coordinator's part are missing");
        String wanted = page.substring(0, from) + BEGIN + table() + page.substring(to);
        if (Boolean.getBoolean("troth.rewrite")) {
            Files.writeString(PAGE, wanted);
            page = wanted;
        }
        assertEquals(wanted, page, "rewrite it with -Dtroth.rewrite=true and review the difference");
    }

    @Test
    void everyKeyIsExplainedInOneSentenceOrMore() {
        for (ConfigKey<?> key : ConfigKey.all()) {
            assertTrue(key.documentation().matches("[A-Z/].*\\."), key.keyName());
        }
    }

    @Test
    void theFileOfTheDistributionIsValidAndStartsNothingUnsafe() {
        CoordinatorConfig config = new ConfigLoader().file(SAMPLE).load();
        assertEquals("127.0.0.1", config.get(ConfigKey.GRPC_ADDRESS));
    }

    private static String table() {
        StringBuilder table = new StringBuilder("\n| key | default | what | allowed |\n|---|---|---|---|\n");
        for (ConfigKey<?> key : ConfigKey.all()) {
            String text = key.defaultText();
            String shown = text == null ? "must be set" : text.isEmpty() ? "empty" : "`" + text + "`";
            table.append("| `%s` | %s | %s | %s |%n"
                    .formatted(key.keyName(), shown, key.documentation().replace("|", "\\|"), key.allowed()));
        }
        return table.append('\n').toString();
    }
}
