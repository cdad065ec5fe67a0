package io.troth.chaos.stack;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.troth.agent.TrothAgent;
import io.troth.chaos.bank.Transfer;
import io.troth.chaos.proxy.Direction;
import io.troth.chaos.proxy.TcpProxy;
import io.troth.client.GlobalTransaction;
import io.troth.client.TransactionOptions;
import io.troth.core.Outcome;
import java.sql.Connection;
import java.time.Duration;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import org.awaitility.Awaitility;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/**
 * Goal: pauses and lost messages end in one truth. Method: the coordinator process is stopped between the votes and its
 * decision; proxies stand before the coordinator and before a database and lose what is on its way.
 */
class PauseAndLossTest {

    private static final long ANSWER_SECONDS = 25;
    private static final Duration LIMIT = Duration.ofSeconds(20);

    /** Pitfall 7: nobody may take a silent coordinator for a dead one. With and without group commit. */
    @ParameterizedTest
    @ValueSource(ints = {1, 1_024})
    void waitsForACoordinatorThatStandsStillBetweenVotesAndDecision(int batchLimit) throws Exception {
        try (Stack stack = Stack.start("Pause", "log.recordsPerBatchMax=" + batchLimit)) {
            Transfer transfer = Banks.transfer();
            GlobalTransaction tx =
                    stack.client().begin(TransactionOptions.DEFAULTS.withTimeout(Duration.ofMillis(1_500)));
            stack.work(transfer);
            stack.coordinator().arm("BEFORE_APPEND_COMMIT", 1);
            CompletableFuture<Outcome> answer = Answers.of(tx.commitAsync());
            stack.coordinator().awaitReached("BEFORE_APPEND_COMMIT");
            stack.coordinator().child().suspend();

            Awaitility.await("the transaction's time is over")
                    .atMost(LIMIT)
                    .until(() -> tx.remaining().isZero());
            Awaitility.await("and nobody has decided alone")
                    .during(Duration.ofMillis(500))
                    .atMost(LIMIT)
                    .until(() -> stack.banks().prepared(Banks.A).size() == 1
                            && stack.banks().prepared(Banks.B).size() == 1);
            assertFalse(answer.isDone());

            stack.coordinator().child().proceed();
            stack.coordinator().release();
            Outcome told = answer.get(ANSWER_SECONDS, TimeUnit.SECONDS);
            stack.banks().awaitNothingPrepared();
            assertEquals(stack.banks().ending(transfer), told);
            assertEquals(told, stack.client().outcome(tx.token()));
        }
    }

    /** Pitfall 1: whatever the vote was, a vote that did not arrive is no YES. */
    @ParameterizedTest
    @ValueSource(booleans = {true, false})
    void rollsBackWhenAVoteIsLost(boolean prepares) throws Exception {
        try (Stack stack = Stack.startWithoutAgentOfB("LostVote");
                TcpProxy proxy = TcpProxy.toPort(stack.port());
                TrothAgent agentB = TrothAgent.builder()
                        .coordinator("localhost:" + proxy.port())
                        .resource(Banks.B, stack.banks().dataSource(Banks.B))
                        .start()) {
            assertTrue(agentB.awaitReady(LIMIT));
            Transfer transfer = Banks.transfer();
            GlobalTransaction tx = stack.client().begin();
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

    /** Pitfall 17: a commit of the only branch whose answer is lost is never called rolled back on a guess. */
    @ParameterizedTest
    @ValueSource(booleans = {true, false})
    void tellsTheTruthOrUnknownWhenTheOnlyCommitIsCutOff(boolean afterItArrived) throws Exception {
        try (Stack stack = Stack.startWithoutAgentOfB("OnlyCommit", "transactions.instanceGone=500ms");
                TcpProxy proxy = TcpProxy.toPort(stack.banks().server(Banks.B).port());
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
            proxy.when(
                    Direction.TO_SERVER,
                    TcpProxy.contains("COMMIT"),
                    afterItArrived ? TcpProxy.Moment.AFTER : TcpProxy.Moment.BEFORE,
                    proxy::cut);
            Outcome told = Answers.of(tx.commitAsync()).get(ANSWER_SECONDS, TimeUnit.SECONDS);
            Awaitility.await("the database has settled it")
                    .atMost(LIMIT)
                    .until(() -> stack.banks()
                                    .server(Banks.B)
                                    .queryLong("SELECT count(*) FROM pg_stat_activity WHERE datname = '"
                                            + stack.banks().database()
                                            + "' AND (state LIKE 'idle in transaction%' OR query LIKE 'COMMIT%'"
                                            + " AND state = 'active')")
                            == 0);
            Outcome ending = stack.banks().endingAt(Banks.B, transfer);
            assertTrue(told == ending || told == Outcome.UNKNOWN, () -> "told " + told + ", but it is " + ending);
            if (!afterItArrived) {
                assertEquals(Outcome.ROLLED_BACK, ending, "the commit never arrived");
            }
        }
    }
}
