package io.troth.chaos.launcher;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.troth.agent.config.AgentKey;
import io.troth.coordinator.cli.ExitCode;
import io.troth.coordinator.config.ConfigKey;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Properties;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/**
 * Goal: the units for systemd agree with what the processes do. Method: their keys are read; {@code systemd-analyze
 * verify} says whether systemd knows them.
 */
class UnitFilesTest {

    /** What handing over the lead and closing the log may take after the drain. */
    private static final long CLOSE_SECONDS = 15;

    @ParameterizedTest
    @ValueSource(strings = {"coordinator", "agent"})
    void stopAndRestartAsTheProcessNeeds(String command) throws IOException {
        Properties unit = unit(command);

        String start = "/opt/troth/bin/troth " + command + " -c /etc/troth/";
        assertTrue(unit.getProperty("ExecStart").startsWith(start), unit.getProperty("ExecStart"));
        assertEquals("on-failure", unit.getProperty("Restart"));
        assertEquals(ExitCode.USAGE + " " + ExitCode.VIOLATED, unit.getProperty("RestartPreventExitStatus"));
        assertEquals(drainSeconds(command) + CLOSE_SECONDS, Long.parseLong(unit.getProperty("TimeoutStopSec")));
    }

    private static long drainSeconds(String command) {
        String limit = command.equals("agent")
                ? AgentKey.SHUTDOWN_DRAIN_LIMIT.defaultText()
                : ConfigKey.SHUTDOWN_DRAIN_LIMIT.defaultText();
        assertTrue(limit.matches("[0-9]+s"), limit);
        return Long.parseLong(limit.substring(0, limit.length() - 1));
    }

    /** Without its sections: no key is in two of them. */
    private static Properties unit(String command) throws IOException {
        Properties unit = new Properties();
        try (var lines =
                Files.newBufferedReader(Path.of("..", "dist", "src", "systemd", "troth-" + command + ".service"))) {
            unit.load(lines);
        }
        return unit;
    }
}
