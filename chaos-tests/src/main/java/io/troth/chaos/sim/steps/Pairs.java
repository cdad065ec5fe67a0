package io.troth.chaos.sim.steps;

import java.util.List;

/**
 * The pairs of a machine's states and the kinds of events that it takes, and the name under which each is counted: made
 * once, since every event is counted. Immutable.
 */
final class Pairs<S extends Enum<S>, I extends Enum<I>> {

    private final String machine;
    private final List<S> states;
    private final List<I> inputs;
    private final String[][] names;

    /**
     * All pairs.
     *
     * @param machine {@code leader} or {@code agent}
     * @param subject what is in a state
     */
    @SuppressWarnings("EnumOrdinal") // The index of a name.
    Pairs(String machine, String subject, Class<S> states, Class<I> inputs) {
        this.machine = machine;
        this.states = List.of(states.getEnumConstants());
        this.inputs = List.of(inputs.getEnumConstants());
        this.names = new String[this.states.size()][this.inputs.size()];
        for (S state : this.states) {
            for (I input : this.inputs) {
                names[state.ordinal()][input.ordinal()] = machine + ": " + subject + " is " + state + " at " + input;
            }
        }
    }

    String machine() {
        return machine;
    }

    List<S> states() {
        return states;
    }

    List<I> inputs() {
        return inputs;
    }

    @SuppressWarnings("EnumOrdinal")
    String name(S state, I input) {
        return names[state.ordinal()][input.ordinal()];
    }
}
