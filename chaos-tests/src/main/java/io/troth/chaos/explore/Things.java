package io.troth.chaos.explore;

import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;

/**
 * Gives equal values the same small number, counted up from 0: what a world is made of is compared by number only.
 *
 * @param <T> with equals and hashCode by value
 */
final class Things<T> {

    private final Map<T, Integer> numbers = new HashMap<>();
    private final List<T> things = new ArrayList<>();

    int number(T thing) {
        Integer known = numbers.get(thing);
        if (known != null) {
            return known;
        }
        numbers.put(thing, things.size());
        things.add(thing);
        return things.size() - 1;
    }

    T get(int number) {
        return things.get(number);
    }
}
