package io.troth.core.participant;

import io.troth.core.Between;
import io.troth.core.ErrorCode;
import io.troth.core.ScenarioFiles;
import java.io.IOException;
import java.util.List;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/**
 * Goal: the agent's half of the protocol as readable text, and that a machine goes on from its bytes as it would have
 * otherwise. Method: every file in {@code agent-scenarios/}.
 */
class AgentScenarioTest {

    private static final ScenarioFiles FILES = new ScenarioFiles("agent-scenarios");

    /** What folding may change: why something died, and how long until the next attempt. */
    private static final Pattern FOLDED_AWAY = Pattern.compile(Stream.of(ErrorCode.values())
            .map(Enum::name)
            .collect(Collectors.joining("|", "(?m)(?<=PhaseTwoRetry a\\d )\\d+| (", ")( \\(.*\\))?$")));

    static List<String> scenarios() throws IOException {
        return FILES.names();
    }

    @ParameterizedTest
    @MethodSource("scenarios")
    void saysExactlyWhatIsWritten(String name) throws IOException {
        FILES.check(name, new AgentScript(Between.NOTHING)::run);
    }

    @ParameterizedTest
    @MethodSource("scenarios")
    void goesOnFromItsBytes(String name) throws IOException {
        FILES.check(name, new AgentScript(Between.CODED)::run);
    }

    @ParameterizedTest
    @MethodSource("scenarios")
    void goesOnFromItsFoldedBytes(String name) throws IOException {
        FILES.check(name, new AgentScript(Between.FOLDED)::run, FOLDED_AWAY);
    }
}
