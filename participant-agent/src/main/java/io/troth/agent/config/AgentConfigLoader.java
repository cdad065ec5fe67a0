package io.troth.agent.config;

import com.typesafe.config.Config;
import com.typesafe.config.ConfigException;
import com.typesafe.config.ConfigFactory;
import com.typesafe.config.ConfigParseOptions;
import com.typesafe.config.ConfigUtil;
import com.typesafe.config.ConfigValue;
import com.typesafe.config.ConfigValueType;
import io.troth.core.ResourceName;
import java.io.IOException;
import java.nio.charset.CharacterCodingException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Objects;
import java.util.Set;
import java.util.TreeMap;
import java.util.function.Function;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;

/**
 * Puts the sources together; each source wins over those that were given before it. Every problem of every source is
 * found before any is reported. One thread, used once.
 */
public final class AgentConfigLoader {

    private static final String RESOURCES = "resources";
    private static final String PREFIX = "TROTH_AGENT_";
    private static final String RESOURCES_PREFIX = PREFIX + "RESOURCES_";

    /** What Kubernetes puts into every container for a service called troth-agent-something. */
    private static final Pattern KUBERNETES =
            Pattern.compile(".*_SERVICE_(HOST|PORT(_.*)?)|.*_PORT(_[0-9]+_(TCP|UDP)(_.*)?)?");

    private final Settings process = new Settings(AgentKey.BLOCK, AgentKey.all());
    private final Map<String, Settings> resources = new TreeMap<>();
    private final List<String> problems = new ArrayList<>();

    /** A file in HOCON; only its block {@code agent} is looked at. */
    public AgentConfigLoader file(Path file) {
        if (!Files.isReadable(file)) {
            problems.add(file + ": there is no such file, or it cannot be read");
            return this;
        }
        Config config;
        try {
            // The parser would put a replacement character for what is no UTF-8, and so take another password.
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
        Map<String, ConfigValue> entries = new TreeMap<>();
        config.entrySet().forEach(entry -> entries.put(entry.getKey(), entry.getValue()));
        entries.forEach((name, value) -> {
            List<String> path = ConfigUtil.splitPath(name);
            if (path.get(0).equals("agent")) {
                String origin = file.getFileName() + ":" + value.origin().lineNumber();
                take(path.subList(1, path.size()), text(value), origin);
            }
        });
        return this;
    }

    private static String text(ConfigValue value) {
        if (value.valueType() == ConfigValueType.LIST && value.unwrapped() instanceof List<?> items) {
            return String.join(",", items.stream().map(String::valueOf).toList());
        }
        return String.valueOf(value.unwrapped());
    }

    private void take(List<String> path, String text, String origin) {
        if (path.size() == 3 && path.get(0).equals(RESOURCES)) {
            take(path.get(1), path.get(2), text, origin);
            return;
        }
        String name = String.join(".", path);
        AgentKey<?> key = find(AgentKey.all(), name, AgentKey::path);
        if (key == null) {
            problems.add(origin + ": unknown key " + AgentKey.BLOCK + name
                    + nearest(AgentKey.all(), name, AgentKey::path, AgentKey.BLOCK));
        } else {
            process.set(key, text, origin);
        }
    }

    private void take(String resource, String field, String text, String origin) {
        String prefix = prefixOf(resource);
        AgentKey<?> key = find(AgentKey.ofResources(), field, AgentKey::path);
        if (key == null) {
            problems.add(origin + ": unknown key " + prefix + field
                    + nearest(AgentKey.ofResources(), field, AgentKey::path, prefix));
        } else if (!ResourceName.isValid(resource)) {
            problems.add(origin + ": \"" + resource + "\" is no resource name: 1 to " + ResourceName.LENGTH_MAX
                    + " characters out of A-Z a-z 0-9 . _ -");
        } else {
            resource(resource).set(key, text, origin);
        }
    }

    private Settings resource(String name) {
        return resources.computeIfAbsent(name, key -> new Settings(prefixOf(key), AgentKey.ofResources()));
    }

    private static String prefixOf(String resource) {
        return AgentKey.BLOCK + ConfigUtil.joinPath(RESOURCES, resource) + ".";
    }

    /** The environment: every variable that begins with TROTH_AGENT_ is a key. Given after file and flags name resources. */
    public AgentConfigLoader environment(Map<String, String> environment) {
        new TreeMap<>(environment).forEach((variable, text) -> {
            if (!variable.startsWith(PREFIX)) {
                return;
            }
            String origin = "environment " + variable;
            if (variable.startsWith(RESOURCES_PREFIX)) {
                takeOfResource(variable, text, origin);
                return;
            }
            AgentKey<?> key = find(AgentKey.all(), variable, AgentKey::variable);
            if (key != null) {
                process.set(key, text, origin);
            } else if (!KUBERNETES.matcher(variable).matches()) {
                problems.add("environment: unknown key " + variable
                        + nearest(AgentKey.all(), variable, AgentKey::variable, ""));
            }
        });
        return this;
    }

    /** The longest field name that the variable ends with counts: ACCOUNTS_PASSWORD_FILE is no PASSWORD_FILE's FILE. */
    private void takeOfResource(String variable, String text, String origin) {
        String rest = variable.substring(RESOURCES_PREFIX.length());
        AgentKey<?> best = null;
        for (AgentKey<?> key : AgentKey.ofResources()) {
            boolean fits = rest.endsWith("_" + key.words())
                    && rest.length() > key.words().length() + 1;
            if (fits && (best == null || key.words().length() > best.words().length())) {
                best = key;
            }
        }
        if (best == null) {
            problems.add("environment: unknown key " + variable + "; a resource has "
                    + String.join(
                            ", ",
                            AgentKey.ofResources().stream().map(AgentKey::words).toList()));
            return;
        }
        String capitals = rest.substring(0, rest.length() - best.words().length() - 1);
        List<String> names = resources.keySet().stream()
                .filter(known -> inCapitals(known).equals(capitals))
                .toList();
        if (names.size() > 1) {
            problems.add(origin + " may be meant for " + String.join(" or for ", names)
                    + ": give it in the file, or the resources other names");
            return;
        }
        resource(names.isEmpty() ? capitals.toLowerCase(Locale.ROOT) : names.get(0))
                .set(best, text, origin);
    }

    private static String inCapitals(String resource) {
        return resource.replaceAll("[^A-Za-z0-9]", "_").toUpperCase(Locale.ROOT);
    }

    /** What stood on the command line, by key. */
    public AgentConfigLoader flags(Map<AgentKey<?>, String> texts) {
        texts.forEach((key, text) -> process.set(key, text, "flag " + key.option()));
        return this;
    }

    /** Resources on the command line, each {@code NAME=JDBC-URL}. Given before the environment, whose URL would win. */
    public AgentConfigLoader resourceFlags(List<String> flags) {
        Set<String> names = new HashSet<>();
        for (String flag : flags) {
            int equals = flag.indexOf('=');
            if (equals < 1 || equals == flag.length() - 1) {
                problems.add("flag --resource: \"" + Secrets.url(flag) + "\" is not NAME=JDBC-URL");
            } else if (!names.add(flag.substring(0, equals))) {
                problems.add("flag --resource: " + flag.substring(0, equals) + " is given twice");
            } else {
                take(flag.substring(0, equals), AgentKey.URL.path(), flag.substring(equals + 1), "flag --resource");
            }
        }
        return this;
    }

    /** Any key of a resource, for programs that configure an agent. */
    public AgentConfigLoader resource(String name, Map<AgentKey<?>, String> texts) {
        texts.forEach((key, text) -> take(name, key.path(), text, "program"));
        return this;
    }

    /**
     * The effective configuration.
     *
     * @throws ConfigRefusedException with every problem of every source
     */
    public AgentConfig load() {
        process.parse(problems);
        resources.values().forEach(settings -> settings.parse(problems));
        if (resources.isEmpty()) {
            problems.add("no resource is configured: name one with --resource NAME=JDBC-URL, or in the file as"
                    + " agent.resources.NAME.url");
        }
        if (problems.isEmpty()) {
            AgentConfig config = new AgentConfig(process, resources);
            problems.addAll(config.contradictions());
            if (problems.isEmpty()) {
                return config;
            }
        }
        // A flag may have been given twice, before and after the environment.
        throw new ConfigRefusedException(problems.stream().distinct().toList());
    }

    private static @Nullable AgentKey<?> find(
            List<AgentKey<?>> table, String name, Function<AgentKey<?>, String> nameOf) {
        for (AgentKey<?> key : table) {
            if (nameOf.apply(key).equals(name)) {
                return key;
            }
        }
        return null;
    }

    /** The known name that most looks like this one, as the rest of a sentence. */
    private static String nearest(
            List<AgentKey<?>> table, String name, Function<AgentKey<?>, String> nameOf, String prefix) {
        AgentKey<?> best = null;
        int bestDistance = Integer.MAX_VALUE;
        for (AgentKey<?> key : table) {
            int distance = distance(name, nameOf.apply(key));
            if (distance < bestDistance) {
                bestDistance = distance;
                best = key;
            }
        }
        return " (the nearest known one is " + prefix + nameOf.apply(Objects.requireNonNull(best)) + ")";
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
