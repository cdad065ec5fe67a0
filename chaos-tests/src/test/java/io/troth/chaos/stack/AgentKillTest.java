package io.troth.chaos.stack;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.troth.agent.engine.StepListener.Point;
import io.troth.chaos.bank.Transfer;
import io.troth.chaos.cluster.AgentChild;
import io.troth.chaos.cluster.TrothProcess;
import io.troth.chaos.process.ChildProcess;
import io.troth.chaos.process.Ports;
import io.troth.client.GlobalTransaction;
import io.troth.core.Outcome;
import java.time.Duration;
import java.util.Arrays;
import java.util.EnumSet;
import java.util.List;
import java.util.Random;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import java.util.stream.Collectors;
import org.awaitility.Awaitility;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/**
 * Goal: what a killed agent had promised is carried out by the next one, and what it had not is gone. Method: for each
 * point of a branch the agent process of one bank is parked there, killed by SIGKILL and started again as another
 * instance. A point without a cell fails, and so does a cell whose point is not reached.
 */
class AgentKillTest {

    private static final long ANSWER_SECONDS = 90;
    private static final Duration BEFORE_THE_NEXT_LIST = Duration.ofSeconds(15);

    private static final Set<Outcome> COMMITTED = EnumSet.of(Outcome.COMMITTED);
    private static final Set<Outcome> ROLLED_BACK = EnumSet.of(Outcome.ROLLED_BACK);
    private static final Set<Outcome> EITHER = EnumSet.of(Outcome.COMMITTED, Outcome.ROLLED_BACK);

    /** Where the branch is when its agent dies, whether it is the only one, and which endings are right. */
    private enum Cell {
        BEFORE_PREPARE(Point.BEFORE_PREPARE, false, ROLLED_BACK),
        PREPARED_UNTOLD(Point.AFTER_PREPARE_BEFORE_VOTE, false, ROLLED_BACK),
        VOTED(Point.AFTER_VOTE, false, EITHER),
        BEFORE_ONE_PHASE(Point.BEFORE_ONE_PHASE, true, ROLLED_BACK),
        ONE_PHASE_UNTOLD(Point.AFTER_ONE_PHASE_BEFORE_RESULT, true, COMMITTED),
        BEFORE_PHASE_TWO(Point.BEFORE_PHASE_TWO, false, COMMITTED),
        COMMITTED_UNTOLD(Point.AFTER_PHASE_TWO_BEFORE_DONE, false, COMMITTED);

        private final Point point;
        private final boolean alone;

        @SuppressWarnings("ImmutableEnumChecker") // Nobody changes it.
        private final Set<Outcome> right;

        Cell(Point point, boolean alone, Set<Outcome> right) {
            this.point = point;
            this.alone = alone;
            this.right = right;
        }
    }

    private static Stack stack;
    private static TrothProcess agentB;

    @BeforeAll
    static void start() throws Exception {
        stack = Stack.startWithoutAgentOfB("AgentKill", "transactions.instanceGone=500ms");
        agentB = agentOfB("agent-b");
    }

    private static TrothProcess agentOfB(String name) {
        List<String> arguments =
                AgentChild.arguments(stack.address(), Banks.B, stack.banks().url(Banks.B), Ports.free(new Random()));
        return new TrothProcess(stack.children(), name, AgentChild.class, arguments).awaitReady();
    }

    @AfterAll
    static void end() {
        stack.close();
    }

    @Test
    void everyPointHasACell() {
        assertEquals(
                EnumSet.allOf(Point.class),
                Arrays.stream(Cell.values())
                        .map(cell -> cell.point)
                        .collect(Collectors.toCollection(() -> EnumSet.noneOf(Point.class))));
    }

    @ParameterizedTest
    @EnumSource(Cell.class)
    void endsRightAfterAKill(Cell cell) throws Exception {
        Transfer transfer = Banks.transfer();
        GlobalTransaction tx = stack.client().begin();
        if (!cell.alone) {
            stack.work(transfer, Banks.A);
        }
        tx.sql(Banks.B).update(Transfer.INSERT_ROW, transfer.number(), transfer.toAccount(), transfer.amount());
        tx.sql(Banks.B).update(Transfer.MOVE_MONEY, transfer.amount(), transfer.toAccount());
        agentB.arm(cell.point.name(), 1);
        CompletableFuture<Outcome> answer = Answers.of(tx.commitAsync());
        assertEquals(tx.id().toString(), agentB.awaitReached(cell.point.name()));

        assertEquals(ChildProcess.EXIT_KILLED, agentB.kill());
        agentB.restart();
        agentB.awaitReady();

        Outcome told = answer.get(ANSWER_SECONDS, TimeUnit.SECONDS);
        stack.banks().awaitNothingPrepared();
        Outcome ending = cell.alone
                ? stack.banks().endingAt(Banks.B, transfer)
                : stack.banks().ending(transfer);
        assertTrue(cell.right.contains(ending), () -> cell + " ended " + ending);
        assertTrue(told == ending || told == Outcome.UNKNOWN, () -> cell + ": told " + told + ", but it is " + ending);
        assertTrue(
                told == ending || cell.alone, () -> cell + ": nothing is unknown about a transaction of two branches");
        Outcome later = stack.client().outcome(tx.token());
        assertTrue(
                later == ending || (cell.alone && later == Outcome.UNKNOWN),
                () -> cell + ": later told " + later + ", but it is " + ending);
    }

    /** The other instance has read what is prepared before the kill, and does so again only half a minute later. */
    @Test
    void anotherInstanceFreesTheLocksOfWhatIsRolledBack() throws Exception {
        Transfer transfer = Banks.transfer();
        GlobalTransaction tx = stack.client().begin();
        stack.work(transfer, Banks.A);
        tx.sql(Banks.B).update(Transfer.INSERT_ROW, transfer.number(), transfer.toAccount(), transfer.amount());
        TrothProcess another = agentOfB("another-agent-b");
        try {
            agentB.arm(Point.AFTER_PREPARE_BEFORE_VOTE.name(), 1);
            CompletableFuture<Outcome> answer = Answers.of(tx.commitAsync());
            agentB.awaitReached(Point.AFTER_PREPARE_BEFORE_VOTE.name());
            assertEquals(1, stack.banks().prepared(Banks.B).size());

            assertEquals(ChildProcess.EXIT_KILLED, agentB.kill());

            assertEquals(Outcome.ROLLED_BACK, answer.get(ANSWER_SECONDS, TimeUnit.SECONDS));
            Awaitility.await("nothing is prepared")
                    .atMost(BEFORE_THE_NEXT_LIST)
                    .until(() -> stack.banks().prepared(Banks.B).isEmpty());
        } finally {
            another.close();
            agentB.restart();
            agentB.awaitReady();
        }
        assertEquals(Outcome.ROLLED_BACK, stack.banks().ending(transfer));
    }
}
