package io.troth.chaos.explore;

import io.troth.chaos.explore.Scope.May;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;

/** The smallest scopes in which a bug of one kind can show: seeded bugs are hunted for here, in seconds. */
public final class SmallScopes {

    private SmallScopes() {}

    /**
     * For callers in another class loader: explores the small scope of this name.
     *
     * @return null when no property is violated in the first {@code statesMax} states, else one line that says which, at
     *     which depth
     */
    public static @Nullable String violation(String name, long statesMax) {
        for (Scope scope : all()) {
            if (scope.name.equals(name)) {
                ExploreResult result = Explorer.run(scope, statesMax);
                return result.violation() == null
                        ? null
                        : "depth " + result.depth() + " in `" + name + "`: " + result.violation();
            }
        }
        throw new IllegalArgumentException("there is no small scope '" + name + "'");
    }

    static List<Scope> all() {
        List<Scope> all = new ArrayList<>(shared());
        all.addAll(inPlace());
        return all;
    }

    private static List<Scope> shared() {
        return List.of(
                two("deadline").epochs(1).may(May.LEADER_DEADLINE),
                two("agents-deadline").epochs(1).may(May.AGENT_DEADLINE),
                two("refused").epochs(1).faults(Fault.REFUSES).may(May.DATABASES_TAKE_TIME),
                two("scans").epochs(1).may(May.SCANS),
                two("asked").epochs(1).may(May.STRANGER_ASKS),
                two("completion").epochs(1).waitsForCompletion(),
                two("next-epoch").may(May.AGENT_MOVES),
                two("next-epoch-learned").may(May.LEADER_LEARNS_ITS_END),
                two("proposed-again").may(May.AGENT_MOVES, May.LOG_PROPOSES_AGAIN),
                new Scope("twice", "a call executed twice, and one to another resource")
                        .agent(0)
                        .agent(1)
                        .call(0, 0, true, 2)
                        .call(0, 1, true, 1)
                        .epochs(1),
                new Scope("two-instances", "a call that two instances execute, and one to another resource")
                        .agent(0)
                        .agent(0)
                        .agent(1)
                        .call(0, 0, true, 2)
                        .call(0, 1, true, 1)
                        .epochs(1),
                new Scope("stands-in", "an instance of a resource whose other instance loses its stream")
                        .agent(0)
                        .agent(0)
                        .agent(1)
                        .call(0, 0, true, 1)
                        .call(0, 1, true, 1)
                        .epochs(1)
                        .may(May.LEADER_LOSES_STREAM),
                new Scope("readers", "two calls that only read")
                        .agent(0)
                        .agent(1)
                        .call(0, 0, false, 1)
                        .call(0, 1, false, 1)
                        .epochs(1),
                one("one").may(May.AGENT_MOVES),
                one("one-asked").epochs(1).may(May.STRANGER_ASKS, May.CLIENT_ENDS),
                one("one-recorded").twoPhaseAlways().may(May.AGENT_MOVES),
                one("horizon").twoPhaseAlways().may(May.CLIENT_ENDS, May.RETENTION_ENDS, May.SCANS),
                one("goes-on").call(1, 0, true, 1).later(1).may(May.AGENT_MOVES),
                one("one-late").may(May.AGENT_MOVES, May.KEPT_RESULTS_AGE));
    }

    private static List<Scope> inPlace() {
        return List.of(
                one("in-place")
                        .inPlace()
                        .may(
                                May.ANNOUNCED_LATE,
                                May.STRANGER_ASKS,
                                May.CONFIDANT_ASKS,
                                May.LEADER_DEADLINE,
                                May.DATABASES_TAKE_TIME),
                one("vote-in-place")
                        .inPlace()
                        .twoPhaseAlways()
                        .epochs(1)
                        .may(
                                May.AGENT_LOSES_STREAM,
                                May.LEADER_LOSES_STREAM,
                                May.CLIENT_LOSES_STREAM,
                                May.AGENT_DIES,
                                May.SCANS,
                                May.LEADER_TIMERS,
                                May.DATABASES_TAKE_TIME)
                        .lives(2),
                two("vote-in-place-and-a-late-call")
                        .inPlace()
                        .twoPhaseAlways()
                        .epochs(1)
                        .may(May.ANNOUNCED_LATE),
                two("votes-in-place").inPlace(2).epochs(1).faults(Fault.REFUSES).may(May.DATABASES_TAKE_TIME));
    }

    private static Scope two(String name) {
        return new Scope(name, "a call to each of two resources")
                .agent(0)
                .agent(1)
                .call(0, 0, true, 1)
                .call(0, 1, true, 1);
    }

    private static Scope one(String name) {
        return new Scope(name, "one call").agent(0).call(0, 0, true, 1);
    }
}
