package io.troth.agent.config;

import java.util.regex.Pattern;

/** Keeps secrets out of what people see. */
final class Secrets {

    private static final String MASK = "********";

    /** A parameter of a JDBC URL whose name speaks of a secret. */
    private static final Pattern PARAMETER =
            Pattern.compile("(?i)([?&;][^=&;]*(?:password|secret|token)[^=&;]*=)[^&;]*");

    /** {@code user:password@} in an address. */
    private static final Pattern USER_INFO = Pattern.compile("(//[^/@:]*:)[^/@]*@");

    private Secrets() {}

    /** The value as it may be printed. */
    static String shown(AgentKey<?> key, String text) {
        if (key.isSecret()) {
            return text.isEmpty() ? "" : MASK;
        }
        return key == AgentKey.URL ? url(text) : text;
    }

    /** A JDBC URL without its secrets. */
    static String url(String url) {
        String plain = PARAMETER.matcher(url).replaceAll("$1" + MASK);
        return USER_INFO.matcher(plain).replaceAll("$1" + MASK + "@");
    }
}
