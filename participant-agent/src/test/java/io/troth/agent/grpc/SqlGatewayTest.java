package io.troth.agent.grpc;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.google.common.base.Throwables;
import io.troth.agent.database.Branches;
import io.troth.agent.database.PostgresExtension;
import io.troth.agent.sql.SqlGateway;
import io.troth.agent.sql.SqlLimits;
import io.troth.client.GlobalTransaction;
import io.troth.client.RolledBackException;
import io.troth.client.SqlFailedException;
import io.troth.client.SqlParameter;
import io.troth.client.SqlRow;
import io.troth.client.SqlRows;
import io.troth.client.SqlType;
import io.troth.client.SqlUpdate;
import io.troth.client.TransactionOptions;
import io.troth.client.TransactionSql;
import io.troth.client.TrothClient;
import io.troth.core.EpochId;
import io.troth.core.ErrorCode;
import io.troth.core.TrothException;
import java.math.BigDecimal;
import java.time.Instant;
import java.time.LocalDate;
import java.time.LocalDateTime;
import java.time.LocalTime;
import java.time.OffsetDateTime;
import java.time.OffsetTime;
import java.time.ZoneOffset;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collections;
import java.util.Iterator;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.UUID;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;
import org.junit.jupiter.api.function.Executable;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/**
 * Goal: what an application says through the client library reaches the database and comes back as it was, and what the
 * gateway does not carry is refused by name. Method: client library, gateway server and a real PostgreSQL behind a plain
 * data source; the coordinator agrees with everything.
 */
class SqlGatewayTest {

    @RegisterExtension
    static final PostgresExtension POSTGRES = new PostgresExtension();

    private static final SqlLimits LIMITS = new SqlLimits(10_000, 20, 30, 5, 10, 100, 100_000);

    private static final long LIMIT_SECONDS = 60;

    private static SimulatedCoordinator coordinator;
    private static SqlGatewayServer server;
    private static TrothClient client;
    private GlobalTransaction tx;
    private TransactionSql sql;

    @BeforeAll
    static void start() throws Exception {
        POSTGRES.server()
                .execute(
                        "CREATE TABLE IF NOT EXISTS gateway_note (id bigserial PRIMARY KEY, body text)",
                        "DROP TYPE IF EXISTS gateway_mood",
                        "CREATE TYPE gateway_mood AS ENUM ('good', 'bad')");
        SqlGateway gateway = new SqlGateway(Map.of("notes", POSTGRES.server().dataSource()), LIMITS);
        server = SqlGatewayServer.start(SqlServerSettings.loopback(0), gateway);
        coordinator = new SimulatedCoordinator(Branches.CLUSTER, new EpochId(1, 31));
        coordinator.gateways("notes", server.announced().toString());
        client = TrothClient.connect(coordinator.endpoint());
    }

    @AfterAll
    static void stop() throws Exception {
        client.close();
        server.close();
        coordinator.close();
    }

    @BeforeEach
    void begin() throws Exception {
        // Most tests never write; emptying a table takes longer than they do.
        if (POSTGRES.server().ask("SELECT is_called FROM gateway_note_id_seq").equals("t")) {
            POSTGRES.server().execute("TRUNCATE gateway_note RESTART IDENTITY");
        }
        tx = client.begin();
        sql = tx.sql("notes");
    }

    @AfterEach
    void end() {
        tx.close();
    }

    @Test
    void updatesAndCounts() throws Exception {
        assertEquals(1, sql.update("INSERT INTO gateway_note (body) VALUES (?)", "a"));
        assertEquals(
                2, sql.update("INSERT INTO gateway_note (body) SELECT body FROM generate_series(1, 2), gateway_note"));
        assertEquals(0, sql.update("UPDATE gateway_note SET body = 'x' WHERE id = ?", 99L));
        assertEquals("3", POSTGRES.server().ask("SELECT count(*) FROM gateway_note"));
        assertFalse(tx.isRollbackOnly());
    }

    @Test
    void bringsGeneratedKeys() {
        SqlUpdate update = sql.updateReturningKeys(
                List.of("id", "body"), "INSERT INTO gateway_note (body) VALUES (?), (?)", "a", "b");
        assertEquals(2, update.count());
        assertEquals(
                List.of(1L, 2L),
                update.keys().stream().map(key -> key.getLong("id")).toList());
        assertEquals("b", update.keys().get(1).getString("body"));
    }

    @Test
    void runsABatch() throws Exception {
        List<Long> counts = sql.batch(
                "INSERT INTO gateway_note (body) VALUES (?)",
                List.of(List.of("a"), Arrays.asList((Object) null), List.of("c")));
        assertEquals(List.of(1L, 1L, 1L), counts);
        assertEquals("2", POSTGRES.server().ask("SELECT count(body) FROM gateway_note"));
        assertEquals(List.of(), sql.batch("DELETE FROM gateway_note WHERE id = ?", List.of()));
    }

    @Test
    void streamsRowsInOrder() {
        try (SqlRows rows =
                sql.withFetchSize(7).query("SELECT n, n * 2 AS twice FROM generate_series(1, ?) n", 1_000)) {
            int expected = 1;
            for (SqlRow row : rows) {
                assertEquals(expected, row.getInt("n"));
                assertEquals(expected * 2L, row.getLong("twice"));
                expected++;
            }
            assertEquals(1_001, expected);
        }
        assertFalse(tx.isRollbackOnly());
    }

    @Test
    void aCursorClosedEarlyStillBringsTheList() {
        try (SqlRows rows = sql.withFetchSize(3).query("SELECT n FROM generate_series(1, 100000) n")) {
            Iterator<SqlRow> each = rows.iterator();
            assertEquals(1, each.next().getInt("n"));
            assertEquals(2, each.next().getInt("n"));
        }
        assertFalse(tx.isRollbackOnly());
        assertEquals(1, sql.query("SELECT 1 AS one").stream().count());
        tx.commit();
    }

    @Test
    void aCursorThatNobodyReadsIsClosedToo() {
        try (Stream<SqlRow> rows = sql.query("SELECT n FROM generate_series(1, 100000) n").stream()) {
            assertEquals(100, rows.limit(100).count());
        }
        sql.query("SELECT 1").close();
        assertFalse(tx.isRollbackOnly());
    }

    /** Whoever commits counts on the work of every call that was answered. */
    @Test
    void aQueryThatIsClosedAtOnceHasRun() throws Exception {
        for (int i = 0; i < 100; i++) {
            sql.query("INSERT INTO gateway_note (body) VALUES ('a') RETURNING id")
                    .close();
        }
        assertFalse(tx.isRollbackOnly());
        assertEquals("100", POSTGRES.server().ask("SELECT count(*) FROM gateway_note"));
    }

    @Test
    void handsRowsToAnActionWithoutWaiting() throws Exception {
        List<Integer> seen = new ArrayList<>();
        long count = sql.withFetchSize(7)
                .forEachAsync(row -> seen.add(row.getInt("n")), "SELECT n FROM generate_series(1, 50) n")
                .toCompletableFuture()
                .get(60, TimeUnit.SECONDS);
        assertEquals(50, count);
        assertEquals(50, seen.size());
        assertFalse(tx.isRollbackOnly());
    }

    @Test
    void whatDependsOnAStageIsOutsideOfTheTransaction() throws Exception {
        tx.close();
        GlobalTransaction alone = client.beginAsync(TransactionOptions.DEFAULTS)
                .toCompletableFuture()
                .get();
        CountDownLatch attached = new CountDownLatch(1);
        CompletionStage<GlobalTransaction> next = alone.sql("notes")
                .forEachAsync(row -> await(attached), "SELECT 1")
                .thenCompose(count -> client.beginAsync(TransactionOptions.DEFAULTS));
        attached.countDown();
        next.toCompletableFuture().get(LIMIT_SECONDS, TimeUnit.SECONDS).close();
        alone.close();
    }

    private static void await(CountDownLatch latch) {
        try {
            assertTrue(latch.await(LIMIT_SECONDS, TimeUnit.SECONDS));
        } catch (InterruptedException e) {
            throw new AssertionError(e);
        }
    }

    static Stream<Throwable> thrown() {
        return Stream.of(new IllegalStateException("enough"), new AssertionError("not as it should be"));
    }

    @ParameterizedTest
    @MethodSource("thrown")
    void anActionThatThrowsEndsItsQueryAndKeepsTheTransaction(Throwable thrown) {
        var stage = sql.withFetchSize(2)
                .forEachAsync(
                        row -> {
                            Throwables.throwIfUnchecked(thrown);
                        },
                        "SELECT n FROM generate_series(1, 100000) n");
        Exception seen =
                assertThrows(Exception.class, () -> stage.toCompletableFuture().get(60, TimeUnit.SECONDS));
        assertEquals(thrown, seen.getCause());
        assertFalse(tx.isRollbackOnly());
    }

    static Stream<SqlParameter> values() {
        OffsetDateTime moment = OffsetDateTime.of(2024, 2, 29, 23, 59, 59, 123_456_000, ZoneOffset.UTC);
        return Stream.of(
                SqlType.BOOL.of(true),
                SqlType.INT2.of((short) -32_768),
                SqlType.INT4.of(Integer.MAX_VALUE),
                SqlType.INT8.of(Long.MIN_VALUE),
                SqlType.NUMERIC.of(new BigDecimal("12345678901234567890.0987654321")),
                SqlType.FLOAT4.of(1.5f),
                SqlType.FLOAT8.of(Math.PI),
                SqlType.FLOAT8.of(Double.NEGATIVE_INFINITY),
                SqlType.TEXT.of("π ' \\ \" $ ?"),
                SqlType.BYTEA.of(new byte[] {0, -1, 39, 92}),
                SqlType.DATE.of(LocalDate.of(1582, 10, 4)),
                SqlType.DATE.of(LocalDate.of(-43, 3, 15)),
                SqlType.DATE.of(LocalDate.MAX),
                SqlType.TIME.of(LocalTime.of(23, 59, 59, 999_999_000)),
                SqlType.TIMETZ.of(OffsetTime.of(1, 2, 3, 0, ZoneOffset.ofHours(-11))),
                SqlType.TIMESTAMP.of(LocalDateTime.of(2024, 3, 31, 2, 30, 0)),
                SqlType.TIMESTAMP.of(LocalDateTime.MIN),
                SqlType.TIMESTAMPTZ.of(moment),
                SqlType.TIMESTAMPTZ.of(OffsetDateTime.MAX),
                SqlType.UUID.of(new UUID(1, 2)),
                SqlType.JSON.of("{\"a\":  [1, null]}"),
                SqlType.JSONB.of("{\"a\": [1, null]}"),
                SqlType.BOOL.ofArray(Arrays.asList(true, null)),
                SqlType.INT2.ofArray(List.of((short) 1, (short) 2)),
                SqlType.INT4.ofArray(Arrays.asList(1, null, 3)),
                SqlType.INT8.ofArray(List.of(Long.MAX_VALUE)),
                SqlType.NUMERIC.ofArray(List.of(new BigDecimal("1.50"))),
                SqlType.FLOAT4.ofArray(List.of(0.25f)),
                SqlType.FLOAT8.ofArray(List.of(0.1)),
                SqlType.TEXT.ofArray(Arrays.asList("a,b", "{}", "\"\\", null, "NULL", "")),
                SqlType.DATE.ofArray(List.of(LocalDate.of(2024, 2, 29))),
                SqlType.TIME.ofArray(List.of(LocalTime.of(1, 2, 3))),
                SqlType.TIMETZ.ofArray(List.of(OffsetTime.of(1, 2, 3, 0, ZoneOffset.ofHours(2)))),
                SqlType.TIMESTAMP.ofArray(List.of(LocalDateTime.of(2024, 3, 31, 2, 30, 0))),
                SqlType.TIMESTAMPTZ.ofArray(List.of(moment)),
                SqlType.UUID.ofArray(List.of(new UUID(3, 4))),
                SqlType.JSON.ofArray(List.of("{\"a\": \"b\"}")),
                SqlType.JSONB.ofArray(List.of("{\"a\": \"b\"}")),
                SqlType.INT4.ofArray(List.of()));
    }

    @ParameterizedTest
    @MethodSource("values")
    void carriesEveryTypeThereAndBack(SqlParameter parameter) {
        String cast = parameter.type() + (parameter.array() ? "[]" : "");
        try (SqlRows rows = sql.query("SELECT ?::" + cast + " AS v", parameter)) {
            Object value = rows.iterator().next().get("v");
            if (parameter.value() instanceof byte[] bytes) {
                assertArrayEquals(bytes, (byte[]) value);
            } else {
                assertEquals(parameter.value(), value);
            }
        }
        try (SqlRows rows = sql.query(
                "SELECT pg_typeof(?)::text AS t, ?::" + cast + " AS v",
                parameter,
                parameter.array() ? null : parameter.type().ofNull())) {
            SqlRow row = rows.iterator().next();
            assertNull(row.get("v"));
            assertEquals(
                    cast.length() > 0 && parameter.array(),
                    String.valueOf(row.get("t")).endsWith("[]"));
        }
        assertFalse(tx.isRollbackOnly());
    }

    @Test
    void convertsWhatFitsAndRefusesWhatDoesNot() {
        SqlRow row = sql
                .query("SELECT 1::int2 AS small, 5000000000 AS big, 1.5 AS half, now() AS t, 'NaN'::numeric AS nan, "
                        + "'{1,2}'::int4[] AS list, 'x'::varchar(3) AS s")
                .stream()
                .findFirst()
                .orElseThrow();
        assertEquals(1L, row.getLong("SMALL"));
        assertEquals(1, row.getInt("small"));
        assertThrows(IllegalArgumentException.class, () -> row.getInt("big"));
        assertThrows(IllegalArgumentException.class, () -> row.getLong("half"));
        assertThrows(IllegalArgumentException.class, () -> row.getLong("nothing"));
        assertThrows(IllegalArgumentException.class, () -> row.get(8));
        assertEquals(new BigDecimal("5000000000"), row.get("big", BigDecimal.class));
        assertEquals("NaN", row.getString("nan"));
        assertEquals(List.of(1, 2), row.get("list"));
        assertEquals("x", row.get(7));
        assertTrue(row.get("t", Instant.class).isAfter(Instant.EPOCH));
    }

    @Test
    void plainJavaValuesTellTheirType() {
        Object[] all = {
            true,
            (short) 1,
            2,
            3L,
            new BigDecimal("4.5"),
            1.5f,
            2.5,
            "s",
            new int[] {1},
            new String[] {"a"},
            LocalDate.EPOCH,
            LocalTime.NOON,
            LocalDateTime.MIN,
            Instant.EPOCH,
            new UUID(0, 1)
        };
        String types = "SELECT concat_ws(' '" + ", pg_typeof(?)".repeat(all.length) + ") AS types";
        SqlRow row = sql.query(types, all).stream().findFirst().orElseThrow();
        assertEquals(
                "boolean smallint integer bigint numeric real double precision character varying integer[] text[] date "
                        + "time without time zone timestamp without time zone timestamp with time zone uuid",
                row.getString("types"));
    }

    @Test
    void refusesByNameWhatItDoesNotCarry() {
        assertRefused(ErrorCode.TYPE_NOT_SUPPORTED, "interval", () -> count("SELECT interval '1 day' AS gap"));
        assertRefused(ErrorCode.TYPE_NOT_SUPPORTED, "gap", () -> count("SELECT 1, interval '1 day' AS gap"));
        assertRefused(ErrorCode.TYPE_NOT_SUPPORTED, "gateway_mood", () -> count("SELECT 'good'::gateway_mood"));
        assertRefused(ErrorCode.TYPE_NOT_SUPPORTED, "dimension", () -> count("SELECT '{{1,2},{3,4}}'::int4[] AS m"));
        assertRefused(ErrorCode.TYPE_NOT_SUPPORTED, "Locale", () -> count("SELECT ?", Locale.ROOT));
        assertRefused(
                ErrorCode.INVALID_ARGUMENT,
                "parameter 2",
                () -> count("SELECT ?, ?", 1, SqlType.INT4.of("not a number")));
    }

    private long count(String statement, Object... parameters) {
        try (GlobalTransaction other = client.begin(TransactionOptions.DEFAULTS.withSeparate());
                SqlRows rows = other.sql("notes").query(statement, parameters)) {
            return rows.stream().count();
        }
    }

    private static void assertRefused(ErrorCode code, String named, Executable work) {
        TrothException refused = assertThrows(TrothException.class, work);
        assertEquals(code, refused.code(), refused.getMessage());
        assertTrue(refused.getMessage().contains(named), refused.getMessage());
    }

    @Test
    void aFailedStatementSaysItsStateAndDoomsTheTransaction() {
        SqlFailedException failed =
                assertThrows(SqlFailedException.class, () -> sql.update("INSERT INTO no_such_table VALUES (1)"));
        assertEquals("42P01", failed.sqlState());
        assertEquals(ErrorCode.STATEMENT_FAILED, failed.code());
        assertTrue(failed.getMessage().contains("no_such_table"), failed.getMessage());
        assertTrue(tx.isRollbackOnly());
    }

    @Test
    void saysWhichMethodAStatementNeeds() {
        assertRefused(ErrorCode.INVALID_ARGUMENT, "Query", () -> sql.update("SELECT 1"));
        assertRefused(ErrorCode.INVALID_ARGUMENT, "Execute", () -> count("DELETE FROM gateway_note"));
    }

    @Test
    void keepsItsLimits() {
        assertRefused(ErrorCode.LIMIT_EXCEEDED, "bytes", () -> count("SELECT 1 -- " + "x".repeat(10_000)));
        assertRefused(ErrorCode.LIMIT_EXCEEDED, "parameters", () -> count("SELECT 1", new Object[21]));
        assertRefused(
                ErrorCode.LIMIT_EXCEEDED, "batch", () -> sql.batch("SELECT ?", Collections.nCopies(31, List.of(1))));
        assertRefused(ErrorCode.LIMIT_EXCEEDED, "row", () -> count("SELECT repeat('x', 100000)"));
        assertRefused(
                ErrorCode.LIMIT_EXCEEDED,
                "generated keys",
                () -> sql.updateReturningKeys(
                        List.of("id"), "INSERT INTO gateway_note (body) SELECT 'x' FROM generate_series(1, 6)"));
        assertRefused(
                ErrorCode.INVALID_ARGUMENT,
                "fetch size",
                () -> sql.withFetchSize(101).query("SELECT 1").iterator().next());
    }

    @Test
    void sendsLargeRowsInSeveralMessages() {
        try (SqlRows rows = sql.withFetchSize(50).query("SELECT repeat('x', 60000) AS x FROM generate_series(1, 20)")) {
            assertEquals(
                    20L * 60_000,
                    rows.stream().mapToLong(row -> row.getString("x").length()).sum());
        }
    }

    /** One that is read and does not fit any more comes in the next message. */
    @Test
    void keepsARowThatDoesNotFitForTheNextMessage() {
        List<Integer> lengths = List.of(20_000, 90_000, 20_000, 90_000, 20_000);
        try (SqlRows rows = sql.query("SELECT repeat('x', n) AS x FROM unnest(?) AS n", (Object)
                lengths.stream().mapToInt(Integer::intValue).toArray())) {
            assertEquals(
                    lengths,
                    rows.stream().map(row -> row.getString("x").length()).toList());
        }
    }

    @Test
    void saysThatNobodyOffersAResource() {
        assertRefused(
                ErrorCode.UNKNOWN_RESOURCE, "nowhere", () -> tx.sql("nowhere").update("SELECT 1"));
        coordinator.gateways("moved", server.announced().toString());
        assertRefused(ErrorCode.UNKNOWN_RESOURCE, "moved", () -> tx.sql("moved").update("DELETE FROM gateway_note"));
    }

    /** Nobody looks at the stage: without the reason the rest would be committed without this statement. */
    @Test
    void aStatementThatFoundNoGatewayIsNotLeftOut() {
        sql.update("INSERT INTO gateway_note (body) VALUES ('a')");
        CompletionStage<Long> unseen = tx.sql("nowhere").updateAsync("INSERT INTO gateway_note (body) VALUES ('b')");
        RolledBackException refused = assertThrows(RolledBackException.class, tx::commit);
        assertEquals(ErrorCode.UNKNOWN_RESOURCE, refused.reason().code());
        assertTrue(unseen.toCompletableFuture().isCompletedExceptionally());
    }
}
