package io.troth.chaos.explore;

import io.troth.chaos.explore.Scope.May;
import java.util.List;

/** The scopes that there are, each small enough to be looked at as a whole, and all of them together rich enough. */
final class Scopes {

    private Scopes() {}

    static List<Scope> all() {
        return List.of(twoBranches());
    }

    /** The scope of this name. */
    static Scope named(String name) {
        for (Scope scope : all()) {
            if (scope.name.equals(name)) {
                return scope;
            }
        }
        throw new IllegalArgumentException("there is no scope '" + name + "'");
    }

    private static Scope twoBranches() {
        return new Scope("two-branches", "a call to each of two resources, the first perhaps twice")
                .agent(0)
                .agent(1)
                .call(0, 0, true, 2)
                .call(0, 1, true, 1)
                .may(May.AGENT_MOVES, May.LEADER_DEADLINE, May.CLIENT_ROLLS_BACK);
    }
}
