package io.troth.agent.xa;

import io.troth.core.ErrorCode;
import io.troth.core.Reason;
import java.sql.BatchUpdateException;
import java.sql.SQLException;
import java.sql.SQLFeatureNotSupportedException;
import java.sql.SQLWarning;
import java.util.Set;
import org.jspecify.annotations.Nullable;
import org.postgresql.util.PSQLException;
import org.postgresql.util.PSQLWarning;
import org.postgresql.util.ServerErrorMessage;

/** Reads PostgreSQL's errors: by SQLState, never by text, except where PostgreSQL has one state for two things. */
public final class PostgresErrors {

    static final String CONNECTION_REJECTED = "08004";
    static final String UNDEFINED_OBJECT = "42704";
    static final String INSUFFICIENT_PRIVILEGE = "42501";
    static final String FEATURE_NOT_SUPPORTED = "0A000";
    static final String INVALID_PARAMETER_VALUE = "22023";
    static final String INVALID_TEXT_REPRESENTATION = "22P02";
    static final String INVALID_SQL_STATEMENT_NAME = "26000";
    static final String IN_FAILED_TRANSACTION = "25P02";
    static final String OUT_OF_MEMORY = "53200";
    static final String OBJECT_NOT_IN_PREREQUISITE_STATE = "55000";
    static final String IDLE_IN_TRANSACTION_TIMEOUT = "25P03";
    static final String TRANSACTION_TIMEOUT = "25P04";
    static final String DEADLOCK = "40P01";
    static final String SERIALIZATION_FAILURE = "40001";

    /** What the driver refuses with before it sends anything: a closed object, a wrong place of it, a wrong use of it. */
    private static final Set<String> REFUSED_BY_DRIVER =
            Set.of(OBJECT_NOT_IN_PREREQUISITE_STATE, "24000", "3B000", "42809", "2F003");

    private PostgresErrors() {}

    static boolean has(SQLException failure, String state) {
        return state.equals(failure.getSQLState());
    }

    /**
     * True when the session is over or not to be trusted: 08 connection exceptions, 57P0x shutdown and crash, 57P05 idle
     * session timeout, the two transaction timeouts (both end the session), 58 system errors, XX internal errors, and
     * whatever comes without a state.
     */
    static boolean isConnectionLost(SQLException failure) {
        String state = failure.getSQLState();
        return state == null
                || state.startsWith("08")
                || state.startsWith("57P")
                || state.startsWith("58")
                || state.startsWith("XX")
                || state.equals(IDLE_IN_TRANSACTION_TIMEOUT)
                || state.equals(TRANSACTION_TIMEOUT);
    }

    /** Whether a statement came to a transaction that had failed before it. */
    static boolean saysThatItHadFailed(SQLException failure) {
        for (SQLException one = failure; one != null; one = one.getNextException()) {
            if (has(one, IN_FAILED_TRANSACTION)) {
                return true;
            }
        }
        return false;
    }

    /** Whether the server reported it, and not the driver. */
    static boolean isOfServer(SQLException failure) {
        for (SQLException one = failure; one != null; one = one.getNextException()) {
            if (one instanceof PSQLException postgres && postgres.getServerErrorMessage() != null) {
                return true;
            }
        }
        return false;
    }

    /**
     * Whether the driver refused a call before anything of it ran. Known refusals only: it also fails when all has run, such
     * as an update that gave rows, a query that gave none, an out parameter of another type. A value that it cannot send has
     * the state of one that is missing, and a cause; what stands before it, in a text or a batch, may have run.
     */
    static boolean cameBeforeAnythingRan(SQLException failure) {
        return failure instanceof SQLFeatureNotSupportedException
                || REFUSED_BY_DRIVER.contains(String.valueOf(failure.getSQLState()))
                || (has(failure, INVALID_PARAMETER_VALUE) && failure.getCause() == null);
    }

    /** The driver quotes the statement of a batch with all values, and has what happened behind it. */
    private static SQLException behindBatch(SQLException thrown) {
        return thrown instanceof BatchUpdateException && thrown.getCause() instanceof SQLException cause
                ? cause
                : thrown;
    }

    /** The database's own words and its state, as in {@link #wordsOf}. */
    static String describe(SQLException thrown) {
        return "SQLState " + behindBatch(thrown).getSQLState() + ": " + wordsOf(thrown);
    }

    /**
     * The database's own words, without the statement, its values, positions, hints and the inner query: they belong to
     * whoever holds the statement.
     */
    public static String wordsOf(SQLException thrown) {
        SQLException failure = behindBatch(thrown);
        if (failure instanceof PSQLException postgres) {
            ServerErrorMessage server = postgres.getServerErrorMessage();
            if (server != null && server.getMessage() != null) {
                return server.getMessage();
            }
        }
        String text = String.valueOf(failure.getMessage());
        // The driver's own parser quotes the statement; the server never does.
        int statement = text.indexOf(" in SQL ");
        return statement < 0 ? text : text.substring(0, statement);
    }

    /** Why a statement or a prepare failed, in words of the catalogue. */
    static Reason reasonOf(SQLException failure, ErrorCode otherwise) {
        return new Reason(codeOf(failure.getSQLState(), otherwise), describe(failure));
    }

    private static ErrorCode codeOf(@Nullable String state, ErrorCode otherwise) {
        if (state == null) {
            return ErrorCode.CONNECTION_LOST;
        }
        return switch (state) {
            case DEADLOCK -> ErrorCode.DEADLOCK;
            case SERIALIZATION_FAILURE -> ErrorCode.SERIALIZATION_FAILURE;
            // Not the transaction's own time: the agent's deadline comes first, so this is an administrator's stricter
            // one.
            case IDLE_IN_TRANSACTION_TIMEOUT, TRANSACTION_TIMEOUT -> ErrorCode.CONNECTION_LOST;
            case IN_FAILED_TRANSACTION -> ErrorCode.STATEMENT_FAILED;
            default -> state.startsWith("08") || state.startsWith("57P") ? ErrorCode.CONNECTION_LOST : otherwise;
        };
    }

    /** Whether a prepare was refused because every slot for prepared transactions is taken. */
    static boolean isOutOfSlots(SQLException failure) {
        // A real lack of shared memory has the same state; both heal in the same way, by freeing something.
        return has(failure, OUT_OF_MEMORY);
    }

    /**
     * Whether the wait for a synchronous standby was cancelled: the server warns, and the command succeeds all the same.
     * A trigger's warning has the same state, and the text is translated, so the server's own routine tells it.
     */
    static boolean saysThatTheStandbyMayLackIt(@Nullable SQLWarning warnings) {
        for (SQLWarning warning = warnings; warning != null; warning = warning.getNextWarning()) {
            if (warning instanceof PSQLWarning postgres
                    && "SyncRepWaitForLSN"
                            .equals(postgres.getServerErrorMessage().getRoutine())) {
                return true;
            }
        }
        return false;
    }

    /** Whether another session is at a prepared branch, to finish it; the state is that of many things. */
    static boolean isHeldByAnotherSession(SQLException failure) {
        return has(failure, OBJECT_NOT_IN_PREREQUISITE_STATE) && isOfLockOnPrepared(failure);
    }

    private static boolean isOfLockOnPrepared(SQLException failure) {
        return failure instanceof PSQLException postgres
                && postgres.getServerErrorMessage() != null
                && "LockGXact".equals(postgres.getServerErrorMessage().getRoutine());
    }

    /**
     * What a finishing attempt ran into when the role or the database is the wrong one; null for anything else. A file
     * system that is read-only has the state of a missing right too, so the server's own routine tells it here as well.
     */
    static @Nullable Reason misconfiguration(SQLException failure) {
        if (has(failure, INSUFFICIENT_PRIVILEGE) && isOfLockOnPrepared(failure)) {
            return new Reason(
                    ErrorCode.DATABASE_MISCONFIGURED,
                    "the agent's role may not finish this branch; all instances of a resource use one role: "
                            + describe(failure));
        }
        if (has(failure, FEATURE_NOT_SUPPORTED)) {
            return new Reason(
                    ErrorCode.DATABASE_MISCONFIGURED,
                    "the branch belongs to another database of the same server: " + describe(failure));
        }
        return null;
    }
}
