package io.troth.coordinator.config;

import java.util.List;

/** The configuration is not used. Its message is one line a problem; each names the key, the value and what is allowed. */
public final class ConfigRefusedException extends RuntimeException {

    private static final long serialVersionUID = 1L;

    public ConfigRefusedException(List<String> problems) {
        super(String.join("\n", problems));
    }
}
