package io.troth.coordinator.metrics;

import io.micrometer.core.instrument.Counter;
import io.micrometer.core.instrument.MeterRegistry;
import io.micrometer.core.instrument.Tag;
import io.micrometer.core.instrument.Tags;
import java.util.Locale;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;

/** Tags out of enums only, so that the number of series is bounded. */
final class MeterTags {

    private MeterTags() {}

    /** The enum's name in lower case. */
    static Tags of(String key, Enum<?> value) {
        return Tags.of(Tag.of(key, value.name().toLowerCase(Locale.ROOT)));
    }

    /** One counter for each value that has occurred, or that was asked for. Thread-safe. */
    static final class Counters<E extends Enum<E>> {
        private final Map<E, Counter> byValue = new ConcurrentHashMap<>();
        private final MeterRegistry registry;
        private final String name;
        private final String key;
        private final String description;

        Counters(MeterRegistry registry, String name, String key, String description) {
            this.registry = registry;
            this.name = name;
            this.key = key;
            this.description = description;
        }

        void increment(E value) {
            of(value).increment();
        }

        /** It exists from now on: the first increase of a counter that came with it would be none to Prometheus. */
        Counter of(E value) {
            return byValue.computeIfAbsent(value, this::register);
        }

        private Counter register(E value) {
            return Counter.builder(name)
                    .description(description)
                    .tags(MeterTags.of(key, value))
                    .register(registry);
        }
    }
}
