package io.troth.agent.sql;

import java.util.Locale;
import org.jspecify.annotations.Nullable;

/**
 * Splits PostgreSQL's SQL into tokens, as far as is needed to tell words and semicolons from what stands in quotes and
 * comments: strings, escape strings, quoted identifiers, dollar quotes, nested comments.
 *
 * <p>The driver and the server read the same text after us. Where they could read it otherwise, by their version or by
 * {@code standard_conforming_strings}, the text is refused rather than guessed at. Used by one thread.
 */
final class SqlLexer {

    /** What a token is; comments and blanks are none. */
    enum Kind {
        /** A keyword or a plain identifier, in lower case. */
        WORD,
        /** Anything in quotes, and numbers. */
        VALUE,
        /** One character of an operator or of punctuation. */
        SYMBOL,
        END
    }

    /** A token; of what a VALUE says only a quoted identifier is kept, as PostgreSQL reads it. */
    record Token(Kind kind, String text) {

        boolean isWord(String word) {
            return kind == Kind.WORD && text.equals(word);
        }

        boolean isSymbol(String symbol) {
            return kind == Kind.SYMBOL && text.equals(symbol);
        }
    }

    /** The text cannot be read with certainty. */
    static final class UnreadableSqlException extends Exception {
        private static final long serialVersionUID = 1L;

        UnreadableSqlException(String why) {
            super(why);
        }
    }

    private static final Token END = new Token(Kind.END, "");
    private static final char LAST_ASCII = 0x7f;

    private final String sql;
    private int at;

    SqlLexer(String sql) {
        this.sql = sql;
    }

    /** The next token; END for ever after the last. */
    Token next() throws UnreadableSqlException {
        skipBlanks();
        if (at == sql.length()) {
            return END;
        }
        char c = sql.charAt(at);
        if (isWordStart(c)) {
            return word();
        }
        if (isDigit(c)) {
            return number();
        }
        switch (c) {
            case '\'' -> plainString();
            case '"' -> {
                return quotedIdentifier();
            }
            case '$' -> dollar();
            default -> {
                at++;
                return new Token(Kind.SYMBOL, String.valueOf(c));
            }
        }
        return value();
    }

    private void skipBlanks() throws UnreadableSqlException {
        while (at < sql.length()) {
            char c = sql.charAt(at);
            if (c == 0) {
                throw new UnreadableSqlException("it has a zero character");
            }
            if (c == ' ' || (c >= '\t' && c <= '\r')) {
                at++;
            } else if (sql.startsWith("--", at)) {
                while (at < sql.length() && sql.charAt(at) != '\n' && sql.charAt(at) != '\r') {
                    at++;
                }
            } else if (sql.startsWith("/*", at)) {
                skipComment();
            } else {
                return;
            }
        }
    }

    /** Comments nest, unlike those of the SQL standard. */
    private void skipComment() throws UnreadableSqlException {
        int depth = 0;
        do {
            if (sql.startsWith("/*", at)) {
                depth++;
                at += 2;
            } else if (sql.startsWith("*/", at)) {
                depth--;
                at += 2;
            } else if (at < sql.length()) {
                at++;
            } else {
                throw new UnreadableSqlException("a comment has no end");
            }
        } while (depth > 0);
    }

    private Token word() throws UnreadableSqlException {
        int start = at;
        while (at < sql.length() && (isWordStart(sql.charAt(at)) || isDigit(sql.charAt(at)) || sql.charAt(at) == '$')) {
            at++;
        }
        String text = sql.substring(start, at).toLowerCase(Locale.ROOT);
        if (text.equals("e") && at < sql.length() && sql.charAt(at) == '\'') {
            escapeString();
            return value();
        }
        if (text.equals("u") && sql.startsWith("&\"", at)) {
            throw new UnreadableSqlException("an identifier has Unicode escapes");
        }
        return new Token(Kind.WORD, text);
    }

    private Token number() throws UnreadableSqlException {
        while (at < sql.length() && (isWordStart(sql.charAt(at)) || isDigit(sql.charAt(at)) || sql.charAt(at) == '.')) {
            at++;
        }
        if (at < sql.length() && sql.charAt(at) == '$') {
            throw new UnreadableSqlException("a number runs into a dollar sign");
        }
        return value();
    }

    /** Without escapes, which a server may see all the same: the one place where both readings part is refused. */
    private void plainString() throws UnreadableSqlException {
        at++;
        int backslashes = 0;
        while (at < sql.length()) {
            char c = sql.charAt(at);
            if (c == '\'') {
                if (backslashes % 2 == 1) {
                    throw new UnreadableSqlException(
                            "a string has a backslash before a quote: pass the text as a parameter");
                }
                if (!sql.startsWith("''", at)) {
                    at++;
                    return;
                }
                at++;
            }
            backslashes = c == '\\' ? backslashes + 1 : 0;
            at++;
        }
        throw new UnreadableSqlException("a string has no end");
    }

    private void escapeString() throws UnreadableSqlException {
        at++;
        while (at < sql.length()) {
            char c = sql.charAt(at);
            if (c == '\\') {
                at++;
            } else if (c == '\'') {
                if (!sql.startsWith("''", at)) {
                    at++;
                    return;
                }
                at++;
            }
            at++;
        }
        throw new UnreadableSqlException("a string has no end");
    }

    private Token quotedIdentifier() throws UnreadableSqlException {
        at++;
        int start = at;
        while (at < sql.length()) {
            if (sql.charAt(at) == '"') {
                if (!sql.startsWith("\"\"", at)) {
                    String name = sql.substring(start, at).replace("\"\"", "\"");
                    at++;
                    return new Token(Kind.VALUE, name);
                }
                at++;
            }
            at++;
        }
        throw new UnreadableSqlException("a quoted identifier has no end");
    }

    /** A dollar quote, or a numbered parameter, which is not ours. */
    private void dollar() throws UnreadableSqlException {
        String delimiter = dollarDelimiter();
        if (delimiter == null) {
            throw new UnreadableSqlException("a dollar sign begins no dollar quote; parameters are question marks");
        }
        int end = sql.indexOf(delimiter, at + delimiter.length());
        if (end < 0) {
            throw new UnreadableSqlException("a dollar quote has no end");
        }
        at = end + delimiter.length();
    }

    private @Nullable String dollarDelimiter() {
        int end = at + 1;
        while (end < sql.length() && (isWordStart(sql.charAt(end)) || (end > at + 1 && isDigit(sql.charAt(end))))) {
            end++;
        }
        return end < sql.length() && sql.charAt(end) == '$' ? sql.substring(at, end + 1) : null;
    }

    private static Token value() {
        return new Token(Kind.VALUE, "");
    }

    /** Every character beyond ASCII is a letter to PostgreSQL, blanks among them. */
    private static boolean isWordStart(char c) {
        return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_' || c > LAST_ASCII;
    }

    private static boolean isDigit(char c) {
        return c >= '0' && c <= '9';
    }
}
