package io.troth.coordinator.config;

import com.typesafe.config.Config;
import com.typesafe.config.ConfigException;
import com.typesafe.config.ConfigFactory;
import com.typesafe.config.ConfigParseOptions;
import com.typesafe.config.ConfigUtil;
import com.typesafe.config.ConfigValue;
import com.typesafe.config.ConfigValueType;
import io.troth.coordinator.config.CoordinatorConfig.Setting;
import java.io.IOException;
import java.nio.charset.CharacterCodingException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.function.Function;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;

/**
 * Puts the sources together: flags over environment over file over defaults. Every problem of every source is found
 * before any is reported. One thread, used once.
 */
public final class ConfigLoader {

    /** The part of a file, and of the environment, that is the agent's. */
    private static final String AGENT = "agent.";

    private static final String PREFIX = "TROTH_";

    /** Read by the launcher, before there is a configuration. */
    private static final List<String> LAUNCHER = List.of("TROTH_JAVA_OPTS", "TROTH_JDKS");

    /** What Kubernetes puts into every container for a service called troth-something. */
    private static final Pattern KUBERNETES =
            Pattern.compile(".*_SERVICE_(HOST|PORT(_.*)?)|.*_PORT(_[0-9]+_(TCP|UDP)(_.*)?)?");

    private final Map<ConfigKey<?>, Setting> settings = new HashMap<>();
    private final List<String> problems = new ArrayList<>();

    public ConfigLoader() {
        for (ConfigKey<?> key : ConfigKey.all()) {
            String text = key.defaultText();
            if (text != null) {
                settings.put(key, new Setting(text, "default"));
            }
        }
    }

    /** Other defaults. */
    public ConfigLoader defaults(Map<ConfigKey<?>, String> texts, String origin) {
        texts.forEach((key, text) -> set(key, text, origin));
        return this;
    }

    /** A file in HOCON; its block {@code agent} is not looked at. */
    public ConfigLoader file(Path file) {
        if (!Files.isReadable(file)) {
            problems.add(file + ": there is no such file, or it cannot be read");
            return this;
        }
        Config config;
        try {
            // The parser would put a replacement character for what is no UTF-8, and so take another path or name.
            String unused = Files.readString(file);
            ConfigParseOptions strict = ConfigParseOptions.defaults().setAllowMissing(false);
            config = ConfigFactory.parseFile(file.toFile(), strict).resolve();
        } catch (ConfigException e) {
            problems.add(file + ": " + e.getMessage());
            return this;
        } catch (CharacterCodingException e) {
            problems.add(file + ": it is not written in UTF-8");
            return this;
        } catch (IOException e) {
            problems.add(file + ": " + e);
            return this;
        }
        for (Map.Entry<String, ConfigValue> entry : new TreeMap<>(asMap(config)).entrySet()) {
            String name = String.join(".", ConfigUtil.splitPath(entry.getKey()));
            if (name.startsWith(AGENT)) {
                continue;
            }
            ConfigValue value = entry.getValue();
            String origin = file.getFileName() + ":" + value.origin().lineNumber();
            ConfigKey<?> key = find(name, ConfigKey::keyName);
            if (key == null) {
                problems.add(origin + ": unknown key " + name + nearest(name, ConfigKey::keyName));
            } else if (value.valueType() == ConfigValueType.LIST) {
                problems.add(origin + ": " + name + " is a list; allowed is " + key.allowed());
            } else {
                set(key, String.valueOf(value.unwrapped()), origin);
            }
        }
        return this;
    }

    private static Map<String, ConfigValue> asMap(Config config) {
        Map<String, ConfigValue> values = new HashMap<>();
        config.entrySet().forEach(entry -> values.put(entry.getKey(), entry.getValue()));
        return values;
    }

    /** The environment: every variable that begins with TROTH_ is a key, save the launcher's and the agent's. */
    public ConfigLoader environment(Map<String, String> environment) {
        new TreeMap<>(environment).forEach((variable, text) -> {
            if (!variable.startsWith(PREFIX) || variable.startsWith(PREFIX + "AGENT_") || LAUNCHER.contains(variable)) {
                return;
            }
            ConfigKey<?> key = find(variable, ConfigKey::variable);
            if (key != null) {
                set(key, text, "environment " + variable);
            } else if (!KUBERNETES.matcher(variable).matches()) {
                problems.add("environment: unknown key " + variable + nearest(variable, ConfigKey::variable));
            }
        });
        return this;
    }

    /** What stood on the command line, by key. */
    public ConfigLoader flags(Map<ConfigKey<?>, String> texts) {
        texts.forEach((key, text) -> set(key, text, "flag " + key.option()));
        return this;
    }

    /**
     * The effective configuration.
     *
     * @throws ConfigRefusedException with every problem of every source
     */
    public CoordinatorConfig load() {
        Map<ConfigKey<?>, Object> values = new HashMap<>();
        for (ConfigKey<?> key : ConfigKey.all()) {
            Setting setting = settings.get(key);
            if (setting == null) {
                problems.add(key + " is not set: give it in the file, as " + key.variable() + " or as " + key.option());
            } else if (!setting.text().isEmpty()) {
                parse(key, setting, values);
            } else if (!key.mayBeEmpty()) {
                problems.add(setting.origin() + ": " + key + " is empty; allowed is " + key.allowed());
            }
        }
        if (!problems.isEmpty()) {
            throw new ConfigRefusedException(problems);
        }
        CoordinatorConfig config = new CoordinatorConfig(settings, values);
        List<String> contradictions = config.contradictions();
        if (!contradictions.isEmpty()) {
            throw new ConfigRefusedException(contradictions);
        }
        return config;
    }

    private void parse(ConfigKey<?> key, Setting setting, Map<ConfigKey<?>, Object> values) {
        try {
            values.put(key, key.parse(setting.text()));
        } catch (IllegalArgumentException e) {
            String shown = key.isSecret() ? "the value" : "\"" + setting.text() + "\"";
            problems.add(setting.origin() + ": " + key + " cannot be " + shown + "; allowed is " + key.allowed());
        }
    }

    private void set(ConfigKey<?> key, String text, String origin) {
        settings.put(key, new Setting(text, origin));
    }

    private static @Nullable ConfigKey<?> find(String name, Function<ConfigKey<?>, String> nameOf) {
        for (ConfigKey<?> key : ConfigKey.all()) {
            if (nameOf.apply(key).equals(name)) {
                return key;
            }
        }
        return null;
    }

    /** The known name that most looks like this one, as the rest of a sentence. */
    private static String nearest(String name, Function<ConfigKey<?>, String> nameOf) {
        String best = "";
        int bestDistance = Integer.MAX_VALUE;
        for (ConfigKey<?> key : ConfigKey.all()) {
            int distance = distance(name, nameOf.apply(key));
            if (distance < bestDistance) {
                bestDistance = distance;
                best = nameOf.apply(key);
            }
        }
        return " (the nearest known one is " + best + ")";
    }

    /** How many letters have to be put in, left out or changed (Levenshtein). */
    private static int distance(String left, String right) {
        int[] row = new int[right.length() + 1];
        for (int j = 0; j < row.length; j++) {
            row[j] = j;
        }
        for (int i = 1; i <= left.length(); i++) {
            int diagonal = row[0];
            row[0] = i;
            for (int j = 1; j < row.length; j++) {
                int changed = diagonal + (left.charAt(i - 1) == right.charAt(j - 1) ? 0 : 1);
                diagonal = row[j];
                row[j] = Math.min(changed, Math.min(row[j], row[j - 1]) + 1);
            }
        }
        return row[right.length()];
    }
}
