package io.troth.agent.config;

import java.util.HashMap;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * What one block of keys was set to, and its parsed values. The loader fills it; afterwards it is read only.
 *
 * @see AgentConfig
 */
final class Settings {

    private final String prefix;
    private final List<AgentKey<?>> keys;
    private final Map<AgentKey<?>, Setting> settings = new HashMap<>();
    private final Map<AgentKey<?>, Object> values = new HashMap<>();

    /**
     * The defaults of a block.
     *
     * @param prefix what its names in a file begin with
     */
    Settings(String prefix, List<AgentKey<?>> keys) {
        this.prefix = prefix;
        this.keys = keys;
        for (AgentKey<?> key : keys) {
            String text = key.defaultText();
            if (text != null) {
                settings.put(key, new Setting(text, "default"));
            }
        }
    }

    void set(AgentKey<?> key, String text, String origin) {
        settings.put(key, new Setting(text, origin));
    }

    /** Reads every value; what cannot be read, or is missing, becomes a problem. */
    void parse(List<String> problems) {
        for (AgentKey<?> key : keys) {
            Setting setting = settings.get(key);
            String name = prefix + key.path();
            if (setting == null) {
                problems.add(name + " is not set");
            } else if (!setting.text().isEmpty()) {
                parse(key, name, setting, problems);
            } else if (!key.mayBeEmpty()) {
                problems.add(setting.origin() + ": " + name + " is empty; allowed is " + key.allowed());
            }
        }
    }

    private void parse(AgentKey<?> key, String name, Setting setting, List<String> problems) {
        try {
            values.put(key, key.parse(setting.text()));
        } catch (IllegalArgumentException e) {
            String shown = key.isSecret() ? "the value" : "\"" + setting.text() + "\"";
            problems.add(setting.origin() + ": " + name + " cannot be " + shown + "; allowed is " + key.allowed());
        }
    }

    /** Null when it was left empty. */
    @SuppressWarnings("unchecked") // parse() stored what this key's own parser gave.
    <T> @Nullable T find(AgentKey<T> key) {
        return (T) values.get(key);
    }

    <T> T get(AgentKey<T> key) {
        T value = find(key);
        if (value == null) {
            throw new IllegalStateException(prefix + key.path() + " has no value");
        }
        return value;
    }

    /** Every key with its value and where it comes from, as lines that are a configuration file. */
    void print(List<String> lines) {
        for (AgentKey<?> key : keys) {
            Setting setting = settings.get(key);
            if (setting != null) {
                String text = Secrets.shown(key, setting.text());
                lines.add(prefix + key.path() + " = \""
                        + text.replace("\\", "\\\\").replace("\"", "\\\"") + "\"  # " + setting.origin());
            }
        }
    }
}
