package io.troth.coordinator.engine;

import io.troth.core.ErrorCode;
import io.troth.core.Reason;
import java.util.EnumMap;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/** Why no new transaction may begin: several causes may hold at the same time, the first in order is told. */
final class Admission {

    /** The causes, the one that lasts longest first. */
    enum Cause {
        DRAINING(ErrorCode.DRAINING),
        LOG_STALLED(ErrorCode.LOG_STALLED),
        DISK_FLOOR(ErrorCode.DISK_FLOOR),
        OVERLOADED(ErrorCode.OVERLOADED);

        private final ErrorCode code;

        Cause(ErrorCode code) {
            this.code = code;
        }
    }

    private final Map<Cause, Reason> causes = new EnumMap<>(Cause.class);

    void raise(Cause cause, String detail) {
        causes.putIfAbsent(cause, new Reason(cause.code, detail));
    }

    void clear(Cause cause) {
        causes.remove(cause);
    }

    boolean has(Cause cause) {
        return causes.containsKey(cause);
    }

    /** Null when new transactions are welcome. */
    @Nullable
    Reason reason() {
        return causes.isEmpty() ? null : causes.values().iterator().next();
    }
}
