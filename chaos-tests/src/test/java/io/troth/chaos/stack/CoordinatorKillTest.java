package io.troth.chaos.stack;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.troth.chaos.bank.Transfer;
import io.troth.chaos.process.ChildProcess;
import io.troth.client.GlobalTransaction;
import io.troth.client.OutcomeToken;
import io.troth.client.TransactionOptions;
import io.troth.client.WaitFor;
import io.troth.coordinator.engine.StepListener.Point;
import io.troth.core.Outcome;
import io.troth.core.coordinator.TransactionState;
import java.sql.Connection;
import java.util.Arrays;
import java.util.EnumSet;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import java.util.stream.Collectors;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Order;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/**
 * Goal: a client is never told anything false, and the banks never differ, whatever state the transaction was in when
 * its coordinator was killed. Method: for each cell of state x point the coordinator process is parked at the point,
 * killed by SIGKILL and started again. A point or a state without a cell fails, and so does a cell whose point is not
 * reached.
 */
@Order(1)
class CoordinatorKillTest {

    private static final long ANSWER_SECONDS = 90;

    /** What the client does. */
    private enum Work {
        /** Both banks, and waits until both have committed. */
        BOTH,
        /** Both banks, and waits for the decision only. */
        BOTH_DECIDED,
        /** One bank: commits in one phase. */
        ONE,
        /** Both banks, then gives up. */
        GIVEN_UP,
        /** Both banks, and the second one refuses to prepare. */
        REFUSED,
        /** Both banks, of which the coordinator first hears when they have voted. */
        VOTED,
        /** The same, and one vote is NO. */
        VOTED_REFUSED;

        /** Whether the client brings the votes. */
        boolean isInPlace() {
            return this == VOTED || this == VOTED_REFUSED;
        }
    }

    private static final Set<Outcome> COMMITTED = EnumSet.of(Outcome.COMMITTED);
    private static final Set<Outcome> ROLLED_BACK = EnumSet.of(Outcome.ROLLED_BACK);
    private static final Set<Outcome> EITHER = EnumSet.of(Outcome.COMMITTED, Outcome.ROLLED_BACK);

    /** Where a transaction is when its coordinator dies, and which endings are right. */
    private enum Cell {
        ACTIVE_BEFORE_ROLLBACK(TransactionState.ACTIVE, Work.GIVEN_UP, Point.BEFORE_SEND_ROLLBACK, ROLLED_BACK),
        ACTIVE_AFTER_ROLLBACK(TransactionState.ACTIVE, Work.GIVEN_UP, Point.AFTER_SEND_ROLLBACK, ROLLED_BACK),
        ACTIVE_BEFORE_PREPARE(TransactionState.ACTIVE, Work.BOTH, Point.BEFORE_SEND_PREPARE, ROLLED_BACK),
        PREPARING_AFTER_PREPARE(TransactionState.PREPARING, Work.BOTH, Point.AFTER_SEND_PREPARE, ROLLED_BACK),
        PREPARING_VOTES_IN(TransactionState.PREPARING, Work.BOTH, Point.BEFORE_APPEND_COMMIT, ROLLED_BACK),
        PREPARING_REFUSED(TransactionState.PREPARING, Work.REFUSED, Point.BEFORE_SEND_ROLLBACK, ROLLED_BACK),
        PREPARING_REFUSED_TOLD(TransactionState.PREPARING, Work.REFUSED, Point.AFTER_SEND_ROLLBACK, ROLLED_BACK),
        COMMITTING(TransactionState.COMMITTING, Work.BOTH, Point.AFTER_APPEND_COMMIT, EITHER),
        COMMITTED_UNSENT(TransactionState.COMMITTED, Work.BOTH, Point.AFTER_COMMIT_DURABLE, COMMITTED),
        COMMITTED_SENT(TransactionState.COMMITTED, Work.BOTH, Point.AFTER_SEND_COMMIT, COMMITTED),
        COMMITTED_DONE(TransactionState.COMMITTED, Work.BOTH, Point.BEFORE_APPEND_END, COMMITTED),
        DECIDED_UNTOLD(TransactionState.COMMITTED, Work.BOTH_DECIDED, Point.BEFORE_SEND_ANSWER, COMMITTED),
        DECIDED_TOLD(TransactionState.COMMITTED, Work.BOTH_DECIDED, Point.AFTER_SEND_ANSWER, COMMITTED),
        ONE_PHASE_UNSENT(TransactionState.ONE_PHASE, Work.ONE, Point.BEFORE_SEND_ONE_PHASE, ROLLED_BACK),
        ONE_PHASE_SENT(TransactionState.ONE_PHASE, Work.ONE, Point.AFTER_SEND_ONE_PHASE, EITHER),
        ONE_PHASE_UNTOLD(TransactionState.ONE_PHASE, Work.ONE, Point.BEFORE_SEND_ANSWER, COMMITTED),
        ENDED_UNTOLD(TransactionState.ENDED, Work.BOTH, Point.BEFORE_SEND_ANSWER, COMMITTED),
        ENDED_TOLD(TransactionState.ENDED, Work.BOTH, Point.AFTER_SEND_ANSWER, COMMITTED),
        ENDED_RECORDED(TransactionState.ENDED, Work.BOTH, Point.AFTER_APPEND_END, COMMITTED),
        ENDED_REFUSED_UNTOLD(TransactionState.ENDED, Work.REFUSED, Point.BEFORE_SEND_ANSWER, ROLLED_BACK),
        VOTES_IN(TransactionState.PREPARING, Work.VOTED, Point.BEFORE_APPEND_COMMIT, ROLLED_BACK),
        VOTES_COMMITTING(TransactionState.COMMITTING, Work.VOTED, Point.AFTER_APPEND_COMMIT, EITHER),
        VOTES_COMMITTED(TransactionState.COMMITTED, Work.VOTED, Point.AFTER_COMMIT_DURABLE, COMMITTED),
        VOTES_UNTOLD(TransactionState.COMMITTED, Work.VOTED, Point.BEFORE_SEND_ANSWER, COMMITTED),
        VOTES_TOLD(TransactionState.COMMITTED, Work.VOTED, Point.AFTER_SEND_ANSWER, COMMITTED),
        VOTES_DONE(TransactionState.COMMITTED, Work.VOTED, Point.BEFORE_APPEND_END, COMMITTED),
        VOTES_RECORDED(TransactionState.ENDED, Work.VOTED, Point.AFTER_APPEND_END, COMMITTED),
        VOTES_REFUSED(TransactionState.PREPARING, Work.VOTED_REFUSED, Point.BEFORE_SEND_ROLLBACK, ROLLED_BACK),
        VOTES_REFUSED_UNTOLD(TransactionState.ENDED, Work.VOTED_REFUSED, Point.BEFORE_SEND_ANSWER, ROLLED_BACK);

        private final TransactionState state;
        private final Work work;
        private final Point point;

        @SuppressWarnings("ImmutableEnumChecker") // Nobody changes it.
        private final Set<Outcome> right;

        Cell(TransactionState state, Work work, Point point, Set<Outcome> right) {
            this.state = state;
            this.work = work;
            this.point = point;
            this.right = right;
        }
    }

    private static Stack stack;

    @BeforeAll
    static void start() throws Exception {
        stack = Stack.start("CoordinatorKill");
    }

    @AfterAll
    static void end() {
        stack.close();
    }

    @Test
    void everyPointAndEveryStateHasACell() {
        Set<Point> points = Arrays.stream(Cell.values())
                .map(cell -> cell.point)
                .collect(Collectors.toCollection(() -> EnumSet.noneOf(Point.class)));
        Set<TransactionState> states = Arrays.stream(Cell.values())
                .map(cell -> cell.state)
                .collect(Collectors.toCollection(() -> EnumSet.noneOf(TransactionState.class)));
        assertEquals(EnumSet.allOf(Point.class), points);
        assertEquals(EnumSet.allOf(TransactionState.class), states);
    }

    @ParameterizedTest
    @EnumSource(Cell.class)
    void tellsTheTruthAfterAKill(Cell cell) throws Exception {
        Transfer transfer = Banks.transfer();
        TransactionOptions options = TransactionOptions.DEFAULTS.withWaitFor(
                cell.work == Work.BOTH_DECIDED ? WaitFor.DECIDED : WaitFor.COMPLETED);
        GlobalTransaction tx = stack.client().begin(options);
        work(cell.work, transfer);
        if (!cell.work.isInPlace()) {
            // Whoever has the token may ask, so that the coordinator has it prepared, and ends also what has one
            // branch.
            assertEquals(tx.id(), tx.token().tx());
        }
        stack.coordinator().arm(cell.point.name(), 1);
        CompletableFuture<Outcome> answer = cell.work == Work.GIVEN_UP
                ? tx.rollbackAsync().thenApply(nothing -> Outcome.ROLLED_BACK).toCompletableFuture()
                : Answers.of(tx.commitAsync());
        assertEquals(tx.id().toString(), stack.coordinator().awaitReached(cell.point.name()));

        assertEquals(ChildProcess.EXIT_KILLED, stack.coordinator().kill());
        stack.coordinator().restart();
        stack.awaitReady();

        Outcome told = answer.get(ANSWER_SECONDS, TimeUnit.SECONDS);
        stack.banks().awaitNothingPrepared();
        Outcome ending = cell.work == Work.ONE
                ? stack.banks().endingAt(Banks.A, transfer)
                : stack.banks().ending(transfer);
        assertTrue(cell.right.contains(ending), () -> cell + " ended " + ending);
        assertTrue(told == ending || told == Outcome.UNKNOWN, () -> cell + ": told " + told + ", but it is " + ending);
        assertEquals(
                ending, stack.client().outcome(OutcomeToken.parse(tx.token().toString())), cell::toString);
    }

    private static void work(Work work, Transfer transfer) throws Exception {
        switch (work) {
            case BOTH, BOTH_DECIDED, GIVEN_UP, VOTED -> stack.work(transfer);
            case ONE -> stack.work(transfer, Banks.A);
            case REFUSED, VOTED_REFUSED -> {
                stack.work(transfer);
                try (Connection connection =
                        stack.agent(Banks.B).dataSource(Banks.B).getConnection()) {
                    Banks.applyWhatCannotBePrepared(connection);
                }
            }
        }
    }
}
