package io.troth.chaos.explore;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotNull;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.troth.chaos.explore.Scope.May;
import java.util.List;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/**
 * The explorer, as every build runs it: a million states of the real core, no property broken, every pair of states seen
 * that can be. Then that it sees what is broken, says the shortest way there, and does the same again.
 */
class ExplorerTest {

    private static final long STATES_MIN = 1_000_000;

    @Test
    @Timeout(value = 10, unit = TimeUnit.MINUTES)
    void findsNothingWrongInAMillionStatesOfTheCore() throws Exception {
        List<ExploreResult> results = new Exploration(System.out, false).run(Scopes.all(), 0, 2);

        Pairs pairs = Exploration.pairs(results);
        System.out.println(pairs.text());
        System.out.println(Exploration.summary(results));
        for (ExploreResult result : results) {
            assertNull(result.violation(), () -> result.line() + System.lineSeparator() + result.path());
        }
        assertEquals(List.of(), LegalPairs.missing(pairs), "legal pairs that were never reached");
        long states = results.stream().mapToLong(ExploreResult::states).sum();
        assertTrue(states >= STATES_MIN, "only " + states + " states");
    }

    /** A database that says YES for nothing breaks every promise; the explorer has to notice, and to say how. */
    @Test
    void seesABrokenPromiseAndSaysTheShortestWayToIt() {
        ExploreResult result = Explorer.run(twoBranches().faults(Fault.LIES).may(May.DATABASES_TAKE_TIME), 100_000);

        String violation = result.violation();
        assertNotNull(violation);
        assertTrue(violation.startsWith("Record truth: COMMIT is durable"), violation);
        assertEquals(result.depth(), result.path().size());
        // Two calls, two replies, commit, two prepares with their answers, two votes, a durable COMMIT: 13 and no more.
        assertEquals(13, result.depth(), () -> String.join(System.lineSeparator(), result.path()));
        assertTrue(result.path().stream().anyMatch(step -> step.contains("lies about")), result.path()::toString);
    }

    /** Nothing depends on the order of a hash table, on time or on threads. */
    @Test
    void doesTheSameAgain() {
        ExploreResult first = Explorer.run(twoBranches().may(May.AGENT_MOVES), 20_000);
        ExploreResult again = Explorer.run(twoBranches().may(May.AGENT_MOVES), 20_000);

        assertNull(first.violation());
        assertEquals(first.states(), again.states());
        assertEquals(first.transitions(), again.transitions());
        assertEquals(first.completions(), again.completions());
        assertEquals(first.pairs().text(), again.pairs().text());
    }

    @Test
    void stopsAtTheLimitAndSaysSo() {
        ExploreResult result = Explorer.run(twoBranches(), 1_000);

        assertTrue(result.states() >= 1_000 && result.states() < 1_100, result.line());
        assertTrue(result.line().endsWith("no violation (stopped by the limit of 1000 states)"), result.line());
    }

    @Test
    void everyScopeHasItsOwnNameAndBeginsWell() {
        for (Scope scope : Scopes.all()) {
            assertNull(Explorer.violation(scope.name, 50), scope.name);
        }
        assertEquals(
                Scopes.all().size(),
                Scopes.all().stream().map(scope -> scope.name).distinct().count());
    }

    private static Scope twoBranches() {
        return new Scope("test", "a call to each of two resources")
                .agent(0)
                .agent(1)
                .call(0, 0, true, 1)
                .call(0, 1, true, 1);
    }
}
