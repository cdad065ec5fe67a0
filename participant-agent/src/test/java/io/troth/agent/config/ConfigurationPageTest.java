package io.troth.agent.config;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.Test;

/**
 * Goal: docs/CONFIGURATION.md says of the agent exactly what the table of keys says, and the file of the distribution is
 * a valid one. Method: generate the part of the page and compare; {@code -Dtroth.rewrite=true} writes it.
 */
class ConfigurationPageTest {

    private static final Path PAGE = Path.of("..", "docs", "CONFIGURATION.md");
    private static final Path SAMPLE = Path.of("..", "dist", "src", "conf", "troth.conf");
    private static final String BEGIN = "<!-- agent: generated from io.troth.agent.config.AgentKey -->\n";
    private static final String END = "<!-- agent: end -->";

    @Test
    void partOfThePageIsGeneratedFromTheTable() throws IOException {
        String page = Files.readString(PAGE);
        int from = page.indexOf(BEGIN);
        int to = page.indexOf(END);
        assertTrue(from >= 0 && to > from, "the marks of the agent's part are missing");
        String wanted = page.substring(0, from)
                + BEGIN
                + table("agent.", AgentKey.all())
                + table("agent.resources.NAME.", AgentKey.ofResources())
                + page.substring(to);
        if (Boolean.getBoolean("troth.rewrite")) {
            Files.writeString(PAGE, wanted);
            page = wanted;
        }
        assertEquals(wanted, page, "rewrite it with -Dtroth.rewrite=true and review the difference");
    }

    @Test
    void everyKeyIsExplainedInOneSentenceOrMore() {
        for (List<AgentKey<?>> table : List.of(AgentKey.all(), AgentKey.ofResources())) {
            for (AgentKey<?> key : table) {
                assertTrue(key.documentation().matches("[A-Z/].*\\."), key.keyName());
            }
        }
    }

    @Test
    void theFileOfTheDistributionIsValidAndStartsNothingUnsafe() {
        AgentConfig config = new AgentConfigLoader()
                .file(SAMPLE)
                .resourceFlags(List.of("accounts=jdbc:postgresql://localhost/bank"))
                .load();
        assertEquals("127.0.0.1", config.get(AgentKey.SQL_ADDRESS));
        assertEquals("127.0.0.1", config.get(AgentKey.HTTP_ADDRESS));
    }

    private static String table(String prefix, List<AgentKey<?>> keys) {
        StringBuilder table = new StringBuilder("\n| key | default | what | allowed |\n|---|---|---|---|\n");
        for (AgentKey<?> key : keys) {
            String text = key.defaultText();
            String shown = text == null ? "must be set" : text.isEmpty() ? "empty" : "`" + text + "`";
            table.append("| `%s%s` | %s | %s | %s |%n"
                    .formatted(prefix, key.path(), shown, key.documentation().replace("|", "\\|"), key.allowed()));
        }
        return table.append('\n').toString();
    }
}
