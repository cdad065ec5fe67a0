package io.troth.client.context;

import io.troth.core.ErrorCode;
import io.troth.core.TrothException;
import java.sql.SQLException;
import java.util.ArrayList;
import java.util.Collections;
import java.util.IdentityHashMap;
import java.util.List;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/** What a failure of work under a transaction says about running the work again. */
public final class Failures {

    private Failures() {}

    /**
     * The code of the outermost of the failure and its causes after which the same work is worth another transaction, such as
     * DEADLOCK.
     *
     * @return null when there is none, and whenever {@link #leaveAnOutcomeUnknown}
     */
    public static @Nullable ErrorCode retryable(Throwable failure) {
        if (leaveAnOutcomeUnknown(failure)) {
            return null;
        }
        for (Throwable cause : causes(failure)) {
            ErrorCode code = code(cause);
            if (code != null && code.retryable()) {
                return code;
            }
        }
        return null;
    }

    /** Whether something may have been committed, such as by a separate transaction inside the work. */
    public static boolean leaveAnOutcomeUnknown(Throwable failure) {
        return causes(failure).stream()
                .anyMatch(cause -> cause instanceof TrothException known
                        && (known.code() == ErrorCode.OUTCOME_UNKNOWN || known.code() == ErrorCode.OUTCOME_FORGOTTEN));
    }

    /** Why a statement failed is no reason of the transaction's, since a savepoint may undo it: only the exception tells. */
    private static @Nullable ErrorCode code(Throwable cause) {
        if (cause instanceof TrothException known) {
            return known.code();
        }
        if (cause instanceof SQLException sql) {
            String state = sql.getSQLState();
            if (ErrorCode.SERIALIZATION_FAILURE.sqlState().equals(state)) {
                return ErrorCode.SERIALIZATION_FAILURE;
            }
            if (ErrorCode.DEADLOCK.sqlState().equals(state)) {
                return ErrorCode.DEADLOCK;
            }
        }
        return null;
    }

    private static List<Throwable> causes(Throwable failure) {
        List<Throwable> causes = new ArrayList<>();
        // Causes can go in a circle.
        Set<Throwable> seen = Collections.newSetFromMap(new IdentityHashMap<>());
        for (Throwable cause = failure; cause != null && seen.add(cause); cause = cause.getCause()) {
            causes.add(cause);
        }
        return causes;
    }
}
