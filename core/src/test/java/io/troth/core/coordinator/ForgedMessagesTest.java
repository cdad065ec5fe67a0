package io.troth.core.coordinator;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotNull;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.troth.core.BranchId;
import io.troth.core.BranchWork;
import io.troth.core.EpochId;
import io.troth.core.ErrorCode;
import io.troth.core.GlobalTxId;
import io.troth.core.Outcome;
import io.troth.core.Reason;
import io.troth.core.SessionKey;
import io.troth.core.Vote;
import io.troth.core.coordinator.AgentHello.AgentResource;
import io.troth.core.coordinator.Event.CommitRequested.BranchVote;
import java.util.Collections;
import java.util.List;
import java.util.SplittableRandom;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/**
 * Goal: whoever does not have the session key, or has a wrong epoch, session or sequence, changes nothing and costs no
 * memory (protocol 2, 4.2). Method: a leader with one open transaction takes tens of thousands of random and of nearly
 * right messages; afterwards its transaction is as before and its state hardly longer.
 */
class ForgedMessagesTest {

    private static final EpochId EPOCH = new EpochId(3, 0x33);
    private static final SessionKey KEY = new SessionKey(0x1111, 0x2222);
    private static final StreamId AGENT = new StreamId(1);
    private static final StreamId CLIENT = new StreamId(2);
    private static final StreamId STRANGER = new StreamId(3);
    private static final StreamId OTHER_AGENT = new StreamId(4);
    private static final BranchId BRANCH = new BranchId(0xa, 1);
    private static final GlobalTxId TX = new GlobalTxId(0, EPOCH, 1, 5);
    private static final Reason WHY = Reason.of(ErrorCode.ROLLED_BACK_BY_CLIENT);

    private final CoordinatorStateMachine machine = leader();

    @ParameterizedTest
    @ValueSource(longs = {1, 2, 3})
    void changeNothingAndCostNoMemory(long seed) {
        SplittableRandom random = new SplittableRandom(seed);
        TransactionView before = machine.find(TX);
        int length = machine.encode().length;
        for (int i = 0; i < 20_000; i++) {
            for (Action action : machine.step(forged(random, i))) {
                if (action instanceof Action.SendToClient send
                        && send.message() instanceof ClientMessage.Answer answer) {
                    assertTrue(
                            answer.outcome() == Outcome.NOT_LEADER || answer.outcome() == Outcome.UNKNOWN,
                            () -> "a forged message is answered " + answer);
                }
            }
        }
        assertEquals(before, machine.find(TX));
        assertTrue(machine.encode().length < length + 200, "the state has grown to " + machine.encode().length);
    }

    /**
     * Votes that do not fit the list do not start T, and are no vote for one that is open. Branches listed twice, and a commit in
     * one phase, bring none at all.
     */
    @Test
    void votesThatDoNotFitStartAndDecideNothing() {
        BranchWork ours = new BranchWork(BRANCH, "accounts", 1);
        BranchWork other = new BranchWork(new BranchId(0xb, 1), "audit", 1);
        List<BranchWork> both = List.of(ours, other);
        TransactionView before = machine.find(TX);
        GlobalTxId unheard = new GlobalTxId(0, EPOCH, 1, 6);
        for (GlobalTxId tx : List.of(TX, unheard)) {
            assertRefused(tx, new CommitContent(both, true), 1);
            assertRefused(tx, new CommitContent(both, false), 1);
            assertRefused(tx, new CommitContent(both, false), 3);
            assertRefused(tx, new CommitContent(List.of(ours), true), 1);
            assertRefused(tx, new CommitContent(List.of(ours), false), 2);
            assertRefused(tx, new CommitContent(List.of(ours, ours), false), 2);
            assertRefused(tx, new CommitContent(List.of(ours, other, ours), false), 3);
        }
        assertEquals(before, machine.find(TX));
        assertNull(machine.find(unheard));
    }

    private void assertRefused(GlobalTxId tx, CommitContent content, int votes) {
        for (Vote vote : Vote.values()) {
            BranchVote each = new BranchVote(vote, null, null);
            List<Action> actions = machine.step(new Event.CommitRequested(
                    new RequestId(CLIENT, 7), tx, KEY, 3, content, Collections.nCopies(votes, each), false, 60_000));
            assertTrue(
                    actions.stream()
                            .anyMatch(action -> action instanceof Action.SendToClient send
                                    && send.message() instanceof ClientMessage.Refused refused
                                    && refused.reason().code() == ErrorCode.INVALID_ARGUMENT),
                    () -> votes + " votes for " + content + " are answered " + actions);
            assertTrue(actions.stream()
                    .noneMatch(action -> action instanceof Action.Append || action instanceof Action.SendToAgent));
        }
    }

    /** A NO for a branch that nobody knows of is a NO: its instance is not here, and T was to commit with it. */
    @Test
    void aVoteForABranchOfNobodyRollsBack() {
        BranchWork ours = new BranchWork(BRANCH, "accounts", 1);
        BranchWork nobodys = new BranchWork(new BranchId(0xc, 1), "stock", 1);
        for (Vote vote : Vote.values()) {
            CoordinatorStateMachine leader = leader();
            List<BranchVote> votes = List.of(new BranchVote(Vote.YES, null, null), new BranchVote(vote, null, null));
            leader.step(new Event.CommitRequested(
                    new RequestId(CLIENT, 7),
                    TX,
                    KEY,
                    3,
                    new CommitContent(List.of(ours, nobodys), false),
                    votes,
                    false,
                    60_000));
            TransactionView view = leader.find(TX);
            assertNotNull(view);
            assertEquals(Outcome.ROLLED_BACK, view.outcome());
        }
    }

    /** A lookup has no key: it is bounded by the window of the session. */
    @Test
    void inquiriesAboutWhatWasNeverHeardOfStayInTheWindow() {
        for (long sequence = 1; sequence < 100_000; sequence++) {
            machine.step(new Event.OutcomeInquiry(
                    new RequestId(STRANGER, sequence), new GlobalTxId(0, EPOCH, 1, sequence), null));
        }
        assertTrue(machine.encode().length < CoordinatorLimits.DEFAULTS.sequenceWindowMax() * 200 + 10_000);
        TransactionView view = machine.find(TX);
        assertNotNull(view);
        assertEquals(TransactionState.ACTIVE, view.state());
    }

    /** The record fence (protocol 3) holds in recovery too. */
    @Test
    void commitOfAnEpochThatTheLogDoesNotKnowHasNoEffect() {
        CoordinatorStateMachine fresh = new CoordinatorStateMachine(0, CoordinatorLimits.DEFAULTS);
        fresh.apply(new LogEntry(3, new LogRecord.Epoch(EPOCH)));
        GlobalTxId otherNonce = new GlobalTxId(0, new EpochId(3, 0x34), 1, 1);
        GlobalTxId neverOpened = new GlobalTxId(0, new EpochId(2, 0x22), 1, 1);
        LogRecord.YesBranch yes = new LogRecord.YesBranch(BRANCH, "accounts", null);
        assertFenced(fresh.apply(new LogEntry(3, new LogRecord.Commit(otherNonce, List.of(yes)))));
        assertFenced(fresh.apply(new LogEntry(2, new LogRecord.Commit(neverOpened, List.of(yes)))));
        assertFenced(fresh.apply(new LogEntry(4, new LogRecord.Commit(TX, List.of(yes)))));
        assertNull(fresh.find(TX));
        assertEquals(0, fresh.view().unended());
    }

    private static void assertFenced(List<Action> actions) {
        assertTrue(actions.stream()
                .anyMatch(
                        action -> action instanceof Action.Notify notify && notify.notice() instanceof Notice.Fenced));
    }

    private static CoordinatorStateMachine leader() {
        CoordinatorStateMachine leader = new CoordinatorStateMachine(0, CoordinatorLimits.DEFAULTS);
        leader.step(new Event.LeadershipStarted(EPOCH, 0));
        leader.apply(new LogEntry(3, new LogRecord.Epoch(EPOCH)));
        leader.step(new Event.AgentConnected(AGENT, hello(0xa, "accounts")));
        leader.step(new Event.AgentConnected(OTHER_AGENT, hello(0xb, "audit")));
        leader.step(new Event.OpenSession(new RequestId(CLIENT, 1), KEY, "client"));
        leader.step(new Event.Progress(CLIENT, EPOCH, 1, KEY, 3));
        leader.step(new Event.Enlist(AGENT, TX, KEY, BRANCH, "accounts", 60_000));
        return leader;
    }

    private static AgentHello hello(long instance, String resource) {
        return new AgentHello(
                instance, null, 0, List.of(new AgentResource(resource, "postgresql", "db-" + resource, "troth", null)));
    }

    private static Event forged(SplittableRandom random, int number) {
        int kind = random.nextInt(9);
        // At least one of key, epoch, session and sequence is wrong; mostly by little.
        boolean wrongKey = random.nextBoolean();
        boolean wrongId = !wrongKey || random.nextBoolean();
        SessionKey key = wrongKey ? wrongKey(random) : KEY;
        GlobalTxId tx = wrongId ? wrongId(random) : TX;
        BranchId branch = new BranchId(0xa, random.nextBoolean() ? 1 : random.nextLong());
        RequestId request = new RequestId(STRANGER, number);
        // Who has the key may say that everything has ended.
        long lowest = wrongKey ? huge(random) : 1;
        List<BranchWork> works = List.of(new BranchWork(branch, "accounts", 1));
        CommitContent content = new CommitContent(works, false);
        List<BranchVote> votes = random.nextBoolean()
                ? List.of()
                : List.of(new BranchVote(List.of(Vote.values()).get(random.nextInt(3)), null, null));
        return switch (kind) {
            case 0 -> new Event.Enlist(AGENT, tx, key, branch, "accounts", 60_000);
            case 1 -> new Event.CommitRequested(request, tx, key, lowest, content, votes, true, 60_000);
            case 2 -> new Event.RollbackRequested(request, tx, key, lowest, works, WHY);
            case 3 -> new Event.Progress(STRANGER, tx.epoch(), tx.session(), wrongKey(random), huge(random));
            case 4 -> new Event.CloseSession(STRANGER, tx.epoch(), tx.session(), wrongKey(random));
            case 5 -> new Event.ResumeSession(request, tx.epoch(), tx.session(), wrongKey(random));
            case 6 -> new Event.VoteReceived(OTHER_AGENT, TX, BRANCH, Vote.NO, null, null);
            case 7 -> new Event.BranchDone(OTHER_AGENT, TX, BRANCH, PhaseTwoResult.COMMITTED, "");
            default -> new Event.OnePhaseResult(OTHER_AGENT, TX, BRANCH, OnePhaseFate.ROLLED_BACK, WHY);
        };
    }

    private static long huge(SplittableRandom random) {
        return random.nextBoolean() ? Long.MAX_VALUE : 1 + random.nextInt(100);
    }

    private static SessionKey wrongKey(SplittableRandom random) {
        return random.nextBoolean()
                ? new SessionKey(KEY.high() ^ (1L << random.nextInt(64)), KEY.low())
                : new SessionKey(random.nextLong(), random.nextLong());
    }

    /** Another epoch or nonce, a session that is not there, a sequence below the lowest open one or far above it. */
    private static GlobalTxId wrongId(SplittableRandom random) {
        return switch (random.nextInt(5)) {
            case 0 -> new GlobalTxId(0, new EpochId(3, EPOCH.nonce() ^ (1L << random.nextInt(64))), 1, 5);
            case 1 -> new GlobalTxId(0, new EpochId(2 + 2 * random.nextInt(2), EPOCH.nonce()), 1, 5);
            case 2 -> new GlobalTxId(0, EPOCH, 2 + random.nextInt(1_000_000), 5);
            case 3 -> new GlobalTxId(0, EPOCH, 1, 1_000_000L + random.nextInt(1_000_000));
            default -> new GlobalTxId(0, EPOCH, 1, Long.MAX_VALUE - random.nextInt(1_000));
        };
    }
}
