package io.troth.coordinator.log;

import java.nio.file.Path;
import org.jspecify.annotations.Nullable;

/** A data directory is not opened. The message names the directory and says what happened and what to do. */
public final class LogRefusedException extends RuntimeException {

    private static final long serialVersionUID = 1L;

    private final LogRefusal refusal;

    public LogRefusedException(LogRefusal refusal, Path directory, String whatHappened) {
        this(refusal, directory, whatHappened, null);
    }

    public LogRefusedException(LogRefusal refusal, Path directory, String whatHappened, @Nullable Throwable cause) {
        super(refusal + ": " + directory + ": " + whatHappened + ". " + refusal.advice(), cause);
        this.refusal = refusal;
    }

    public LogRefusal refusal() {
        return refusal;
    }
}
