package io.troth.coordinator.config;

import io.troth.core.ClusterId;
import io.troth.core.ResourceName;
import java.nio.file.InvalidPathException;
import java.nio.file.Path;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import java.util.TreeSet;
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

    private static final Pattern WITH_UNIT = Pattern.compile("([0-9]{1,15}) ?([A-Za-z]+)");
    private static final Map<String, Long> DURATION_UNITS =
            Map.of("ms", 1L, "s", 1_000L, "m", 60_000L, "h", 3_600_000L, "d", 86_400_000L);
    private static final Map<String, Long> SIZE_UNITS =
            Map.of("B", 1L, "KiB", 1L << 10, "MiB", 1L << 20, "GiB", 1L << 30);
    private static final Pattern NODE = Pattern.compile("[0-9A-Za-z-]{1,64}");
    private static final Pattern NODE_ADDRESS = Pattern.compile("([^=]+)=([0-9A-Za-z._-]{1,253}):([0-9]{1,5})");
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

    /** Milliseconds. */
    static ValueForm<Long> duration(String min, String max) {
        long least = withUnit(min, DURATION_UNITS);
        long most = withUnit(max, DURATION_UNITS);
        return new ValueForm<>(
                "a duration from " + min + " to " + max + ", in ms, s, m, h or d",
                text -> within(withUnit(text, DURATION_UNITS), least, most));
    }

    /** Bytes. */
    static ValueForm<Long> size(String min, String max) {
        long least = withUnit(min, SIZE_UNITS);
        long most = withUnit(max, SIZE_UNITS);
        return new ValueForm<>(
                "a size from " + min + " to " + max + ", in B, KiB, MiB or GiB",
                text -> within(withUnit(text, SIZE_UNITS), least, most));
    }

    static ValueForm<Boolean> flag() {
        return new ValueForm<>("true or false", text -> {
            if (!text.equals("true") && !text.equals("false")) {
                throw new IllegalArgumentException(text);
            }
            return Boolean.valueOf(text);
        });
    }

    static ValueForm<ClusterId> clusterId() {
        return new ValueForm<>("16 hexadecimal digits", ClusterId::parse);
    }

    static ValueForm<String> host() {
        return new ValueForm<>("an IP address or a host name", text -> {
            if (!text.matches("[0-9A-Za-z.:_%-]{1,253}")) {
                throw new IllegalArgumentException(text);
            }
            return text;
        });
    }

    static ValueForm<String> node() {
        return new ValueForm<>("a name of letters, digits and hyphens", ValueForm::nodeName);
    }

    private static String nodeName(String text) {
        if (!NODE.matcher(text).matches()) {
            throw new IllegalArgumentException(text);
        }
        return text;
    }

    /** Addresses by name. */
    static ValueForm<Map<String, String>> nodes() {
        return new ValueForm<>("name=host:port, separated by commas", text -> {
            Map<String, String> nodes = new TreeMap<>();
            for (String each : text.split(",", -1)) {
                Matcher matcher = NODE_ADDRESS.matcher(each.trim());
                if (!matcher.matches()
                        || nodes.put(nodeName(matcher.group(1)), matcher.group(2) + ":" + portOf(matcher)) != null) {
                    throw new IllegalArgumentException(each);
                }
            }
            return nodes;
        });
    }

    static ValueForm<Set<String>> resources() {
        return new ValueForm<>("names of resources, separated by commas", text -> {
            Set<String> names = new TreeSet<>();
            for (String each : text.split(",", -1)) {
                names.add(ResourceName.check(each.trim()));
            }
            return names;
        });
    }

    private static long portOf(Matcher address) {
        return within(Long.parseLong(address.group(3)), 1, PORT_MAX);
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

    private static long withUnit(String text, Map<String, Long> units) {
        Matcher matcher = WITH_UNIT.matcher(text);
        Long unit = matcher.matches() ? units.get(matcher.group(2)) : null;
        if (unit == null) {
            throw new IllegalArgumentException(text);
        }
        try {
            return Math.multiplyExact(Long.parseLong(matcher.group(1)), unit);
        } catch (ArithmeticException e) {
            throw new IllegalArgumentException(e);
        }
    }
}
