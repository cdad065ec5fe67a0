package io.troth.agent.jdbc;

import io.troth.core.ErrorCode;
import io.troth.core.Reason;
import io.troth.core.TrothException;
import java.sql.SQLException;
import java.sql.SQLFeatureNotSupportedException;
import java.sql.SQLNonTransientConnectionException;
import java.sql.SQLNonTransientException;
import java.sql.SQLTimeoutException;
import java.sql.SQLTransactionRollbackException;
import java.sql.SQLTransientConnectionException;
import java.sql.SQLTransientException;
import org.jspecify.annotations.Nullable;

/**
 * The catalogue's codes as SQLExceptions: the SQLState is the code's, the message begins with the code's name and ends
 * with its advice, and the cause is a {@link TrothException} with the {@link Reason}.
 */
public final class SqlErrors {

    private SqlErrors() {}

    /** What to throw at an application for this reason. */
    public static SQLException of(Reason reason) {
        return of(reason, null);
    }

    /** The same, with what made it happen behind it. */
    public static SQLException of(Reason reason, @Nullable Throwable origin) {
        ErrorCode code = reason.code();
        TrothException cause = origin == null ? new TrothException(reason) : new TrothException(reason, origin);
        String message = reason + ". " + code.advice();
        String state = code.sqlState();
        if (code == ErrorCode.DEADLINE_EXCEEDED) {
            return new SQLTimeoutException(message, state, cause);
        }
        return switch (state.substring(0, 2)) {
            case "08" ->
                code.retryable()
                        ? new SQLTransientConnectionException(message, state, cause)
                        : new SQLNonTransientConnectionException(message, state, cause);
            case "40" -> new SQLTransactionRollbackException(message, state, cause);
            case "0A" -> new SQLFeatureNotSupportedException(message, state, cause);
            default ->
                code.retryable()
                        ? new SQLTransientException(message, state, cause)
                        : new SQLNonTransientException(message, state, cause);
        };
    }

    /** The reason inside an exception made here, however it was wrapped; null when there is none. */
    public static @Nullable Reason reasonOf(Throwable failure) {
        for (Throwable cause = failure; cause != null; cause = cause.getCause()) {
            if (cause instanceof TrothException troth) {
                return troth.reason();
            }
        }
        return null;
    }
}
