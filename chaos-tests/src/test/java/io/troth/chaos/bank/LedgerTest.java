package io.troth.chaos.bank;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;

/** Goal: the checker finds every way in which an answer can be false. Method: hand-made books and answers. */
class LedgerTest {

    private final Ledger ledger = new Ledger();

    @Test
    void findsNothingWrongWithTrueAnswers() {
        answer(1, Answer.Kind.COMMITTED);
        answer(2, Answer.Kind.ROLLED_BACK);
        answer(3, Answer.Kind.UNKNOWN);
        assertEquals(List.of(), compare(Map.of(1L, -5L, 3L, -7L), Map.of(1L, 5L, 3L, 7L)));
    }

    @Test
    void findsACommittedAnswerThatIsInNoBank() {
        answer(1, Answer.Kind.COMMITTED);
        assertFinding("answered COMMITTED", compare(Map.of(), Map.of()));
    }

    @Test
    void findsARolledBackAnswerThatIsInBothBanks() {
        answer(1, Answer.Kind.ROLLED_BACK);
        assertFinding("answered ROLLED_BACK", compare(Map.of(1L, -5L), Map.of(1L, 5L)));
    }

    @Test
    void findsATransferInOnlyOneBankWhateverTheAnswer() {
        answer(1, Answer.Kind.UNKNOWN);
        assertFinding("only in the first bank", compare(Map.of(1L, -5L), Map.of()));
        assertFinding("only in the second bank", compare(Map.of(), Map.of(9L, 5L)));
    }

    @Test
    void findsAmountsThatDiffer() {
        answer(1, Answer.Kind.COMMITTED);
        assertFinding("took -5 and gave 6", compare(Map.of(1L, -5L), Map.of(1L, 6L)));
    }

    @Test
    void findsTwoAnswersThatContradict() {
        answer(1, Answer.Kind.COMMITTED);
        answer(1, Answer.Kind.ROLLED_BACK);
        assertFinding("answered COMMITTED and then ROLLED_BACK", compare(Map.of(), Map.of()));
    }

    @Test
    void letsACertainAnswerReplaceUnknown() {
        answer(1, Answer.Kind.UNKNOWN);
        answer(1, Answer.Kind.COMMITTED);
        assertEquals(List.of(), compare(Map.of(1L, -5L), Map.of(1L, 5L)));
    }

    @Test
    void findsAFalsifiedAnswer() {
        answer(1, Answer.Kind.COMMITTED);
        ledger.falsifyOne();
        assertFinding("answered ROLLED_BACK", compare(Map.of(1L, -5L), Map.of(1L, 5L)));
    }

    @Test
    void readsTheLineThatAnAnswerWrites() {
        Answer answer = new Answer(7, Answer.Kind.ROLLED_BACK, "0.1.00000000000000aa.1.7", "DEADLOCK: two\nlines");
        assertEquals(
                new Answer(7, Answer.Kind.ROLLED_BACK, "0.1.00000000000000aa.1.7", "DEADLOCK: two lines"),
                Answer.parse(answer.line()));
    }

    private void answer(long transfer, Answer.Kind kind) {
        ledger.record(new Answer(transfer, kind, "-", ""));
    }

    private List<String> compare(Map<Long, Long> first, Map<Long, Long> second) {
        return ledger.compare(new Bank.Books(0, first), new Bank.Books(0, second));
    }

    private static void assertFinding(String part, List<String> findings) {
        assertTrue(findings.stream().anyMatch(finding -> finding.contains(part)), findings.toString());
    }
}
