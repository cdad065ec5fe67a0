package io.troth.agent.xa;

import java.lang.reflect.Field;
import java.lang.reflect.Modifier;
import java.sql.SQLException;
import java.sql.SQLNonTransientConnectionException;
import java.sql.SQLRecoverableException;
import javax.transaction.xa.XAException;

/**
 * Reads the errors of XA drivers. Only what can mean one thing is taken at its word: a rollback code, a heuristic code,
 * "not known". Everything else (RMERR, RMFAIL, PROTO, RETRY, 0, a code of the vendor's own) says nothing about what
 * happened (protocol 10.2).
 */
final class XaErrors {

    private XaErrors() {}

    /** What an XAException says for certain. */
    enum Verdict {
        /** One of XA_RB*: the branch is rolled back. */
        ROLLED_BACK,
        /** XAER_NOTA: this session does not know the branch; another one may. */
        NOT_KNOWN,
        HEURISTIC_COMMIT,
        HEURISTIC_ROLLBACK,
        /** Partly committed, or perhaps. */
        HEURISTIC_MIXED,
        /** Nothing. */
        UNCLEAR
    }

    static Verdict verdict(XAException failure) {
        int code = failure.errorCode;
        if (code >= XAException.XA_RBBASE && code <= XAException.XA_RBEND) {
            return Verdict.ROLLED_BACK;
        }
        return switch (code) {
            case XAException.XAER_NOTA -> Verdict.NOT_KNOWN;
            case XAException.XA_HEURCOM -> Verdict.HEURISTIC_COMMIT;
            case XAException.XA_HEURRB -> Verdict.HEURISTIC_ROLLBACK;
            case XAException.XA_HEURMIX, XAException.XA_HEURHAZ -> Verdict.HEURISTIC_MIXED;
            default -> Verdict.UNCLEAR;
        };
    }

    /** The code by name, and the driver's words. */
    static String describe(XAException failure) {
        StringBuilder text = new StringBuilder(nameOf(failure.errorCode));
        if (failure.getMessage() != null) {
            text.append(": ").append(failure.getMessage());
        }
        if (failure.getCause() instanceof SQLException cause) {
            text.append(", SQLState ").append(cause.getSQLState());
        }
        return text.toString();
    }

    private static String nameOf(int code) {
        for (Field field : XAException.class.getFields()) {
            try {
                boolean isCode = Modifier.isStatic(field.getModifiers()) && field.getType() == int.class;
                boolean isBound =
                        field.getName().equals("XA_RBBASE") || field.getName().equals("XA_RBEND");
                if (isCode && !isBound && field.getInt(null) == code) {
                    return field.getName();
                }
            } catch (IllegalAccessException e) {
                throw new IllegalStateException("a public field", e);
            }
        }
        return "XA error " + code;
    }

    /** True when the session is over, or the driver does not say what is wrong with it. */
    static boolean isConnectionLost(SQLException failure) {
        String state = failure.getSQLState();
        return state == null
                || state.startsWith("08")
                || failure instanceof SQLRecoverableException
                || failure instanceof SQLNonTransientConnectionException;
    }

    /** The same of an XAException: by its code, or what it was made of. It says nothing about what became of the branch. */
    static boolean isConnectionLost(XAException failure) {
        return failure.errorCode == XAException.XAER_RMFAIL
                || (failure.getCause() instanceof SQLException cause && isConnectionLost(cause));
    }
}
