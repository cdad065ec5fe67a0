package io.troth.agent.xa;

/** The database cannot be a participant as it is configured. The message says what to change. */
public final class ResourceUnsuitableException extends Exception {

    private static final long serialVersionUID = 1L;

    public ResourceUnsuitableException(String message) {
        super(message);
    }

    public ResourceUnsuitableException(String message, Throwable cause) {
        super(message, cause);
    }
}
