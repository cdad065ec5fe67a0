package io.troth.chaos.docs;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.troth.agent.TrothAgent;
import io.troth.client.OutcomeUnknownException;
import io.troth.client.RolledBackException;
import io.troth.client.TransactionOptions;
import io.troth.client.TrothClient;
import io.troth.coordinator.config.CoordinatorConfig;
import io.troth.coordinator.server.CoordinatorServer;
import io.troth.core.ErrorCode;
import io.troth.core.Outcome;
import io.zonky.test.db.postgres.embedded.EmbeddedPostgres;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.sql.Connection;
import java.sql.PreparedStatement;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Statement;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import javax.sql.DataSource;
import org.awaitility.Awaitility;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/**
 * Goal: the test that docs/APPLICATION-TESTS.md shows works, and can be written with what applications get. Method: it is
 * copied from here, and compared.
 */
class ApplicationTestsTest {

    private static final Pattern IN_TEXT = Pattern.compile("<!-- example -->\\n```java\\n(.*?)```", Pattern.DOTALL);
    private static final Pattern IN_CODE = Pattern.compile("\\n *// example\\n(.*?\\n) *// end\\n", Pattern.DOTALL);

    // example
    /** The code under test. */
    record Transfers(TrothClient client, DataSource accounts, DataSource savings) {

        void transfer(int amount) throws SQLException {
            client.inTransaction(TransactionOptions.named("transfer").withRetries(1), tx -> {
                change(accounts, -amount);
                change(savings, amount);
            });
        }

        private static void change(DataSource source, int amount) throws SQLException {
            try (Connection connection = source.getConnection();
                    PreparedStatement update =
                            connection.prepareStatement("UPDATE account SET balance = balance + ? WHERE id = 1")) {
                update.setInt(1, amount);
                update.executeUpdate();
            }
        }
    }
    // end

    // example
    @TempDir
    static Path directory;

    static EmbeddedPostgres postgres;
    static DataSource accountsDatabase;
    static DataSource savingsDatabase;
    static CoordinatorServer coordinator;
    static String address;
    static TrothAgent agent;
    static TrothClient client;

    @BeforeAll
    static void start() throws Exception {
        postgres = EmbeddedPostgres.builder()
                .setServerConfig("fsync", "on")
                .setServerConfig("max_prepared_transactions", "50")
                .start();
        accountsDatabase = create("accounts");
        savingsDatabase = create("savings");
        coordinator =
                CoordinatorServer.start(CoordinatorConfig.onFreePorts(directory.resolve("coordinator"), Map.of()));
        address = "localhost:" + coordinator.grpcPort();
        agent = TrothAgent.builder()
                .coordinator(address)
                .resource("accounts", accountsDatabase)
                .resource("savings", savingsDatabase)
                .drain(Duration.ZERO)
                .start();
        client = TrothClient.connect(address);
        assertTrue(agent.awaitReady(Duration.ofSeconds(30)));
    }

    @AfterAll
    static void stop() throws IOException {
        client.close();
        agent.close();
        coordinator.close();
        postgres.close();
    }

    static DataSource create(String database) throws SQLException {
        execute(postgres.getPostgresDatabase(), "CREATE DATABASE " + database);
        DataSource source = postgres.getDatabase("postgres", database);
        execute(source, "CREATE TABLE account (id int PRIMARY KEY, balance int)");
        execute(source, "CREATE SEQUENCE attempts");
        whenPrepared(source, "");
        execute(
                source,
                "CREATE CONSTRAINT TRIGGER prepared AFTER UPDATE ON account"
                        + " DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION when_prepared()");
        return source;
    }

    /** What the database does when a branch is to be prepared that has changed an account. */
    static void whenPrepared(DataSource source, String statement) throws SQLException {
        execute(
                source,
                "CREATE OR REPLACE FUNCTION when_prepared() RETURNS trigger LANGUAGE plpgsql AS" + " $$ BEGIN "
                        + statement + " RETURN NULL; END $$");
    }

    static void execute(DataSource source, String sql) throws SQLException {
        try (Connection connection = source.getConnection();
                Statement statement = connection.createStatement()) {
            statement.execute(sql);
        }
    }

    static int balance(DataSource source) throws SQLException {
        try (Connection connection = source.getConnection();
                Statement statement = connection.createStatement();
                ResultSet row = statement.executeQuery("SELECT balance FROM account")) {
            row.next();
            return row.getInt(1);
        }
    }
    // end

    // example
    final Transfers transfers = new Transfers(client, agent.dataSource("accounts"), agent.dataSource("savings"));

    @BeforeEach
    void reset() throws SQLException {
        for (DataSource source : List.of(accountsDatabase, savingsDatabase)) {
            whenPrepared(source, "");
            execute(source, "TRUNCATE account");
            execute(source, "INSERT INTO account VALUES (1, 100)");
            execute(source, "ALTER SEQUENCE attempts RESTART");
        }
    }

    @Test
    void movesTheMoney() throws SQLException {
        transfers.transfer(10);
        assertEquals(90, balance(accountsDatabase));
        assertEquals(110, balance(savingsDatabase));
    }

    @Test
    void movesNothingWhenOneDatabaseRefuses() throws SQLException {
        whenPrepared(savingsDatabase, "RAISE 'closed today';");
        RolledBackException refused = assertThrows(RolledBackException.class, () -> transfers.transfer(10));
        assertEquals(ErrorCode.PREPARE_REFUSED, refused.code());
        assertEquals(100, balance(accountsDatabase));
    }

    @Test
    void triesAgainAfterAConflict() throws SQLException {
        whenPrepared(savingsDatabase, "IF nextval('attempts') = 1 THEN RAISE SQLSTATE '40001'; END IF;");
        transfers.transfer(10);
        assertEquals(110, balance(savingsDatabase));
    }

    @Test
    void doesNotKnowAtFirst() throws SQLException {
        whenPrepared(savingsDatabase, "PERFORM pg_sleep(1);");
        OutcomeUnknownException unknown;
        try (TrothClient impatient = TrothClient.builder()
                .endpoint(address)
                .outcomeTimeout(Duration.ofMillis(100))
                .build()) {
            Transfers hasty = new Transfers(impatient, transfers.accounts, transfers.savings);
            unknown = assertThrows(OutcomeUnknownException.class, () -> hasty.transfer(10));
        }
        Awaitility.await().until(() -> client.outcome(unknown.token()) == Outcome.COMMITTED);
        Awaitility.await().until(() -> balance(accountsDatabase) == 90);
    }
    // end

    @Test
    void theGuideShowsExactlyThis() throws IOException {
        List<String> shown = new ArrayList<>();
        Matcher text = IN_TEXT.matcher(Files.readString(Path.of("../docs/APPLICATION-TESTS.md")));
        while (text.find()) {
            shown.add(text.group(1));
        }
        List<String> run = new ArrayList<>();
        Matcher code = IN_CODE.matcher(
                Files.readString(Path.of("src/test/java/io/troth/chaos/docs/ApplicationTestsTest.java")));
        while (code.find()) {
            run.add(code.group(1).replaceAll("(?m)^ {4}", ""));
        }
        assertEquals(run, shown);
    }
}
