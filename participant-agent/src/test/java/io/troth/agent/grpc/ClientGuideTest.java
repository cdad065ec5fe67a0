package io.troth.agent.grpc;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.sun.net.httpserver.HttpHandler;
import com.sun.net.httpserver.HttpServer;
import io.troth.agent.database.Branches;
import io.troth.agent.database.PostgresExtension;
import io.troth.agent.sql.SqlGateway;
import io.troth.agent.sql.SqlLimits;
import io.troth.client.CommitResult;
import io.troth.client.GlobalTransaction;
import io.troth.client.OutcomeToken;
import io.troth.client.OutcomeUnknownException;
import io.troth.client.RolledBackException;
import io.troth.client.SqlRow;
import io.troth.client.SqlRows;
import io.troth.client.SqlType;
import io.troth.client.Transaction;
import io.troth.client.TransactionOptions;
import io.troth.client.TrothClient;
import io.troth.client.context.OutgoingCall;
import io.troth.client.context.ServedCall;
import io.troth.core.EpochId;
import io.troth.core.Outcome;
import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpRequest.BodyPublishers;
import java.net.http.HttpResponse;
import java.net.http.HttpResponse.BodyHandlers;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;

/** Goal: the examples of docs/CLIENT.md compile and work. Method: they are copied from here, and compared. */
class ClientGuideTest {

    @RegisterExtension
    static final PostgresExtension POSTGRES = new PostgresExtension();

    private static final Pattern IN_TEXT =
            Pattern.compile("<!-- example (\\w+) -->\\n```java\\n(.*?)```", Pattern.DOTALL);
    private static final Pattern IN_CODE =
            Pattern.compile("\\n *// example (\\w+)\\n(.*?\\n) *// end\\n", Pattern.DOTALL);

    private SqlGatewayServer gateway;
    private SimulatedCoordinator coordinator;
    private TrothClient client;
    private HttpServer web;

    @BeforeEach
    void start() throws Exception {
        POSTGRES.server()
                .execute(
                        "DROP TABLE IF EXISTS guide_account",
                        "CREATE TABLE guide_account (id int PRIMARY KEY, balance int, notes jsonb)",
                        "INSERT INTO guide_account SELECT n, 100, '{}' FROM generate_series(1, 3) n");
        gateway = SqlGatewayServer.start(
                SqlServerSettings.loopback(0),
                new SqlGateway(Map.of("accounts", POSTGRES.server().dataSource()), SqlLimits.DEFAULTS));
        coordinator = new SimulatedCoordinator(Branches.CLUSTER, new EpochId(1, 31));
        coordinator.gateways("accounts", gateway.announced().toString());
        client = TrothClient.connect(coordinator.endpoint());
    }

    @AfterEach
    void stop() {
        if (web != null) {
            web.stop(0);
        }
        client.close();
        coordinator.close();
        gateway.close();
    }

    @Test
    void transfers() throws Exception {
        // example transfer
        client.inTransaction(tx -> {
            tx.sql("accounts").update("UPDATE guide_account SET balance = balance - ? WHERE id = ?", 10, 1);
            tx.sql("accounts").update("UPDATE guide_account SET balance = balance + ? WHERE id = ?", 10, 2);
        });
        // end
        assertEquals("110", POSTGRES.server().ask("SELECT balance FROM guide_account WHERE id = 2"));
    }

    @Test
    void reads() {
        // example query
        long total = client.callInTransaction(tx -> {
            long sum = 0;
            try (SqlRows rows = tx.sql("accounts").query("SELECT id, balance FROM guide_account WHERE id > ?", 0)) {
                for (SqlRow row : rows) {
                    sum += row.getInt("balance");
                }
            }
            return sum;
        });
        // end
        assertEquals(300, total);
    }

    @Test
    void saysTypes() throws Exception {
        // example types
        int[] ids = {1, 2};
        client.inTransaction(tx -> {
            tx.sql("accounts")
                    .update("UPDATE guide_account SET notes = ? WHERE id = ANY (?)", SqlType.JSONB.of("{}"), ids);
            tx.sql("accounts")
                    .batch("UPDATE guide_account SET balance = ? WHERE id = ?", List.of(List.of(5, 1), List.of(6, 2)));
        });
        // end
        assertEquals("6", POSTGRES.server().ask("SELECT balance FROM guide_account WHERE id = 2"));
    }

    @Test
    void tellsTheEnds() {
        // example outcomes
        TransactionOptions options = TransactionOptions.named("transfer").withTimeout(Duration.ofSeconds(30));
        String note = "";
        try (GlobalTransaction tx = client.begin(options)) {
            tx.sql("accounts").update("UPDATE guide_account SET balance = 0 WHERE id = 3");
            CommitResult result = tx.commit();
            note = "committed " + result.tx();
        } catch (RolledBackException e) {
            // Certain: nothing of it is or ever will be committed.
            note = "rolled back by " + e.resource().orElse("the transaction itself") + ": " + e.reason();
        } catch (OutcomeUnknownException e) {
            // Not certain: keep the token, ask later, and do not run the work again before that.
            OutcomeToken token = OutcomeToken.parse(e.token().toString());
            Outcome outcome = client.outcome(token);
            note = "asked later: " + outcome;
        }
        // end
        assertTrue(note.startsWith("committed"), note);
    }

    @Test
    void callsOverHttp() throws Exception {
        // example service
        HttpHandler stock = exchange -> {
            int status = 200;
            try (ServedCall call = ServedCall.begin(exchange.getRequestHeaders().getFirst(OutgoingCall.HEADER))) {
                try {
                    Transaction tx = client.current().orElseThrow();
                    tx.sql("accounts").update("UPDATE guide_account SET balance = 7 WHERE id = 2");
                } catch (RuntimeException e) {
                    status = 500;
                    call.failed(e);
                }
                exchange.getResponseHeaders().set(OutgoingCall.REPLY_HEADER, call.end());
                call.reason()
                        .ifPresent(reason -> exchange.getResponseHeaders().set(OutgoingCall.REASON_HEADER, reason));
            }
            exchange.sendResponseHeaders(status, -1);
            exchange.close();
        };
        // end
        // The JDK's server takes its limits when the first one is made, and other tests look for those of the agent's.
        Class<?> unused = Class.forName("io.troth.agent.server.AgentHttp");
        web = HttpServer.create(new InetSocketAddress(InetAddress.getLoopbackAddress(), 0), 0);
        web.createContext("/stock", stock);
        web.start();
        URI uri = URI.create("http://localhost:" + web.getAddress().getPort() + "/stock");
        HttpClient http = HttpClient.newHttpClient();
        // example caller
        client.inTransaction(tx -> {
            tx.sql("accounts").update("UPDATE guide_account SET balance = 8 WHERE id = 1");
            try (OutgoingCall call = OutgoingCall.begin("POST /stock").orElseThrow()) {
                HttpRequest request = HttpRequest.newBuilder(uri)
                        .header(OutgoingCall.HEADER, call.header())
                        .timeout(Duration.ofMillis(call.remainingMillis()))
                        .POST(BodyPublishers.noBody())
                        .build();
                HttpResponse<String> response = http.send(request, BodyHandlers.ofString());
                call.replied(
                        response.headers().firstValue(OutgoingCall.REPLY_HEADER).orElse(null),
                        response.headers()
                                .firstValue(OutgoingCall.REASON_HEADER)
                                .orElse(null));
            }
        });
        // end
        assertEquals("15", POSTGRES.server().ask("SELECT sum(balance) FROM guide_account WHERE id < 3"));
    }

    @Test
    void theGuideShowsExactlyTheseExamples() throws IOException {
        Map<String, String> shown = new TreeMap<>();
        Matcher text = IN_TEXT.matcher(Files.readString(Path.of("../docs/CLIENT.md")));
        while (text.find()) {
            shown.put(text.group(1), text.group(2));
        }
        Map<String, String> run = new TreeMap<>();
        Matcher code =
                IN_CODE.matcher(Files.readString(Path.of("src/test/java/io/troth/agent/grpc/ClientGuideTest.java")));
        while (code.find()) {
            run.put(code.group(1), code.group(2).replaceAll("(?m)^ {8}", ""));
        }
        assertEquals(run, shown);
    }
}
