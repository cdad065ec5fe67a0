package io.troth.chaos.stack;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.troth.agent.TrothAgent;
import io.troth.chaos.bank.Transfer;
import io.troth.chaos.cluster.CoordinatorChild;
import io.troth.chaos.cluster.TrothProcess;
import io.troth.chaos.process.Ports;
import io.troth.client.GlobalTransaction;
import io.troth.client.OutcomeToken;
import io.troth.client.TrothClient;
import io.troth.coordinator.grpc.AdminClient;
import io.troth.core.ErrorCode;
import io.troth.core.Outcome;
import io.troth.core.TrothException;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.EnumSet;
import java.util.List;
import java.util.Random;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import java.util.stream.Stream;
import org.awaitility.Awaitility;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;

/**
 * Goal: whoever leads next on the same log says and does what was decided, however late it is asked and however little
 * room it has; and who leads on an older copy does nothing. Method: the coordinator is killed with a COMMIT that is
 * durable and not sent; then it starts again, on its log, on an older copy of it, or with a floor above what is free.
 */
class NextLeaderTest {

    private static final long ANSWER_SECONDS = 180;
    private static final Duration LIMIT = Duration.ofSeconds(60);
    private static final Duration MOMENT = Duration.ofMillis(500);
    private static final String DURABLE = "AFTER_COMMIT_DURABLE";

    private static Stack stack;

    /** Waits for an outcome through any number of starts of a coordinator. */
    private static TrothClient client;

    @BeforeAll
    static void start() throws Exception {
        stack = Stack.start("NextLeader", "transactions.outcomeRetention=1s");
        client = TrothClient.builder()
                .endpoint(stack.address())
                .connectTimeout(LIMIT)
                .outcomeTimeout(Duration.ofMinutes(3))
                .build();
    }

    @AfterAll
    static void end() {
        client.close();
        stack.close();
    }

    private final Transfer transfer = Banks.transfer();

    /** Kills the coordinator when the transfer is decided and nobody has heard. */
    private CompletableFuture<Outcome> decideAndDie(GlobalTransaction tx) throws Exception {
        stack.work(transfer);
        stack.coordinator().arm(DURABLE, 1);
        CompletableFuture<Outcome> answer = Answers.of(tx.commitAsync());
        stack.coordinator().awaitReached(DURABLE);
        stack.coordinator().kill();
        return answer;
    }

    private void assertCommitted(CompletableFuture<Outcome> answer) throws Exception {
        assertEquals(Outcome.COMMITTED, answer.get(ANSWER_SECONDS, TimeUnit.SECONDS));
        stack.banks().awaitNothingPrepared();
        assertEquals(Outcome.COMMITTED, stack.banks().ending(transfer));
    }

    private static void restart() throws Exception {
        stack.coordinator().restart();
        stack.awaitReady();
    }

    /** Pitfall 6: too late to tell is not rolled back. */
    @Test
    void theRepeatedQuestionIsNeverAnsweredByARollback() throws Exception {
        GlobalTransaction tx = client.begin();
        CompletableFuture<Outcome> answer = decideAndDie(tx);
        restart();
        assertCommitted(answer);

        OutcomeToken token = tx.token();
        Set<Outcome> right = EnumSet.of(Outcome.COMMITTED, Outcome.FORGOTTEN);
        try (TrothAgent often = TrothAgent.builder()
                .coordinator(stack.address())
                .resource(Banks.A, stack.banks().dataSource(Banks.A))
                .resource(Banks.B, stack.banks().dataSource(Banks.B))
                .scanInterval(Duration.ofMillis(200))
                .start()) {
            assertTrue(often.awaitReady(LIMIT));
            Awaitility.await("the log has forgotten it").atMost(LIMIT).until(() -> {
                Outcome told = client.outcome(token);
                assertTrue(right.contains(told), () -> "told " + told);
                return told == Outcome.FORGOTTEN;
            });
        }
        stack.coordinator().kill();
        restart();
        assertEquals(Outcome.FORGOTTEN, client.outcome(token));
        assertEquals(Outcome.FORGOTTEN, client.outcome(tx.id()));
    }

    /**
     * Pitfall 9: a new epoch repeats phase 2 and is obeyed; an older one ends its service when the agents prove that there
     * was a newer one. (That an agent would not hear it either is shown where there is no such leader: in the core.)
     */
    @Test
    void aLeaderOfAnOlderEpochEndsItsServiceAndTheNextOneFinishes() throws Exception {
        stack.coordinator().kill();
        Path older = stack.data().resolveSibling("older");
        copy(stack.data(), older);
        restart();
        stack.coordinator().kill();
        restart();

        CompletableFuture<Outcome> answer = decideAndDie(client.begin());
        TrothProcess copied = coordinator("older", older).awaitReady();
        try (AdminClient admin = new AdminClient(stack.address(), null, LIMIT.toMillis())) {
            Awaitility.await("it hears of a newer one")
                    .atMost(LIMIT)
                    .until(() -> !admin.status().leader().ready());
        }
        Awaitility.await("nobody obeys").during(MOMENT).atMost(LIMIT).until(() -> {
            for (String bank : List.of(Banks.A, Banks.B)) {
                assertFalse(stack.agent(bank).awaitReady(Duration.ZERO));
                assertEquals(1, stack.banks().prepared(bank).size());
            }
            return true;
        });
        assertFalse(answer.isDone());
        copied.kill();

        restart();
        assertCommitted(answer);
    }

    /** What is running ends on the room that the floor has kept for it. */
    @Test
    void belowTheFloorOfTheDiskWhatIsDecidedEndsAndNothingBegins() throws Exception {
        CompletableFuture<Outcome> answer = decideAndDie(client.begin());
        TrothProcess full =
                coordinator("full", stack.data(), "log.freeFloor=1024GiB").awaitReady();
        assertCommitted(answer);
        Awaitility.await("no transaction begins")
                .atMost(LIMIT)
                .untilAsserted(() -> assertEquals(
                        ErrorCode.DISK_FLOOR,
                        assertThrows(TrothException.class, () -> client.begin().close())
                                .code()));
        full.kill();

        restart();
        Awaitility.await("there is room again")
                .atMost(LIMIT)
                .untilAsserted(() -> client.inTransaction(tx -> stack.work(Banks.transfer())));
    }

    /** Another coordinator at the address of the stack's. */
    private static TrothProcess coordinator(String name, Path data, String... settings) {
        return new TrothProcess(
                stack.children(),
                name,
                CoordinatorChild.class,
                CoordinatorChild.arguments(data, stack.port(), Ports.free(new Random()), settings));
    }

    private static void copy(Path from, Path to) throws IOException {
        try (Stream<Path> paths = Files.walk(from)) {
            for (Path path : paths.toList()) {
                Files.copy(path, to.resolve(from.relativize(path)));
            }
        }
    }
}
