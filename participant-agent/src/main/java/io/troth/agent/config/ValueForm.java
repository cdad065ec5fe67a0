package io.troth.agent.config;

import io.troth.client.grpc.Endpoint;
import io.troth.core.ClusterId;
import java.nio.file.InvalidPathException;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.function.Function;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * How a value is written and what is allowed. Immutable.
 *
 * @param allowed completes the sentence "... allowed is"
 * @param parser throws {@link IllegalArgumentException} for anything else
 */
record ValueForm<T>(String allowed, Function<String, T> parser) {

    private static final Pattern DURATION = Pattern.compile("([0-9]{1,12}) ?(ms|s|m|h)");
    private static final Map<String, Long> MILLIS = Map.of("ms", 1L, "s", 1_000L, "m", 60_000L, "h", 3_600_000L);
    private static final Pattern HOST = Pattern.compile("[0-9A-Za-z.:_%-]{1,253}");
    private static final int PORT_MAX = 65_535;

    /** Parses, or throws {@link IllegalArgumentException} without a message of use. */
    T parse(String text) {
        return parser.apply(text);
    }

    static ValueForm<Integer> count(int min, int max) {
        return new ValueForm<>(
                "a whole number from " + min + " to " + max, text -> (int) within(Long.parseLong(text), min, max));
    }

    static ValueForm<Integer> port() {
        return new ValueForm<>("a port from 1 to " + PORT_MAX + ", or 0 for any free one", text ->
                (int) within(Long.parseLong(text), 0, PORT_MAX));
    }

    static ValueForm<Duration> duration(Duration min, Duration max) {
        return new ValueForm<>(
                "a duration from " + min.toMillis() + "ms to " + max.toSeconds() + "s, in ms, s, m or h",
                text -> Duration.ofMillis(within(millis(text), min.toMillis(), max.toMillis())));
    }

    private static long millis(String text) {
        Matcher matcher = DURATION.matcher(text);
        if (!matcher.matches()) {
            throw new IllegalArgumentException(text);
        }
        return Long.parseLong(matcher.group(1)) * MILLIS.getOrDefault(matcher.group(2), 0L);
    }

    static ValueForm<Boolean> flag() {
        return choice(Map.of("true", true, "false", false), "true or false");
    }

    static <T> ValueForm<T> choice(Map<String, T> words, String allowed) {
        return new ValueForm<>(allowed, text -> {
            T value = words.get(text);
            if (value == null) {
                throw new IllegalArgumentException(text);
            }
            return value;
        });
    }

    static ValueForm<ClusterId> clusterId() {
        return new ValueForm<>("16 hexadecimal digits", ClusterId::parse);
    }

    static ValueForm<String> host() {
        return new ValueForm<>("an IP address or a host name", text -> {
            if (!HOST.matcher(text).matches()) {
                throw new IllegalArgumentException(text);
            }
            return text;
        });
    }

    static ValueForm<List<Endpoint>> endpoints() {
        return new ValueForm<>("host:port, or several with commas between", text -> {
            List<Endpoint> endpoints = new ArrayList<>();
            for (String part : text.split(",", -1)) {
                endpoints.add(Endpoint.parse(part.strip()));
            }
            return List.copyOf(endpoints);
        });
    }

    static ValueForm<Endpoint> endpoint() {
        return new ValueForm<>("host:port", Endpoint::parse);
    }

    static ValueForm<String> text() {
        return new ValueForm<>("any text", text -> text);
    }

    static ValueForm<Path> path() {
        return new ValueForm<>("a path", text -> {
            try {
                return Path.of(text);
            } catch (InvalidPathException e) {
                throw new IllegalArgumentException(e);
            }
        });
    }

    private static long within(long value, long min, long max) {
        if (value < min || value > max) {
            throw new IllegalArgumentException(Long.toString(value));
        }
        return value;
    }
}
