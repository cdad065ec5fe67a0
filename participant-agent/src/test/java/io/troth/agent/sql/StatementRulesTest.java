package io.troth.agent.sql;

import static org.junit.jupiter.api.Assertions.assertDoesNotThrow;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.troth.agent.database.PostgresExtension;
import io.troth.core.ErrorCode;
import io.troth.core.TrothException;
import java.sql.Connection;
import java.sql.PreparedStatement;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Statement;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;

/**
 * Goal: no text that ends a transaction, changes the user or the session, or holds two statements passes; ordinary SQL
 * does. Method: every control command in every disguise, every harmless statement in every wrapping, generated; and the
 * same corpus at a real server, so that what we call harmless really leaves the transaction alone.
 */
class StatementRulesTest {

    @RegisterExtension
    static final PostgresExtension POSTGRES = new PostgresExtension();

    private static final int BYTES_MAX = 4_096;

    private static final List<String> CONTROL = List.of(
            "COMMIT",
            "COMMIT AND CHAIN",
            "COMMIT PREPARED 'x'",
            "END",
            "END TRANSACTION",
            "ROLLBACK",
            "ROLLBACK TO SAVEPOINT a",
            "ROLLBACK PREPARED 'x'",
            "ABORT",
            "BEGIN",
            "BEGIN ISOLATION LEVEL SERIALIZABLE",
            "START TRANSACTION",
            "SAVEPOINT a",
            "RELEASE SAVEPOINT a",
            "PREPARE TRANSACTION 'x'",
            "PREPARE p AS SELECT 1",
            "EXECUTE p",
            "DEALLOCATE ALL",
            "SET TRANSACTION READ ONLY",
            "SET LOCAL TRANSACTION READ ONLY",
            "SET SESSION CHARACTERISTICS AS TRANSACTION READ ONLY",
            "SET ROLE postgres",
            "SET LOCAL ROLE postgres",
            "SET SESSION AUTHORIZATION postgres",
            "SET LOCAL SESSION AUTHORIZATION postgres",
            "SET search_path = x",
            "SET SESSION search_path = x",
            "SET LOCAL synchronous_commit = off",
            "SET LOCAL \"synchronous_commit\" = off",
            "SET LOCAL standard_conforming_strings = off",
            "SET LOCAL troth.branch = 'x'",
            "SET LOCAL transaction_read_only = on",
            "RESET ROLE",
            "RESET ALL",
            "DISCARD ALL",
            "LISTEN x",
            "UNLISTEN *",
            "NOTIFY x",
            "XA START 'x'",
            "XA COMMIT 'x'",
            "DECLARE c CURSOR WITH HOLD FOR SELECT 1",
            "FETCH ALL FROM c",
            "CLOSE c",
            "COPY t FROM STDIN",
            "COPY t TO PROGRAM 'sh'",
            "LOAD 'x'",
            "VACUUM",
            "CHECKPOINT",
            "CREATE TEMP TABLE t (i int)",
            "CREATE TEMPORARY TABLE t (i int)",
            "CREATE LOCAL TEMP TABLE t (i int)",
            "CREATE GLOBAL TEMPORARY TABLE t (i int)",
            "SELECT set_config('search_path', 'x', false)",
            "SELECT pg_catalog . set_config('search_path', 'x', false)",
            "SELECT 1 FROM pg_advisory_lock(1)",
            "SELECT pg_advisory_lock_shared(1, 2)",
            "UPDATE t SET a = pg_try_advisory_lock(1)",
            "VALUES (pg_try_advisory_lock_shared(1))",
            "{call commit()}");

    /** Before a command; each leaves it the first word of a statement. */
    private static final List<String> BEFORE = List.of(
            "",
            " ",
            "\t\r\n\f",
            "-- x\n",
            "--'\n",
            "--$$\r",
            "/**/",
            "/* ' */",
            "/* /* ; */ \" */",
            "/*/**/*/",
            "(",
            " ( (");

    /** Complete statements that only a semicolon parts from what follows, each ending in a trap for a lexer. */
    private static final List<String> FIRST = List.of(
            "SELECT 1",
            "SELECT 'a''b'",
            "SELECT E'a\\'b'",
            "SELECT e'\\\\'",
            "SELECT E'\\''''",
            "SELECT 'x' 'y'",
            "SELECT '\\\\'",
            "SELECT 'a\\b'",
            "SELECT U&'\\0041'",
            "SELECT N'x', B'01', X'ff'",
            "SELECT \"a\"\"b\" FROM t",
            "SELECT $$ ; $$",
            "SELECT $a$ $$ $b$ ' $a$",
            "SELECT $_9$x$_9$",
            "SELECT a$b$c FROM t",
            "SELECT 1 /* ; /* ' */ */",
            "SELECT 1 -- ;\n",
            "SELECT 1 --",
            "SELECT '--'",
            "SELECT '/*'",
            "SELECT 1 - -1",
            "SELECT 2 */**/ 3",
            "SELECT a->>'b' FROM t",
            "SELECT a ?? 'b' FROM t",
            "UPDATE t SET a = ? WHERE b = ?",
            "DO $do$ BEGIN PERFORM 1; END $do$");

    /** Between the first statement and the hidden one. */
    private static final List<String> BETWEEN =
            List.of(";", " ;", ";;", "; -- x\n", ";/* */", ";\n\t", "/* */;/* /* */ */");

    private static final List<String> HARMLESS = List.of(
            "SELECT 1",
            "SELECT 'COMMIT; ROLLBACK'",
            "SELECT $$; COMMIT; $$",
            "SELECT \"commit\" FROM (SELECT 1 AS \"commit\") \"; begin\"",
            "SELECT 1 /* ; COMMIT */",
            "SELECT 1 -- ; COMMIT",
            "SELECT E'it\\'s; COMMIT'",
            "SELECT 'it''s; COMMIT'",
            "WITH a AS (SELECT 1 AS i) SELECT i FROM a",
            "VALUES (1), (2)",
            "TABLE gateway_rule",
            "INSERT INTO gateway_rule VALUES (1)",
            "INSERT INTO gateway_rule SELECT temp.i FROM gateway_rule temp",
            "INSERT INTO gateway_rule VALUES (1) RETURNING i",
            "UPDATE gateway_rule SET i = i + 1",
            "DELETE FROM gateway_rule",
            "MERGE INTO gateway_rule g USING (VALUES (1)) v (i) ON g.i = v.i WHEN NOT MATCHED THEN INSERT VALUES (v.i)",
            "EXPLAIN SELECT 1",
            "SHOW search_path",
            "LOCK TABLE gateway_rule IN SHARE MODE",
            "TRUNCATE gateway_rule",
            "CREATE TABLE gateway_made (i int)",
            "CREATE TABLE temp (i int)",
            "CREATE OR REPLACE VIEW temporary AS SELECT 1",
            "SELECT i AS temp INTO gateway_made FROM gateway_rule",
            "SELECT temp.i AS temporary FROM gateway_rule temp",
            "SET LOCAL search_path TO public, pg_temp",
            "ALTER TABLE gateway_rule ADD COLUMN IF NOT EXISTS t text",
            "COMMENT ON TABLE gateway_rule IS 'BEGIN'",
            "CREATE OR REPLACE FUNCTION gateway_one() RETURNS int LANGUAGE sql AS $f$ SELECT 1; $f$",
            "DO $$ BEGIN PERFORM 1; END $$",
            "SET LOCAL lock_timeout = '1s'",
            "SET LOCAL TIME ZONE 'UTC'",
            "SET LOCAL search_path TO public",
            "SET CONSTRAINTS ALL DEFERRED",
            "ANALYZE gateway_rule",
            "SELECT a$b FROM (SELECT 1 AS a$b) x",
            "SELECT pg_advisory_xact_lock(1), pg_try_advisory_xact_lock_shared(2)",
            "SELECT \"a\"\"b\" FROM (SELECT 1 AS \"a\"\"b\") x",
            "SELECT 'π', 1.5e-3, 0x1F, 1_000",
            "SELECT '{\"a\": 1}'::jsonb ?? 'a'",
            "SELECT 5 % 2, 2 ^ 3, |/ 4.0, 7 # 2, ~1, 1 << 2");

    private static void refused(String sql) {
        TrothException e = assertThrows(TrothException.class, () -> StatementRules.check(sql, BYTES_MAX), sql);
        assertEquals(ErrorCode.SQL_REFUSED, e.code(), sql);
        assertFalse(e.getMessage().contains("postgres"), "the message repeats the statement: " + e.getMessage());
    }

    @Test
    void refusesEveryControlCommandInEveryDisguise() {
        int cases = 0;
        for (String command : CONTROL) {
            for (String before : BEFORE) {
                for (String cased : List.of(command, command.toLowerCase(Locale.ROOT), alternating(command))) {
                    refused(before + cased);
                    refused(before + cased + ";");
                    refused(before + cased.replaceFirst(" ", "/* */ \n--x\n"));
                    cases += 3;
                }
            }
        }
        assertTrue(cases > 2_000, "cases: " + cases);
    }

    @Test
    void refusesASecondStatementBehindEveryTrap() {
        int cases = 0;
        for (String first : FIRST) {
            for (String between : BETWEEN) {
                // Only where the line comment has ended.
                String parted = first.endsWith("--") ? first + "\n" + between : first + between;
                for (String second :
                        List.of("COMMIT", "commit;", "SELECT 1", "'x'", "\"x\"", "$$x$$", "/**/ROLLBACK")) {
                    refused(parted + second);
                    cases++;
                }
                assertDoesNotThrow(() -> StatementRules.check(parted, BYTES_MAX), parted);
            }
        }
        assertTrue(cases > 1_000, "cases: " + cases);
    }

    @Test
    void refusesWhatTheServerMightReadOtherwise() {
        for (String ambiguous : List.of(
                "SELECT '\\' ; COMMIT --'",
                "SELECT '\\''; COMMIT --'",
                "SELECT 'a\\'",
                "SELECT U&'\\' ; COMMIT --'",
                "SELECT E'a'\n'\\' ; COMMIT --'",
                "SELECT 1$a$ ; COMMIT $a$",
                // One identifier to PostgreSQL, and no quote.
                "SELECT é$a$ ; COMMIT ; SELECT $a$",
                "SELECT $1$ ; COMMIT $1$",
                "SELECT $1",
                "SELECT 'no end",
                "SELECT E'no end\\'",
                "SELECT \"no end",
                "SELECT $a$ no end $b$",
                "SELECT 1 /* no end /* */",
                "SELECT 1 \0",
                "SELECT {fn now()}",
                "\u00a0COMMIT",
                "\ufeffCOMMIT",
                "\u2003SELECT 1",
                "",
                ";",
                " -- nothing",
                "'COMMIT'",
                "1")) {
            refused(ambiguous);
        }
    }

    /** In quotes as well, where only the exact letters name the function. */
    @Test
    void refusesFunctionsWhoseEffectStaysWithTheSession() {
        for (String name : List.of(
                "set_config",
                "pg_advisory_lock",
                "pg_advisory_lock_shared",
                "pg_try_advisory_lock",
                "pg_try_advisory_lock_shared")) {
            refused("SELECT \"" + name + "\"(1)");
            refused("SELECT pg_catalog./**/\"" + name + "\"(1)");
            refused("SELECT U&\"" + name.replace("_", "\\005f") + "\"(1)");
            refused("SELECT u&\"" + name.replace("_", "!005f") + "\" UESCAPE '!' (1)");
            assertDoesNotThrow(() -> StatementRules.check("SELECT '" + name + "', $$" + name + "$$", BYTES_MAX));
        }
    }

    /** What a branch that commits in one phase would leave in its session, before every table of that name. */
    @Test
    void refusesEveryStatementThatMakesSomethingTemporary() throws Exception {
        for (String sql : List.of(
                "CREATE OR REPLACE TEMP VIEW gateway_temp AS SELECT 1",
                "CREATE OR REPLACE LOCAL TEMPORARY VIEW gateway_temp AS SELECT 1",
                "CREATE TEMP SEQUENCE gateway_temp",
                "EXPLAIN ANALYZE CREATE TEMP TABLE gateway_temp AS SELECT 1 AS i",
                "SELECT 1 AS i INTO TEMP gateway_temp",
                "SELECT 1 AS i INTO/**/GLOBAL TEMPORARY TABLE gateway_temp",
                "WITH a AS (SELECT 1 AS i) SELECT i INTO LOCAL TEMP gateway_temp FROM a",
                "SELECT 1 AS i INTO pg_temp.gateway_temp",
                "CREATE TABLE pg_temp . gateway_temp (i int)",
                "CREATE TABLE \"pg_temp\".gateway_temp (i int)",
                "CREATE FUNCTION pg_temp.gateway_temp() RETURNS int LANGUAGE sql AS 'SELECT 1'")) {
            refused(sql);
            try (Connection connection = POSTGRES.server().dataSource().getConnection();
                    Statement statement = connection.createStatement()) {
                statement.execute(sql);
                ResultSet left = statement.executeQuery("SELECT pg_my_temp_schema() <> 0");
                assertTrue(left.next() && left.getBoolean(1), sql);
            }
        }
        for (String sql : List.of(
                "INSERT INTO temp VALUES (1)",
                "MERGE INTO temp t USING (VALUES (1)) v (i) ON t.i = v.i WHEN MATCHED THEN DELETE",
                "WITH a AS (INSERT INTO temporary VALUES (1) RETURNING i) SELECT i FROM a")) {
            assertDoesNotThrow(() -> StatementRules.check(sql, BYTES_MAX), sql);
        }
    }

    @Test
    void bytesAreCountedAndNotCharacters() {
        String wide = "SELECT '" + "é".repeat(20) + "'";
        assertDoesNotThrow(() -> StatementRules.check(wide, 49));
        assertEquals(
                ErrorCode.LIMIT_EXCEEDED,
                assertThrows(TrothException.class, () -> StatementRules.check(wide, 48))
                        .code());
    }

    /** The version of the server that has brought it. */
    private static int since(String sql) {
        return sql.contains("0x1F") ? 16 : sql.contains("MERGE") ? 15 : 14;
    }

    @Test
    void passesOrdinarySqlAndTheServerAgreesThatItIsHarmless() throws Exception {
        POSTGRES.server()
                .execute("DROP TABLE IF EXISTS gateway_rule, gateway_made", "CREATE TABLE gateway_rule (i int)");
        List<String> wrapped = new ArrayList<>();
        for (String statement : HARMLESS) {
            for (String before : List.of("", " \n", "/* COMMIT; */", "-- ROLLBACK;\n")) {
                wrapped.add(before + statement);
                wrapped.add(before + statement + (statement.contains("--") ? "\n;" : " ; -- COMMIT"));
            }
        }
        assertTrue(wrapped.size() > 200);
        int version = POSTGRES.server().version();
        try (Connection connection = POSTGRES.server().dataSource().getConnection()) {
            connection.setAutoCommit(false);
            for (String sql : wrapped) {
                assertDoesNotThrow(() -> StatementRules.check(sql, BYTES_MAX), sql);
                if (version < since(sql)) {
                    continue;
                }
                String before = transaction(connection);
                try (PreparedStatement statement = connection.prepareStatement(sql)) {
                    statement.execute();
                }
                assertEquals(before, transaction(connection), sql);
                connection.rollback();
            }
        }
    }

    @Test
    void whatHidesInADoBlockOrAProcedureCannotEndTheTransaction() throws Exception {
        POSTGRES.server()
                .execute(
                        "DROP TABLE IF EXISTS gateway_hidden",
                        "CREATE TABLE gateway_hidden (i int)",
                        "CREATE OR REPLACE PROCEDURE gateway_commits() LANGUAGE plpgsql AS 'BEGIN COMMIT; END'");
        for (String hidden : List.of(
                "DO $$ BEGIN COMMIT; END $$",
                "DO $$ BEGIN ROLLBACK; END $$",
                "DO $$ BEGIN EXECUTE 'COMMIT'; END $$",
                "DO $$ BEGIN EXECUTE 'PREPARE TRANSACTION ''x'''; END $$",
                "CALL gateway_commits()")) {
            StatementRules.check(hidden, BYTES_MAX);
            try (Connection connection = POSTGRES.server().dataSource().getConnection()) {
                connection.setAutoCommit(false);
                try (Statement statement = connection.createStatement()) {
                    statement.execute("INSERT INTO gateway_hidden VALUES (1)");
                    assertThrows(SQLException.class, () -> statement.execute(hidden), hidden);
                }
                connection.rollback();
            }
            assertEquals("0", POSTGRES.server().ask("SELECT count(*) FROM gateway_hidden"), hidden);
        }
    }

    private static String transaction(Connection connection) throws SQLException {
        try (Statement statement = connection.createStatement();
                ResultSet row = statement.executeQuery("SELECT pg_current_xact_id()::text || current_user")) {
            row.next();
            return row.getString(1);
        }
    }

    private static String alternating(String text) {
        StringBuilder changed = new StringBuilder();
        for (int i = 0; i < text.length(); i++) {
            String one = text.substring(i, i + 1);
            changed.append(i % 2 == 0 ? one.toLowerCase(Locale.ROOT) : one.toUpperCase(Locale.ROOT));
        }
        return changed.toString();
    }
}
