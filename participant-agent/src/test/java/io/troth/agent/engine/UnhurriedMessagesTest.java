package io.troth.agent.engine;

import static org.junit.jupiter.api.Assertions.assertEquals;

import io.troth.client.context.CallScope;
import io.troth.core.BranchId;
import io.troth.core.ClusterId;
import io.troth.core.EpochId;
import io.troth.core.ErrorCode;
import io.troth.core.GlobalTxId;
import io.troth.core.Reason;
import io.troth.core.SessionKey;
import io.troth.core.TransactionContext;
import io.troth.core.coordinator.AgentMessage;
import io.troth.core.participant.AgentLimits;
import io.troth.core.participant.AgentNotice;
import io.troth.core.participant.PrepareResult;
import io.troth.core.participant.StatementEnd;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/**
 * Goal: what the leader cannot act on yet wakes nobody, and what it can act on never waits. Method: an agent of two
 * databases in memory that answer when the test says so.
 */
class UnhurriedMessagesTest {

    private static final ClusterId CLUSTER = new ClusterId(7);
    private static final EpochId EPOCH = new EpochId(3, 33);
    private static final GlobalTxId TX = new GlobalTxId(0, EPOCH, 5, 1);

    private final SimulatedBranchDatabase accounts = new SimulatedBranchDatabase();
    private final SimulatedBranchDatabase stock = new SimulatedBranchDatabase();
    private final SimulatedCoordinatorLink link = new SimulatedCoordinatorLink();
    private final AgentEngine engine = new AgentEngine(new AgentEngine.Parts(
            0xa,
            Map.of("accounts", accounts, "stock", stock),
            link,
            new ManualTimers(),
            new AgentListener() {
                @Override
                public void heard(AgentNotice notice) {}

                @Override
                public void failed(RuntimeException cause) {
                    throw cause;
                }
            },
            StepListener.NONE,
            AgentLimits.DEFAULTS));

    private BranchId first = new BranchId(0, 0);
    private BranchId second = new BranchId(0, 0);

    @BeforeEach
    void start() throws BranchRefusedException {
        engine.start(null, null);
        link.welcome(CLUSTER, EPOCH);
        link.takeKinds();
        accounts.holds = true;
        stock.holds = true;
        CallScope scope =
                new CallScope(new TransactionContext(CLUSTER, TX, new SessionKey(1, 2), 0, 60_000), System::nanoTime);
        first = branch(scope, "accounts");
        second = branch(scope, "stock");
        scope.close();
    }

    private BranchId branch(CallScope scope, String resource) throws BranchRefusedException {
        BranchId branch = engine.join(scope, resource);
        engine.statementBegins(scope, branch);
        engine.statementEnds(branch, StatementEnd.completed());
        return branch;
    }

    private void prepare() {
        link.order(EPOCH, new AgentMessage.Prepare(TX, first, 1), new AgentMessage.Prepare(TX, second, 1));
    }

    @Test
    void enlistsWithoutHurry() {
        assertEquals(List.of("Enlist", "Enlist"), link.takeUnhurriedKinds());
    }

    @Test
    void onlyTheLastAnswerOfATransactionHurries() {
        prepare();
        link.takeUnhurriedKinds();
        stock.release();
        assertEquals(List.of("vote YES"), link.takeUnhurriedKinds());
        accounts.release();
        assertEquals(List.of("vote YES"), link.takeHurriedKinds());
        link.order(
                EPOCH,
                new AgentMessage.CommitBranch(TX, first, "accounts", null, false),
                new AgentMessage.CommitBranch(TX, second, "stock", null, false));
        accounts.release();
        assertEquals(List.of("BranchDone"), link.takeUnhurriedKinds());
        stock.release();
        assertEquals(List.of("BranchDone"), link.takeHurriedKinds());
        assertEquals(List.of(), link.takeUnhurriedKinds());
    }

    @Test
    void aNoHurriesAlways() {
        accounts.nextPrepare = PrepareResult.refused(Reason.of(ErrorCode.DATABASE_UNAVAILABLE));
        prepare();
        accounts.release();
        assertEquals(List.of("vote NO"), link.takeHurriedKinds());
    }

    @Test
    void noTransactionWaitsForAnother() {
        prepare();
        stock.release();
        link.takeUnhurriedKinds();
        GlobalTxId other = new GlobalTxId(0, EPOCH, 5, 2);
        link.order(EPOCH, new AgentMessage.CommitBranch(other, new BranchId(0xb, 9), "stock", null, false));
        stock.release();
        assertEquals(List.of("BranchDone"), link.takeHurriedKinds());
    }

    @Test
    void aBranchThatHasNotBeenAskedIsNotWaitedFor() {
        link.order(EPOCH, new AgentMessage.Prepare(TX, first, 1));
        accounts.release();
        assertEquals(List.of("vote YES"), link.takeHurriedKinds());
        link.order(EPOCH, new AgentMessage.Prepare(TX, second, 1));
        stock.release();
        assertEquals(List.of("vote YES"), link.takeHurriedKinds());
    }
}
