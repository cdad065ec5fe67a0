package io.troth.coordinator.log;

import io.troth.core.EpochId;
import java.util.HashMap;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * Makes one object of equal ones while many records are read: a million COMMITs are of a few epochs and name a few
 * resources, and a coordinator keeps all of them in memory. One thread.
 */
public final class SharedValues {

    /** More names than that are not shared: the names are not resources then, and the map would only grow. */
    private static final int NAMES_MAX = 10_000;

    private final Map<String, String> names = new HashMap<>();
    private @Nullable EpochId last;

    /** An object equal to this one, and the same for equal names. */
    String name(String name) {
        String known = names.get(name);
        if (known != null) {
            return known;
        }
        if (names.size() < NAMES_MAX) {
            names.put(name, name);
        }
        return name;
    }

    /** An epoch; the same object as long as the epoch does not change. */
    EpochId epoch(long number, long nonce) {
        EpochId before = last;
        if (before != null && before.number() == number && before.nonce() == nonce) {
            return before;
        }
        EpochId epoch = new EpochId(number, nonce);
        last = epoch;
        return epoch;
    }
}
