package io.troth.chaos.stack;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.troth.agent.TrothAgent;
import io.troth.chaos.bank.Transfer;
import io.troth.chaos.proxy.Direction;
import io.troth.chaos.proxy.TcpProxy;
import io.troth.client.GlobalTransaction;
import io.troth.core.Outcome;
import java.sql.Connection;
import java.time.Duration;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/**
 * Goal: lost messages end in one truth. Method: proxies stand before the coordinator and before a database, and lose
 * what is on its way.
 */
class LossTest {

    private static final long ANSWER_SECONDS = 90;
    private static final Duration LIMIT = Duration.ofSeconds(60);

    private static Stack stack;

    @BeforeAll
    static void start() throws Exception {
        stack = Stack.startWithoutAgentOfB("Loss", "transactions.instanceGone=500ms");
    }

    @AfterAll
    static void end() {
        stack.close();
    }

    /** Pitfall 1: whatever the vote was, a vote that did not arrive is no YES. */
    @ParameterizedTest
    @ValueSource(booleans = {true, false})
    void rollsBackWhenAVoteIsLost(boolean prepares) throws Exception {
        try (TcpProxy proxy = TcpProxy.toPort(stack.port());
                TrothAgent agentB = TrothAgent.builder()
                        .coordinator("localhost:" + proxy.port())
                        .resource(Banks.B, stack.banks().dataSource(Banks.B))
                        .start()) {
            assertTrue(agentB.awaitReady(LIMIT));
            Transfer transfer = Banks.transfer();
            GlobalTransaction tx = stack.client().begin();
            // Otherwise the client itself brings the votes.
            assertEquals(tx.id(), tx.token().tx());
            stack.work(transfer, Banks.A);
            try (Connection connection = agentB.dataSource(Banks.B).getConnection()) {
                Banks.apply(connection, transfer, Banks.B);
                if (!prepares) {
                    Banks.applyWhatCannotBePrepared(connection);
                }
            }
            proxy.set(Direction.TO_SERVER, TcpProxy.Mode.SWALLOW);
            CompletableFuture<Outcome> answer = Answers.of(tx.commitAsync());
            stack.banks().awaitPrepared(Banks.A, 1);
            if (prepares) {
                stack.banks().awaitPrepared(Banks.B, 1);
            }
            assertFalse(answer.isDone());
            proxy.cut();
            proxy.heal();
            assertEquals(Outcome.ROLLED_BACK, answer.get(ANSWER_SECONDS, TimeUnit.SECONDS));
            stack.banks().awaitNothingPrepared();
            assertEquals(Outcome.ROLLED_BACK, stack.banks().ending(transfer));
        }
    }

    /**
     * Pitfall 17: a commit of the only branch whose answer is lost is never called rolled back on a guess. Agent, server
     * and coordinator have lived on, so the proof tells what became of it.
     */
    @ParameterizedTest
    @CsvSource({"true, true", "true, false", "false, true", "false, false"})
    void tellsTheTruthWhenTheOnlyCommitIsCutOff(boolean afterItArrived, boolean inPlace) throws Exception {
        try (TcpProxy proxy = TcpProxy.toPort(stack.banks().server(Banks.B).port());
                TrothAgent agentB = TrothAgent.builder()
                        .coordinator(stack.address())
                        .resource(Banks.B, stack.banks().dataSource(Banks.B, proxy.port()))
                        .start()) {
            assertTrue(agentB.awaitReady(LIMIT));
            Transfer transfer = Banks.transfer();
            GlobalTransaction tx = stack.client().begin();
            try (Connection connection = agentB.dataSource(Banks.B).getConnection()) {
                Banks.apply(connection, transfer, Banks.B);
            }
            if (!inPlace) {
                // Whoever has the token may ask, so the coordinator commits.
                assertEquals(tx.id(), tx.token().tx());
            }
            proxy.when(
                    Direction.TO_SERVER,
                    TcpProxy.contains("COMMIT"),
                    afterItArrived ? TcpProxy.Moment.AFTER : TcpProxy.Moment.BEFORE,
                    proxy::cut);
            Outcome told = Answers.of(tx.commitAsync()).get(ANSWER_SECONDS, TimeUnit.SECONDS);
            assertEquals(afterItArrived ? Outcome.COMMITTED : Outcome.ROLLED_BACK, told);
            assertEquals(told, stack.banks().endingAt(Banks.B, transfer));
        }
    }
}
