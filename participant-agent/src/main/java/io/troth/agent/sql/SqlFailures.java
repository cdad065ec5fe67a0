package io.troth.agent.sql;

import io.troth.agent.engine.BranchRefusedException;
import io.troth.agent.xa.PostgresErrors;
import io.troth.core.ErrorCode;
import io.troth.core.Reason;
import io.troth.core.TrothException;
import java.sql.SQLException;
import org.jspecify.annotations.Nullable;
import org.postgresql.util.PSQLException;

/** Says in words of the catalogue why a statement failed, without its text. */
final class SqlFailures {

    private static final int STATE_LENGTH = 5;

    private static final String NO_DATA = "02000";

    private SqlFailures() {}

    /** The driver says that what ran as a query was none; the server may raise that SQLState for reasons of its own. */
    static boolean isWithoutRows(SQLException failure) {
        boolean byServer = failure instanceof PSQLException postgres && postgres.getServerErrorMessage() != null;
        return !byServer && NO_DATA.equals(failure.getSQLState());
    }

    static SqlFailedException of(String resource, SQLException failure) {
        String state = failure.getSQLState();
        String shown = state == null || state.length() != STATE_LENGTH ? "08006" : state;
        Reason known = knownReason(failure);
        if (known != null) {
            return new SqlFailedException(known, shown, failure);
        }
        String detail = "resource " + resource + ": " + PostgresErrors.wordsOf(failure) + " (SQLState " + shown + ")";
        return new SqlFailedException(new Reason(codeOf(state), detail), shown, failure);
    }

    /** What our own data source has said already. */
    private static @Nullable Reason knownReason(SQLException failure) {
        for (Throwable cause = failure; cause != null; cause = cause.getCause()) {
            if (cause instanceof TrothException troth) {
                return troth.reason();
            }
            if (cause instanceof BranchRefusedException refused) {
                return refused.reason();
            }
        }
        return null;
    }

    private static ErrorCode codeOf(@Nullable String state) {
        if (state == null || state.startsWith("08") || state.startsWith("57P")) {
            return ErrorCode.CONNECTION_LOST;
        }
        return switch (state) {
            case "40P01" -> ErrorCode.DEADLOCK;
            case "40001" -> ErrorCode.SERIALIZATION_FAILURE;
            default -> ErrorCode.STATEMENT_FAILED;
        };
    }
}
