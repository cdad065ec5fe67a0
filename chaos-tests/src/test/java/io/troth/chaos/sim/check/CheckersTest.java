package io.troth.chaos.sim.check;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.troth.chaos.sim.check.BranchFacts.Ending;
import io.troth.chaos.sim.check.BranchFacts.State;
import io.troth.core.BranchId;
import io.troth.core.EpochId;
import io.troth.core.GlobalTxId;
import io.troth.core.Outcome;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import java.util.TreeSet;
import org.junit.jupiter.api.Test;

/** Each checker is fed a history that is good, and then one that is bad in one way, and must complain by name. */
class CheckersTest {

    private static final long SECOND = 1_000_000_000L;

    private final List<BranchFacts> branches = new ArrayList<>();
    private final Set<BranchId> unlisted = new TreeSet<>();
    private final List<Told> answers = new ArrayList<>();
    private Map<String, Map<String, List<Long>>> rows = Map.of();

    private static GlobalTxId tx(long number) {
        return new GlobalTxId(0, new EpochId(1, 1), 1, number);
    }

    private BranchFacts branch(long tx, String resource, State state, Step... steps) {
        return branch(tx, resource, state, Ending.AGENT, false, steps);
    }

    private BranchFacts branch(long tx, String resource, State state, Ending ending, boolean restored, Step... steps) {
        long number = branches.size() + 1L;
        BranchFacts facts = new BranchFacts(
                resource,
                tx(tx),
                new BranchId(1, number),
                state,
                ending,
                restored,
                List.of(steps),
                0,
                10 * SECOND,
                SECOND,
                state == State.ACTIVE || state == State.PREPARED ? -1 : 2 * SECOND);
        branches.add(facts);
        return facts;
    }

    private static Step add(String key, long amount) {
        return new Step(Step.Kind.ADD, key, amount, List.of(amount));
    }

    private static Step append(String key, long value, Long... left) {
        return new Step(Step.Kind.APPEND, key, value, List.of(left));
    }

    private static Step locked(String key, Long... seen) {
        return new Step(Step.Kind.READ_LOCKED, key, 0, List.of(seen));
    }

    private static Step read(String key, Long... seen) {
        return new Step(Step.Kind.READ, key, 0, List.of(seen));
    }

    private List<String> complaints(Checker checker) {
        Map<GlobalTxId, Set<BranchId>> listed = new TreeMap<>();
        for (BranchFacts branch : branches) {
            if (!unlisted.contains(branch.branch())) {
                listed.computeIfAbsent(branch.tx(), none -> new TreeSet<>()).add(branch.branch());
            }
        }
        return checker.complaints(new History(branches, listed, answers, rows, 5 * SECOND));
    }

    private void assertGood(Checker checker) {
        assertEquals(List.of(), complaints(checker));
    }

    private void assertBad(Checker checker, String words) {
        List<String> complaints = complaints(checker);
        assertEquals(1, complaints.size(), complaints::toString);
        assertTrue(complaints.get(0).contains(words), complaints::toString);
    }

    // Atomicity.

    @Test
    void allBranchesOrNone() {
        branch(1, "a", State.COMMITTED, add("account 1", 1));
        branch(1, "b", State.COMMITTED, add("account 1", -1));
        branch(2, "a", State.ROLLED_BACK, add("account 1", 1));
        branch(3, "a", State.COMMITTED, add("account 1", 1));
        branch(3, "b", State.ROLLED_BACK, read("account 1"));
        assertGood(new AtomicityChecker());
        branch(2, "b", State.COMMITTED, add("account 1", -1));
        assertBad(new AtomicityChecker(), "atomicity: of " + tx(2));
    }

    @Test
    void whatTheCommitDidNotNameIsNotCommitted() {
        branch(1, "a", State.COMMITTED, add("account 1", 1));
        BranchFacts twice = branch(1, "a", State.ROLLED_BACK, add("account 1", 1));
        unlisted.add(twice.branch());
        assertGood(new AtomicityChecker());
        unlisted.add(branches.get(0).branch());
        assertBad(new AtomicityChecker(), "and no Commit named it");
    }

    @Test
    void noBranchIsOpenInTheEnd() {
        branch(1, "a", State.PREPARED, add("account 1", 1));
        assertBad(new AtomicityChecker(), "is PREPARED in the end");
    }

    @Test
    void whatOthersDidIsExcusedAndNothingElse() {
        branch(1, "a", State.COMMITTED, add("account 1", 1));
        branch(1, "b", State.ROLLED_BACK, Ending.BY_HAND, false, add("account 1", -1));
        branch(2, "a", State.COMMITTED, add("account 1", 1));
        branch(2, "b", State.ROLLED_BACK, Ending.DATABASE, true, add("account 1", -1));
        branch(3, "a", State.COMMITTED, add("account 1", 1));
        branch(3, "b", State.ROLLED_BACK, Ending.BY_FORCE, false, add("account 1", -1));
        assertGood(new AtomicityChecker());
        branch(1, "c", State.ROLLED_BACK, add("account 1", 1));
        assertBad(new AtomicityChecker(), "at c is ROLLED_BACK");
    }

    // Answers.

    @Test
    void aCommittedAnswerIsTrue() {
        branch(1, "a", State.COMMITTED, add("account 1", 1));
        answers.add(new Told(tx(1), Outcome.COMMITTED, true));
        answers.add(new Told(tx(1), Outcome.UNKNOWN, false));
        assertGood(new AnswerChecker());
        branch(1, "b", State.ROLLED_BACK, add("account 1", -1));
        assertBad(new AnswerChecker(), "was answered COMMITTED, and");
    }

    @Test
    void aRolledBackAnswerIsTrue() {
        branch(1, "a", State.ROLLED_BACK, add("account 1", 1));
        answers.add(new Told(tx(1), Outcome.ROLLED_BACK, true));
        assertGood(new AnswerChecker());
        branch(1, "b", State.COMMITTED, add("account 1", -1));
        assertBad(new AnswerChecker(), "was answered ROLLED_BACK, and");
    }

    @Test
    void aReadOnlyTransactionHasWrittenNothing() {
        branch(1, "a", State.COMMITTED, read("account 1"));
        answers.add(new Told(tx(1), Outcome.READ_ONLY, true));
        answers.add(new Told(tx(1), Outcome.ROLLED_BACK, true));
        assertGood(new AnswerChecker());
        branch(1, "b", State.COMMITTED, add("account 1", -1));
        assertEquals(2, complaints(new AnswerChecker()).size());
    }

    @Test
    void answersDoNotContradictEachOther() {
        answers.add(new Told(tx(1), Outcome.COMMITTED, true));
        answers.add(new Told(tx(1), Outcome.ROLLED_BACK, true));
        assertBad(new AnswerChecker(), "was answered [COMMITTED, ROLLED_BACK]");
    }

    @Test
    void unknownIsNoAnswerWhereOneIsOwed() {
        answers.add(new Told(tx(1), Outcome.UNKNOWN, true));
        assertBad(new AnswerChecker(), "UNKNOWN, though it can be known");
    }

    // Bank.

    @Test
    void theBankAddsUp() {
        branch(1, "a", State.COMMITTED, add("account 1", -5));
        branch(1, "b", State.COMMITTED, add("account 1", 5));
        rows = Map.of(
                "a", Map.of("account 1", List.of(95L)), "b", Map.of("account 1", List.of(105L), "list", List.of(7L)));
        assertGood(new BankChecker(200));
        rows = Map.of("a", Map.of("account 1", List.of(95L)), "b", Map.of("account 1", List.of(100L)));
        assertBad(new BankChecker(200), "bank: the balances add up to 195 instead of 200");
    }

    @Test
    void whatAHandLeftOutOfBalanceIsAccountedFor() {
        branch(1, "a", State.COMMITTED, add("account 1", -5));
        branch(1, "b", State.ROLLED_BACK, Ending.BY_HAND, false, add("account 1", 5));
        rows = Map.of("a", Map.of("account 1", List.of(95L)), "b", Map.of("account 1", List.of(100L)));
        assertGood(new BankChecker(200));
        rows = Map.of("a", Map.of("account 1", List.of(95L)), "b", Map.of("account 1", List.of(99L)));
        assertBad(new BankChecker(200), "194 instead of 195");
    }

    @Test
    void everyWholeViewAddsUp() {
        branch(1, "a", State.COMMITTED, add("account 1", -5));
        branch(1, "b", State.COMMITTED, add("account 1", 5));
        rows = Map.of("a", Map.of("account 1", List.of(95L)), "b", Map.of("account 1", List.of(105L)));
        branch(2, "a", State.COMMITTED, locked("account 1", 95L));
        branch(2, "b", State.COMMITTED, locked("account 1", 105L));
        branch(3, "a", State.COMMITTED, locked("account 1", 95L));
        branch(4, "a", State.COMMITTED, locked("account 1", 95L));
        branch(4, "b", State.ROLLED_BACK, locked("account 1", 100L));
        assertGood(new BankChecker(200));
        // It sees its own transfer half done.
        branch(6, "a", State.COMMITTED, add("account 1", 7), locked("account 1", 102L), add("account 1", -7));
        branch(6, "b", State.COMMITTED, locked("account 1", 105L));
        assertGood(new BankChecker(200));
        branch(5, "a", State.COMMITTED, locked("account 1", 95L));
        branch(5, "b", State.COMMITTED, locked("account 1", 100L));
        assertBad(new BankChecker(200), tx(5) + " saw balances that add up to 195");
    }

    // List-append.

    private void lists(Map<String, List<Long>> a) {
        rows = Map.of("a", a);
    }

    @Test
    void listsHoldWhatWasAppended() {
        branch(1, "a", State.COMMITTED, append("list 1", 1, 1L));
        branch(2, "a", State.ROLLED_BACK, append("list 1", 2, 1L, 2L));
        branch(3, "a", State.COMMITTED, append("list 1", 3, 1L, 3L), read("list 2"));
        lists(Map.of("list 1", List.of(1L, 3L)));
        assertGood(new ListAppendChecker());
        lists(Map.of("list 1", List.of(1L)));
        assertTrue(complaints(new ListAppendChecker()).toString().contains("3 of " + tx(3) + " is lost"));
        lists(Map.of("list 1", List.of(1L, 3L, 3L)));
        assertTrue(complaints(new ListAppendChecker()).toString().contains("3 is 2 times"));
        lists(Map.of("list 1", List.of(1L, 3L, 2L)));
        assertBad(new ListAppendChecker(), "2 in a/list 1 is a ghost");
        lists(Map.of("list 1", List.of(1L, 3L, 9L)));
        assertBad(new ListAppendChecker(), "nobody appended it");
    }

    @Test
    void whatWasRolledBackIsNeverSeen() {
        branch(1, "a", State.ROLLED_BACK, append("list 1", 1, 1L));
        branch(2, "a", State.ROLLED_BACK, read("list 1", 1L));
        lists(Map.of());
        assertGood(new ListAppendChecker());
        branch(3, "a", State.COMMITTED, read("list 1", 1L));
        assertBad(new ListAppendChecker(), tx(3) + " saw [1] in a/list 1, which never was");
    }

    @Test
    void aValueIsAppendedOnce() {
        branch(1, "a", State.COMMITTED, append("list 1", 1, 1L));
        branch(2, "a", State.ROLLED_BACK, append("list 1", 1, 1L));
        lists(Map.of("list 1", List.of(1L)));
        assertGood(new ListAppendChecker());
        branch(2, "a", State.COMMITTED, append("list 1", 1, 1L));
        assertTrue(complaints(new ListAppendChecker()).toString().contains("and again by " + tx(2)));
    }

    @Test
    void writersInTwoOrdersAreACycle() {
        branch(1, "a", State.COMMITTED, append("list 1", 1, 1L), append("list 2", 1, 2L, 1L));
        branch(2, "a", State.COMMITTED, append("list 1", 2, 1L, 2L), append("list 2", 2, 2L));
        lists(Map.of("list 1", List.of(1L, 2L), "list 2", List.of(2L, 1L)));
        assertBad(
                new ListAppendChecker(), "a cycle: " + tx(1) + " -[ww a/list 1 2]-> " + tx(2) + " -[ww a/list 2 1]-> ");
    }

    @Test
    void aReaderBeforeAndAfterAWriterIsACycleIfItsReadsWereLocked() {
        branch(1, "a", State.COMMITTED, append("list 1", 1, 1L), append("list 2", 2, 2L));
        branch(2, "a", State.COMMITTED, read("list 1", 1L), read("list 2"));
        lists(Map.of("list 1", List.of(1L), "list 2", List.of(2L)));
        assertGood(new ListAppendChecker());
        branch(3, "a", State.COMMITTED, locked("list 1", 1L), locked("list 2"));
        assertBad(new ListAppendChecker(), "rw a/list 2 []");
    }

    @Test
    void aCycleOfThreeIsShownWhole() {
        branch(1, "a", State.COMMITTED, append("list 1", 1, 1L), locked("list 3", 3L));
        branch(2, "a", State.COMMITTED, append("list 2", 2, 2L), locked("list 1", 1L));
        branch(3, "a", State.COMMITTED, append("list 3", 3, 3L), locked("list 2", 2L));
        lists(Map.of("list 1", List.of(1L), "list 2", List.of(2L), "list 3", List.of(3L)));
        String cycle = complaints(new ListAppendChecker()).toString();
        assertTrue(cycle.contains(tx(1) + " -[wr a/list 1 [1]]-> " + tx(2) + " -[wr a/list 2 [2]]-> " + tx(3)), cycle);
    }

    @Test
    void aRestoredDatabaseIsPassedOver() {
        branch(1, "a", State.ROLLED_BACK, Ending.DATABASE, true, append("list 1", 1, 1L));
        branch(2, "a", State.COMMITTED, read("list 1", 1L));
        lists(Map.of());
        assertGood(new ListAppendChecker());
    }

    // Locks.

    private void held(long preparedNanos, long endedNanos) {
        branches.add(new BranchFacts(
                "a",
                tx(1),
                new BranchId(1, 1),
                endedNanos < 0 ? State.ACTIVE : State.ROLLED_BACK,
                Ending.AGENT,
                false,
                List.of(),
                0,
                10 * SECOND,
                preparedNanos,
                endedNanos));
    }

    @Test
    void anUnpreparedBranchLetsGoSoonAfterItsDeadline() {
        held(-1, 12 * SECOND);
        assertGood(new LockChecker(LockChecker.Limits.OWN));
        held(-1, 13 * SECOND);
        assertBad(new LockChecker(LockChecker.Limits.OWN), "unprepared, held its locks for 1000 ms more");
    }

    @Test
    void aPreparedBranchEndsAMinuteAfterTheLastFault() {
        held(SECOND, 65 * SECOND);
        held(30 * SECOND, 90 * SECOND);
        assertGood(new LockChecker(LockChecker.Limits.OWN));
        held(SECOND, 66 * SECOND);
        assertBad(new LockChecker(LockChecker.Limits.OWN), "prepared, held its locks for 1000 ms more");
    }

    @Test
    void noLockIsHeldInTheEnd() {
        held(-1, -1);
        assertBad(new LockChecker(LockChecker.Limits.OWN), "holds its locks in the end");
    }
}
