package io.troth.chaos.stack;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.sun.net.httpserver.HttpExchange;
import com.sun.net.httpserver.HttpServer;
import io.troth.agent.jdbc.SqlErrors;
import io.troth.chaos.bank.Transfer;
import io.troth.client.GlobalTransaction;
import io.troth.client.RolledBackException;
import io.troth.client.TransactionOptions;
import io.troth.client.context.OutgoingCall;
import io.troth.client.context.ServedCall;
import io.troth.core.ErrorCode;
import io.troth.core.GlobalTxId;
import io.troth.core.Outcome;
import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.net.http.HttpResponse.BodyHandlers;
import java.sql.Connection;
import java.sql.SQLException;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/**
 * Goal: a service that is called over HTTP takes part in the transaction as one that is called over gRPC. Method: the work at
 * one database is done here, that at the other behind a web server; the reply is lost, tells of an error, comes twice.
 */
class HttpCallsTest {

    private static Stack stack;

    private final HttpClient http = HttpClient.newHttpClient();
    private final Transfer transfer = Banks.transfer();
    private HttpServer server;
    private boolean listIsSent = true;

    @BeforeAll
    static void start() throws Exception {
        stack = Stack.start("HttpCalls");
    }

    @AfterAll
    static void end() {
        stack.close();
    }

    @BeforeEach
    void serve() throws IOException {
        server = HttpServer.create(new InetSocketAddress(InetAddress.getLoopbackAddress(), 0), 0);
        server.createContext("/", this::answer);
        server.start();
    }

    @AfterEach
    void nothingIsLeft() {
        server.stop(0);
        assertTrue(GlobalTransaction.current().isEmpty());
        stack.banks().awaitNothingPrepared();
    }

    private void answer(HttpExchange exchange) throws IOException {
        int status = 200;
        String list;
        try (ServedCall call = ServedCall.begin(exchange.getRequestHeaders().getFirst(OutgoingCall.HEADER))) {
            try {
                work(Banks.B);
                if (exchange.getRequestURI().getPath().equals("/fails")) {
                    throw new IllegalStateException("on purpose");
                }
                if (exchange.getRequestURI().getPath().equals("/conflicts")) {
                    Banks.failToSerialize(stack.agent(Banks.B).dataSource(Banks.B));
                }
            } catch (SQLException | RuntimeException e) {
                status = 500;
                if (SqlErrors.reasonOf(e) == null || SqlErrors.reasonOf(e).code() != ErrorCode.DUPLICATE_CALL) {
                    call.failed(e);
                } else {
                    status = 409;
                }
            }
            list = call.end();
            call.reason().ifPresent(reason -> exchange.getResponseHeaders().set(OutgoingCall.REASON_HEADER, reason));
        }
        if (listIsSent) {
            exchange.getResponseHeaders().set(OutgoingCall.REPLY_HEADER, list);
        }
        exchange.sendResponseHeaders(status, -1);
        exchange.close();
    }

    private void work(String bank) throws SQLException {
        try (Connection connection = stack.agent(bank).dataSource(bank).getConnection()) {
            Banks.apply(connection, transfer, bank);
        }
    }

    private int send(String path, OutgoingCall call, String header) throws IOException, InterruptedException {
        URI uri = URI.create("http://127.0.0.1:" + server.getAddress().getPort() + path);
        HttpRequest request =
                HttpRequest.newBuilder(uri).header(OutgoingCall.HEADER, header).build();
        HttpResponse<Void> response = http.send(request, BodyHandlers.discarding());
        call.replied(
                response.headers().firstValue(OutgoingCall.REPLY_HEADER).orElse(null),
                response.headers().firstValue(OutgoingCall.REASON_HEADER).orElse(null));
        return response.statusCode();
    }

    private void call(String path) throws IOException, InterruptedException {
        try (OutgoingCall call = OutgoingCall.begin("GET " + path).orElseThrow()) {
            int unused = send(path, call, call.header());
        }
    }

    private void assertRollsBack(String path) {
        RolledBackException rolledBack = assertThrows(
                RolledBackException.class,
                () -> stack.client().inTransaction(tx -> {
                    work(Banks.A);
                    call(path);
                }));
        assertEquals(ErrorCode.ROLLBACK_ONLY, rolledBack.code());
        assertEquals(Outcome.ROLLED_BACK, stack.banks().ending(transfer));
    }

    @Test
    void bothServicesCommit() throws Exception {
        stack.client().inTransaction(tx -> {
            work(Banks.A);
            call("/");
        });
        assertEquals(Outcome.COMMITTED, stack.banks().ending(transfer));
    }

    @Test
    void aReplyThatTellsOfAnErrorRollsBack() {
        assertRollsBack("/fails");
    }

    @Test
    void aReplyThatTellsOfAConflictRunsAgain() throws Exception {
        List<GlobalTxId> attempts = new ArrayList<>();
        stack.client().inTransaction(TransactionOptions.DEFAULTS.withRetries(1), tx -> {
            attempts.add(tx.id());
            work(Banks.A);
            call(attempts.size() == 1 ? "/conflicts" : "/");
        });
        assertEquals(2, attempts.size());
        assertEquals(Outcome.COMMITTED, stack.banks().ending(transfer));
    }

    @Test
    void aReplyWithoutTheListRollsBack() {
        listIsSent = false;
        assertRollsBack("/");
    }

    /** A proxy has sent the request again: it did nothing the second time, and the first one counts. */
    @Test
    void aRequestThatCameTwiceIsServedOnce() throws Exception {
        stack.client().inTransaction(tx -> {
            work(Banks.A);
            try (OutgoingCall call = OutgoingCall.begin("GET /").orElseThrow()) {
                assertEquals(200, send("/", call, call.header()));
                assertEquals(409, send("/", call, call.header()));
            }
        });
        assertEquals(Outcome.COMMITTED, stack.banks().ending(transfer));
    }
}
