package io.troth.agent.config;

import java.util.List;

/** The configuration is not one to start with; every problem is a line that names the key and what is allowed. */
public final class ConfigRefusedException extends RuntimeException {

    private static final long serialVersionUID = 1L;

    private final transient List<String> problems;

    public ConfigRefusedException(List<String> problems) {
        super(String.join("\n", problems));
        this.problems = List.copyOf(problems);
    }

    /** One line each. */
    public List<String> problems() {
        return problems;
    }
}
