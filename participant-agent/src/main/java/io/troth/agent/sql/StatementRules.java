package io.troth.agent.sql;

import io.troth.agent.sql.SqlLexer.Kind;
import io.troth.agent.sql.SqlLexer.Token;
import io.troth.agent.sql.SqlLexer.UnreadableSqlException;
import io.troth.core.ErrorCode;
import io.troth.core.Reason;
import io.troth.core.TrothException;
import java.nio.charset.StandardCharsets;
import java.util.Locale;
import java.util.Set;

/**
 * Which SQL the gateway passes on: one statement, of a kind that leaves the transaction, the user and the session alone.
 * It lists what is allowed and refuses the rest, so that a command nobody thought of is refused too.
 *
 * <p>This is the first of two walls. What a statement does inside, by dynamic SQL in a function or a DO block, is not
 * seen here: there PostgreSQL refuses to end the transaction, and the probe before prepare finds a changed user or
 * marker and votes NO (protocol 10.1). A setting or an advisory lock of the session that is made in there stays.
 */
final class StatementRules {

    private static final Set<String> ALLOWED = Set.of(
            "select",
            "insert",
            "update",
            "delete",
            "merge",
            "with",
            "values",
            "table",
            "explain",
            "show",
            "lock",
            "truncate",
            "call",
            "do",
            "create",
            "alter",
            "drop",
            "comment",
            "grant",
            "revoke",
            "analyze",
            "reindex",
            "refresh",
            "set");

    /** What SET LOCAL may set: it ends with the branch, and no protocol rule rests on it. */
    private static final Set<String> SETTABLE =
            Set.of("lock_timeout", "statement_timeout", "search_path", "work_mem", "timezone", "time");

    /** Functions whose effect stays with the session, which strangers use next. Their like for a transaction is allowed. */
    private static final Set<String> SESSION_FUNCTIONS = Set.of(
            "set_config",
            "pg_advisory_lock",
            "pg_advisory_lock_shared",
            "pg_try_advisory_lock",
            "pg_try_advisory_lock_shared");

    private StatementRules() {}

    /**
     * Returns when the statement may run.
     *
     * @throws TrothException LIMIT_EXCEEDED or SQL_REFUSED; the message names the rule and not the statement's text
     */
    static void check(String sql, int bytesMax) {
        int bytes = sql.length() > bytesMax ? sql.length() : sql.getBytes(StandardCharsets.UTF_8).length;
        if (bytes > bytesMax) {
            throw new TrothException(
                    new Reason(ErrorCode.LIMIT_EXCEEDED, "a statement has at most " + bytesMax + " bytes"));
        }
        try {
            check(new SqlLexer(sql));
        } catch (UnreadableSqlException e) {
            throw refused("the statement cannot be read with certainty: " + e.getMessage());
        }
    }

    private static void check(SqlLexer lexer) throws UnreadableSqlException {
        Token first = lexer.next();
        while (first.isSymbol("(")) {
            first = lexer.next();
        }
        if (first.kind() == Kind.END || first.isSymbol(";")) {
            throw refused("there is no statement");
        }
        if (first.kind() != Kind.WORD || !ALLOWED.contains(first.text())) {
            String what = first.kind() == Kind.WORD ? first.text() : "what it begins with";
            throw refused("a statement that begins with " + shortened(what) + " is not allowed here");
        }
        Token second = lexer.next();
        Token third = second.kind() == Kind.END ? second : lexer.next();
        checkSet(first, second, third);
        TemporaryObjects temporary = new TemporaryObjects();
        temporary.next(first);
        temporary.next(second);
        temporary.next(third);
        boolean ended = checkToken(second, false);
        ended = checkToken(third, ended);
        for (Token token = lexer.next(); token.kind() != Kind.END; token = lexer.next()) {
            temporary.next(token);
            ended = checkToken(token, ended);
        }
    }

    /** Returns whether the statement has ended by now. */
    private static boolean checkToken(Token token, boolean ended) {
        if (token.kind() == Kind.END) {
            return ended;
        }
        if (token.isSymbol(";")) {
            return true;
        }
        if (ended) {
            throw refused("there is more than one statement");
        }
        if (SESSION_FUNCTIONS.contains(token.text())) {
            throw refused(token.text() + " changes the session, which other work uses afterwards;"
                    + " use SET LOCAL, or the advisory locks of a transaction");
        }
        if (token.isSymbol("{") || token.isSymbol("}")) {
            throw refused("escapes in braces are not allowed");
        }
        return false;
    }

    private static void checkSet(Token first, Token second, Token third) {
        if (!first.isWord("set") || second.isWord("constraints")) {
            return;
        }
        if (!second.isWord("local")) {
            throw refused("SET changes the session, which other work uses afterwards; use SET LOCAL");
        }
        if (third.kind() != Kind.WORD || !SETTABLE.contains(third.text())) {
            throw refused("SET LOCAL may set only lock_timeout, statement_timeout, search_path, work_mem and timezone");
        }
    }

    /** Sees coming, word by word, what would be the session's own until its end. */
    private static final class TemporaryObjects {

        private static final Set<String> TEMPORARY = Set.of("temp", "temporary");
        private static final Set<String> BEFORE_IT = Set.of("or", "replace", "local", "global");
        private static final String SCHEMA = "pg_temp";

        private Token previous = new Token(Kind.END, "");
        private boolean mayCome;

        void next(Token token) {
            boolean word = token.kind() == Kind.WORD;
            boolean inSchema = token.isSymbol(".")
                    && (previous.text().equals(SCHEMA) || previous.text().startsWith(SCHEMA + "_"));
            if (inSchema || (mayCome && word && TEMPORARY.contains(token.text()))) {
                throw refused(
                        "what is temporary stays with the session, which other work uses afterwards, and PostgreSQL"
                                + " cannot prepare a transaction that has used it");
            }
            boolean selectsInto = token.isWord("into") && !previous.isWord("insert") && !previous.isWord("merge");
            mayCome = token.isWord("create") || selectsInto || (mayCome && word && BEFORE_IT.contains(token.text()));
            previous = token;
        }
    }

    private static String shortened(String word) {
        int most = 24;
        return word.length() <= most ? word.toUpperCase(Locale.ROOT) : "a word that is no command";
    }

    private static TrothException refused(String why) {
        return new TrothException(new Reason(ErrorCode.SQL_REFUSED, why));
    }
}
