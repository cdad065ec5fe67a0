package io.troth.chaos.stack;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.troth.chaos.bank.Transfer;
import io.troth.client.GlobalTransaction;
import io.troth.client.OutcomeToken;
import io.troth.client.TransactionOptions;
import io.troth.client.TrothClient;
import io.troth.core.Outcome;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;

/**
 * Goal: what commits in place, without a word to the coordinator, is never called rolled back by it. Method: a second client
 * asks before and after, by the id alone and by the token; and the coordinator stands still while others commit.
 */
class CommitInPlaceTest {

    private static Stack stack;
    private static TrothClient stranger;

    @BeforeAll
    static void start() throws Exception {
        stack = Stack.start("CommitInPlace");
        stranger = TrothClient.connect(stack.address());
    }

    @AfterAll
    static void end() {
        stranger.close();
        stack.close();
    }

    @Test
    void whoAsksByIdAloneIsNeverToldRolledBack() throws Exception {
        Transfer transfer = Banks.transfer();
        GlobalTransaction tx = stack.client().begin();
        stack.work(transfer, Banks.A);
        assertEquals(Outcome.UNKNOWN, stranger.outcome(tx.id()));
        assertEquals(Outcome.COMMITTED, tx.commit().outcome());
        assertTrue(stack.banks().has(Banks.A, transfer));
        assertEquals(Outcome.UNKNOWN, stranger.outcome(tx.id()));
    }

    @Test
    void whoAsksByTheTokenHearsTheTruth() throws Exception {
        Transfer kept = Banks.transfer();
        GlobalTransaction tx = stack.client().begin();
        stack.work(kept, Banks.A);
        assertEquals(Outcome.COMMITTED, tx.commit().outcome());
        assertEquals(Outcome.COMMITTED, stranger.outcome(tx.token()));

        Transfer given = Banks.transfer();
        GlobalTransaction other = stack.client().begin();
        stack.work(given, Banks.A);
        other.rollback();
        assertEquals(Outcome.ROLLED_BACK, stranger.outcome(other.token()));
        assertFalse(stack.banks().has(Banks.A, given));
    }

    /** Its token is in the world, so that the coordinator knows of it, and says so. */
    @Test
    void whoseTokenWasTakenIsTheCoordinatorsToEnd() throws Exception {
        Transfer transfer = Banks.transfer();
        GlobalTransaction tx = stack.client().begin();
        stack.work(transfer, Banks.A);
        OutcomeToken token = tx.token();
        assertEquals(Outcome.COMMITTED, tx.commit().outcome());
        assertEquals(Outcome.COMMITTED, stranger.outcome(tx.id()));
        assertEquals(Outcome.COMMITTED, stranger.outcome(token));
    }

    /** Begin needs a session, and a branch a stream; the end needs neither to answer. */
    @Test
    void endsWhileTheCoordinatorStandsStill() throws Exception {
        Transfer kept = Banks.transfer();
        Transfer given = Banks.transfer();
        GlobalTransaction first = stack.client().begin();
        stack.work(kept, Banks.A);
        GlobalTransaction second = stack.client().begin(TransactionOptions.DEFAULTS.withSeparate());
        stack.work(given, Banks.B);
        stack.coordinator().child().suspend();
        try {
            second.rollback();
            assertEquals(Outcome.COMMITTED, first.commit().outcome());
        } finally {
            stack.coordinator().child().proceed();
        }
        assertTrue(stack.banks().has(Banks.A, kept));
        assertFalse(stack.banks().has(Banks.B, given));
    }
}
