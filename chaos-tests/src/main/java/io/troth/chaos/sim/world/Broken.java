package io.troth.chaos.sim.world;

import java.util.function.Supplier;

/** A property that does not hold. The message begins with its name. */
public final class Broken extends RuntimeException {

    private static final long serialVersionUID = 1L;

    public Broken(String message) {
        super(message);
    }

    public Broken(String message, Throwable cause) {
        super(message, cause);
    }

    /** Throws when it does not hold. */
    public static void unless(boolean holds, Supplier<String> property) {
        if (!holds) {
            throw new Broken(property.get());
        }
    }
}
