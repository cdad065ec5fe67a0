package io.troth.core.coordinator;

import static org.junit.jupiter.api.Assertions.assertEquals;

import io.troth.core.BranchId;
import io.troth.core.Decision;
import io.troth.core.EpochId;
import io.troth.core.ErrorCode;
import io.troth.core.GlobalTxId;
import io.troth.core.Outcome;
import io.troth.core.Reason;
import io.troth.core.SessionKey;
import io.troth.core.coordinator.AgentHello.AgentResource;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;

/** Goal: what others make a leader remember has a bound (protocol 12) that is reached and not passed. */
class LeaderBoundsTest {

    private static final EpochId EPOCH = new EpochId(3, 0x33);
    private static final SessionKey KEY = new SessionKey(1, 2);
    private static final StreamId AGENT = new StreamId(1);
    private static final StreamId CLIENT = new StreamId(2);
    private static final int LEFT_ALONE_MAX = 10_000;
    private static final int FORCED_MAX = 1_000;
    private static final int KNOWN_MAX = 10_000;

    private final CoordinatorStateMachine leader = leader(CoordinatorLimits.DEFAULTS);
    private long requests;

    @Test
    void asManyResourcesAreKnownAsMayBe() {
        List<String> names = new ArrayList<>();
        for (int i = 1; i < KNOWN_MAX; i++) {
            names.add("r" + i);
        }
        assertEquals("Welcome", connect(10, names));
        assertEquals("LIMIT_EXCEEDED", connect(11, List.of("r1", "one-more")));
        assertEquals("Welcome", connect(12, List.of("r1")));
    }

    private String connect(long stream, List<String> names) {
        List<AgentResource> resources = names.stream()
                .map(name -> new AgentResource(name, "postgresql", "db", "troth", null))
                .toList();
        Action said = leader
                .step(new Event.AgentConnected(new StreamId(stream), new AgentHello(stream, null, 0, resources)))
                .stream()
                .filter(action -> !(action instanceof Action.Notify))
                .findFirst()
                .orElseThrow();
        return said instanceof Action.CloseStream close ? close.reason().code().name() : "Welcome";
    }

    @Test
    void asManyBranchesAreLeftAloneAsMayBe() {
        for (int i = 1; i <= LEFT_ALONE_MAX + 1; i++) {
            leader.step(inquiry(i));
        }
        assertEquals(LEFT_ALONE_MAX, leader.inDoubt(2 * LEFT_ALONE_MAX).size());
        assertEquals(LEFT_ALONE_MAX, leader.view().leftAlone());
    }

    @Test
    void theFirstOfWhatIsUnendedAreShownInOrder() {
        CoordinatorStateMachine replayed = new CoordinatorStateMachine(0, CoordinatorLimits.DEFAULTS);
        EpochId before = new EpochId(1, 0x11);
        replayed.apply(new LogEntry(1, new LogRecord.Epoch(before)));
        List<GlobalTxId> all = new ArrayList<>();
        for (int i = 1; i <= 100; i++) {
            // In no order, each once.
            GlobalTxId tx = new GlobalTxId(0, before, 1, i * 37 % 101);
            LogRecord.YesBranch yes = new LogRecord.YesBranch(new BranchId(9, i), "accounts", null);
            replayed.apply(new LogEntry(1, new LogRecord.Commit(tx, List.of(yes))));
            all.add(tx);
        }
        all.sort(null);
        for (int limit : new int[] {0, 1, 7, 100, 101}) {
            List<GlobalTxId> first = all.subList(0, Math.min(limit, all.size()));
            assertEquals(
                    first,
                    replayed.transactions(limit).stream()
                            .map(TransactionView::tx)
                            .toList());
            assertEquals(
                    first, replayed.inDoubt(limit).stream().map(InDoubtView::tx).toList());
        }
    }

    @Test
    void asManyForcedDecisionsWaitForTheLogAsMayBe() {
        for (int i = 1; i <= FORCED_MAX + 1; i++) {
            leader.step(inquiry(i));
        }
        for (int i = 1; i <= FORCED_MAX; i++) {
            assertEquals(Action.Append.class, force(i).getClass());
        }
        Action.SendToClient refused = (Action.SendToClient) force(FORCED_MAX + 1);
        assertEquals(
                ErrorCode.OVERLOADED,
                ((ClientMessage.Refused) refused.message()).reason().code());
    }

    /** Of a transaction that this log can not know. */
    private static Event inquiry(int sequence) {
        return new Event.BranchInquiry(AGENT, unknown(sequence), new BranchId(9, sequence), "accounts");
    }

    private static GlobalTxId unknown(int sequence) {
        return new GlobalTxId(0, new EpochId(9, 9), 1, sequence);
    }

    private Action force(int sequence) {
        List<Action> actions = leader.step(new Event.OperatorForces(
                new RequestId(CLIENT, ++requests),
                unknown(sequence),
                new BranchId(9, sequence),
                Decision.ROLLBACK,
                "why"));
        return actions.get(actions.size() - 1);
    }

    @Test
    void resultsOfAllSessionsAreBoundedAndAClosedSessionGivesItsOwnBack() {
        CoordinatorLimits d = CoordinatorLimits.DEFAULTS;
        CoordinatorStateMachine small = leader(new CoordinatorLimits(
                1,
                1,
                100,
                d.branchesPerTransactionMax(),
                d.sessionsMax(),
                d.agentStreamsMax(),
                d.transactionTimeoutMaxMillis(),
                d.completionLimitMillis(),
                d.phaseTwoRetryMillis(),
                d.instanceGoneMillis(),
                d.fateRetryMillis(),
                d.sessionGraceMillis(),
                d.sessionAgeMaxMillis(),
                d.outcomeRetentionMillis()));
        small.step(new Event.OpenSession(new RequestId(CLIENT, 2), KEY, "other"));
        // Ten for each transaction that may be open.
        for (int sequence = 1; sequence <= 10; sequence++) {
            assertEquals(Outcome.ROLLED_BACK, rollback(small, sequence % 2 + 1, sequence));
        }
        assertEquals(Outcome.UNKNOWN, rollback(small, 1, 11));
        small.step(new Event.CloseSession(CLIENT, EPOCH, 2, KEY));
        for (int sequence = 11; sequence <= 15; sequence++) {
            assertEquals(Outcome.ROLLED_BACK, rollback(small, 1, sequence));
        }
        assertEquals(Outcome.UNKNOWN, rollback(small, 1, 16));
        small.step(new Event.Progress(CLIENT, EPOCH, 1, KEY, 5));
        assertEquals(Outcome.ROLLED_BACK, rollback(small, 1, 16));
    }

    private Outcome rollback(CoordinatorStateMachine machine, long session, long sequence) {
        List<Action> actions = machine.step(new Event.RollbackRequested(
                new RequestId(CLIENT, ++requests),
                new GlobalTxId(0, EPOCH, session, sequence),
                KEY,
                1,
                List.of(),
                Reason.of(ErrorCode.ROLLED_BACK_BY_CLIENT)));
        Action.SendToClient said = (Action.SendToClient) actions.get(actions.size() - 1);
        return ((ClientMessage.Answer) said.message()).outcome();
    }

    private static CoordinatorStateMachine leader(CoordinatorLimits limits) {
        CoordinatorStateMachine leader = new CoordinatorStateMachine(0, limits);
        leader.step(new Event.LeadershipStarted(EPOCH, 0));
        leader.apply(new LogEntry(3, new LogRecord.Epoch(EPOCH)));
        AgentResource resource = new AgentResource("accounts", "postgresql", "db", "troth", null);
        leader.step(new Event.AgentConnected(AGENT, new AgentHello(9, null, 0, List.of(resource))));
        leader.step(new Event.OpenSession(new RequestId(CLIENT, 1), KEY, "client"));
        return leader;
    }
}
