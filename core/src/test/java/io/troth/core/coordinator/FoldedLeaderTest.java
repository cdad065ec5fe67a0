package io.troth.core.coordinator;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;

import io.troth.core.Between;
import java.util.Arrays;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;

/** Goal: two states that differ in nothing that counts are one when folded, and no others. */
class FoldedLeaderTest {

    private static final String[] COMMITTED = {
        "commit c 1.1.1 a1 b1", "vote a a1 1.1.1 YES", "vote b b1 1.1.1 YES", "apply"
    };

    @Test
    void ofAttemptsOnlyWhoseTurnItIsCounts() {
        String[] retry = {"timer retry 1.1.1"};
        assertSame(script(COMMITTED, retry, retry), script(COMMITTED, retry, retry, retry, retry));
        assertDiffer(script(COMMITTED), script(COMMITTED, retry));
        assertSame(script(COMMITTED), script(COMMITTED, retry, retry));
        assertDiffer(script(COMMITTED, retry), script(COMMITTED, retry, retry));
    }

    @Test
    void whySomethingWasRolledBackDoesNotCountButAHeuristicDoes() {
        String[] commit = {"commit c 1.1.1 a1 b1"};
        assertSame(
                script(commit, new String[] {"vote a a1 1.1.1 NO DEADLOCK", "timer deadline 1.1.1"}),
                script(commit, new String[] {"vote a a1 1.1.1 NO PREPARE_REFUSED"}));
        String[] done = {"done a a1 1.1.1", "done b b1 1.1.1", "apply"};
        String[] against = {"done a a1 1.1.1 HEURISTIC_ROLLBACK", "done b b1 1.1.1", "apply"};
        assertDiffer(script(COMMITTED, done), script(COMMITTED, against));
    }

    private static CoordinatorStateMachine script(String[]... parts) {
        ScenarioScript script = new ScenarioScript(Between.NOTHING);
        script.run("start");
        Stream.of(parts).flatMap(Arrays::stream).forEach(script::run);
        return script.machine();
    }

    private static void assertSame(CoordinatorStateMachine one, CoordinatorStateMachine other) {
        assertArrayEquals(one.encodeFolded(), other.encodeFolded());
    }

    private static void assertDiffer(CoordinatorStateMachine one, CoordinatorStateMachine other) {
        assertFalse(Arrays.equals(one.encodeFolded(), other.encodeFolded()));
    }
}
