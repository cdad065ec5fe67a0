package io.troth.bench;

import io.troth.bench.contender.Contender;
import java.util.List;

/** Everybody who takes part, in the order of their turns. */
final class Contenders {

    private Contenders() {}

    static List<Contender> all() {
        return List.of();
    }
}
