package io.troth.core.coordinator;

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
 * Goal: the leader's half of the protocol as readable text, and that a machine goes on from its bytes as it would have
 * otherwise. Method: every file in {@code scenarios/}.
 */
class ScenarioTest {

    private static final ScenarioFiles FILES = new ScenarioFiles("scenarios");

    /** What folding may change: why something was refused or ended. */
    private static final Pattern FOLDED_AWAY = Pattern.compile(Stream.of(ErrorCode.values())
            .map(Enum::name)
            .filter(code -> !code.startsWith("HEURISTIC"))
            .collect(Collectors.joining("|", "(?m): (", ")( \\(.*\\))?$")));

    static List<String> scenarios() throws IOException {
        return FILES.names();
    }

    @ParameterizedTest
    @MethodSource("scenarios")
    void saysExactlyWhatIsWritten(String name) throws IOException {
        FILES.check(name, new ScenarioScript(Between.NOTHING)::run);
    }

    @ParameterizedTest
    @MethodSource("scenarios")
    void goesOnFromItsBytes(String name) throws IOException {
        FILES.check(name, new ScenarioScript(Between.CODED)::run);
    }

    @ParameterizedTest
    @MethodSource("scenarios")
    void goesOnFromItsFoldedBytes(String name) throws IOException {
        FILES.check(name, new ScenarioScript(Between.FOLDED)::run, FOLDED_AWAY);
    }
}
