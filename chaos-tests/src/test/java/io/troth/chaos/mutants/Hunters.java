package io.troth.chaos.mutants;

import io.troth.chaos.sim.database.DriverScripts;
import java.lang.reflect.InvocationTargetException;
import java.lang.reflect.Method;
import java.util.Arrays;
import org.jspecify.annotations.Nullable;

/** The explorer and the simulator of another class loader, called with types of the JDK. */
final class Hunters {

    private Hunters() {}

    /**
     * Explores one scope.
     *
     * @param bounds the name of a small scope and the number of states, as in {@code deadline 50000}
     * @return what is violated and where, null when nothing is
     */
    static @Nullable String explore(ClassLoader classes, String bounds) throws ReflectiveOperationException {
        String[] words = bounds.split(" ", 2);
        Method violation = classes.loadClass("io.troth.chaos.explore.SmallScopes")
                .getMethod("violation", String.class, long.class);
        return call(violation, words[0], Long.parseLong(words[1]));
    }

    /**
     * Simulates some seeds.
     *
     * @param bounds the first seed and the last, as in {@code 0-99}, and names of faults to choose from, if not all
     * @return the seed and the property that is violated, null when none is
     */
    static @Nullable String simulate(ClassLoader classes, String bounds) throws ReflectiveOperationException {
        String[] words = bounds.split(" ", -1);
        String[] seeds = words[0].split("-", 2);
        long first = Long.parseLong(seeds[0]);
        int count = (int) (Long.parseLong(seeds[1]) - first + 1);
        String[] faults = Arrays.copyOfRange(words, 1, words.length);
        Method hunt = classes.loadClass("io.troth.chaos.sim.Simulation")
                .getMethod("hunt", long.class, int.class, String[].class);
        return call(hunt, first, count, faults);
    }

    /** Runs one of the {@link Scripts} or {@link DriverScripts}, by the name of its method. */
    static @Nullable String script(ClassLoader classes, String name) throws ReflectiveOperationException {
        Class<?> owner = Arrays.stream(DriverScripts.class.getDeclaredMethods())
                        .anyMatch(method -> method.getName().equals(name))
                ? DriverScripts.class
                : Scripts.class;
        return call(classes.loadClass(owner.getName()).getMethod(name));
    }

    private static @Nullable String call(Method method, Object... arguments) throws ReflectiveOperationException {
        try {
            return (String) method.invoke(null, arguments);
        } catch (InvocationTargetException e) {
            throw new AssertionError(method + " has thrown instead of answering", e.getCause());
        }
    }
}
