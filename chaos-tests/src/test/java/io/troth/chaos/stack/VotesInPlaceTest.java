package io.troth.chaos.stack;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.troth.agent.engine.StepListener.Point;
import io.troth.chaos.bank.Transfer;
import io.troth.chaos.cluster.TrothProcess;
import io.troth.chaos.process.ChildProcess;
import io.troth.core.Outcome;
import java.time.Duration;
import java.util.EnumSet;
import java.util.Set;
import org.awaitility.Awaitility;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/**
 * Goal: branches that a service has prepared before it told anybody end alike in all databases, and free their locks at once,
 * whenever the service dies. Method: for each point the service's process is parked there, killed by SIGKILL and started again
 * as another instance.
 */
class VotesInPlaceTest {

    private static final Duration LIMIT = Duration.ofSeconds(60);
    private static final Duration BEFORE_THE_NEXT_LIST = Duration.ofSeconds(20);

    private static final Set<Outcome> COMMITTED = EnumSet.of(Outcome.COMMITTED);
    private static final Set<Outcome> ROLLED_BACK = EnumSet.of(Outcome.ROLLED_BACK);
    private static final Set<Outcome> EITHER = EnumSet.of(Outcome.COMMITTED, Outcome.ROLLED_BACK);

    /** Where the branches are when their process dies, how many of them are there, and which endings are right. */
    private enum Cell {
        BEFORE_PREPARE(Point.BEFORE_PREPARE, 1, ROLLED_BACK),
        ONE_PREPARED(Point.AFTER_PREPARE_BEFORE_VOTE, 1, ROLLED_BACK),
        BOTH_PREPARED(Point.AFTER_PREPARE_BEFORE_VOTE, 2, ROLLED_BACK),
        VOTED(Point.AFTER_VOTE, 2, EITHER),
        BEFORE_PHASE_TWO(Point.BEFORE_PHASE_TWO, 1, COMMITTED),
        ONE_COMMITTED(Point.AFTER_PHASE_TWO_BEFORE_DONE, 1, COMMITTED),
        BOTH_COMMITTED(Point.AFTER_PHASE_TWO_BEFORE_DONE, 2, COMMITTED);

        private final Point point;
        private final int branches;

        @SuppressWarnings("ImmutableEnumChecker") // Nobody changes it.
        private final Set<Outcome> right;

        Cell(Point point, int branches, Set<Outcome> right) {
            this.point = point;
            this.branches = branches;
            this.right = right;
        }
    }

    private static Stack stack;
    private static TrothProcess service;

    @BeforeAll
    static void start() throws Exception {
        stack = Stack.startAlone("VotesInPlace");
        service = new TrothProcess(
                        stack.children(),
                        "service",
                        ServiceChild.class,
                        ServiceChild.arguments(
                                stack.address(),
                                stack.banks().url(Banks.A),
                                stack.banks().url(Banks.B)))
                .awaitReady();
    }

    @AfterAll
    static void end() {
        stack.close();
    }

    private static Transfer order() {
        Transfer transfer = Banks.transfer();
        service.child().send("transfer " + transfer.number() + " " + transfer.fromAccount());
        return transfer;
    }

    @Test
    void commitsBoth() {
        Transfer transfer = order();
        service.child().awaitLine("ENDED COMMITTED", LIMIT);
        assertEquals(Outcome.COMMITTED, stack.banks().ending(transfer));
    }

    @ParameterizedTest
    @EnumSource(Cell.class)
    void endsAlikeAfterAKill(Cell cell) {
        service.arm(cell.point.name(), cell.branches);
        Transfer transfer = order();
        for (int i = 0; i < cell.branches; i++) {
            service.awaitReached(cell.point.name());
        }
        assertEquals(ChildProcess.EXIT_KILLED, service.kill());
        service.restart();
        service.awaitReady();
        Awaitility.await("nothing is prepared")
                .atMost(BEFORE_THE_NEXT_LIST)
                .until(() -> stack.banks().prepared(Banks.A).isEmpty()
                        && stack.banks().prepared(Banks.B).isEmpty());
        Outcome ending = stack.banks().ending(transfer);
        assertTrue(cell.right.contains(ending), () -> cell + " ended " + ending);
    }
}
