package io.troth.coordinator.grpc;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.grpc.StatusRuntimeException;
import io.troth.coordinator.engine.SimulatedDecisionLog;
import io.troth.core.BranchList;
import io.troth.core.GlobalTxId;
import io.troth.core.SessionKey;
import io.troth.core.TransactionContext;
import io.troth.proto.v1.AgentOrder;
import io.troth.proto.v1.BeginRequest;
import io.troth.proto.v1.BeginResponse;
import io.troth.proto.v1.CommitRequest;
import io.troth.proto.v1.CommitResponse;
import io.troth.proto.v1.GetOutcomeRequest;
import io.troth.proto.v1.Outcome;
import io.troth.proto.v1.RollbackRequest;
import io.troth.proto.v1.TransactionServiceGrpc;
import java.util.List;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/** Goal: a caller without our library gets whole transactions from unary calls. Method: the real engine, wire agents. */
class TransactionFacadeTest {

    private LiveCoordinator coordinator;
    private WireAgent accounts;
    private WireAgent stock;
    private TransactionServiceGrpc.TransactionServiceBlockingStub facade;

    @BeforeEach
    void start() throws Exception {
        coordinator = new LiveCoordinator();
        accounts = new WireAgent(coordinator.channel, 0xa, "accounts");
        stock = new WireAgent(coordinator.channel, 0xb, "stock");
        facade = TransactionServiceGrpc.newBlockingStub(coordinator.channel);
    }

    @AfterEach
    void stop() throws Exception {
        coordinator.close();
    }

    @Test
    void beginGivesAContextThatServicesUnderstand() {
        BeginResponse begun =
                facade.begin(BeginRequest.newBuilder().setTimeoutMillis(5_000).build());
        TransactionContext context = TransactionContext.parse(begun.getContext());
        assertEquals(begun.getTx(), context.tx().toString());
        assertEquals(begun.getKey(), context.key().reveal());
        assertEquals(LiveCoordinator.CLUSTER, context.cluster());
        assertEquals(5_000, context.remainingMillis());
        assertEquals(60_000, begin().getTimeoutMillis());
        assertEquals(
                3_600_000,
                facade.begin(BeginRequest.newBuilder()
                                .setTimeoutMillis(Long.MAX_VALUE)
                                .build())
                        .getTimeoutMillis());
    }

    @Test
    void commitsTwoBranchesFromListsOfSeveralReplies() {
        BeginResponse begun = begin();
        String first = enlist(accounts, begun);
        String second = enlist(stock, begun);
        CommitRequest commit = commit(begun, first, second);
        CommitResponse response = facade.commit(commit);
        assertEquals(Outcome.OUTCOME_COMMITTED, response.getOutcome());
        assertEquals(response, facade.commit(commit), "a repeated commit hears the same");
        assertEquals(Outcome.OUTCOME_COMMITTED, outcome(begun, first, second));
        assertTrue(accounts.orders().stream().anyMatch(AgentOrder::hasCommitBranch));
    }

    @Test
    void commitsOneBranchInOnePhaseUnlessItIsToldNotTo() {
        BeginResponse begun = begin();
        int forced = coordinator.log.forcedWrites();
        assertEquals(
                Outcome.OUTCOME_COMMITTED,
                facade.commit(commit(begun, enlist(accounts, begun))).getOutcome());
        assertEquals(forced, coordinator.log.forcedWrites());

        BeginResponse certain = begin();
        CommitRequest never = commit(certain, enlist(accounts, certain)).toBuilder()
                .setOnePhaseNever(true)
                .build();
        assertEquals(Outcome.OUTCOME_COMMITTED, facade.commit(never).getOutcome());
        assertEquals(forced + 1, coordinator.log.forcedWrites());
    }

    @Test
    void commitOfNothingIsReadOnlyAndNothingCanEnlistAfterwards() {
        BeginResponse begun = begin();
        assertEquals(Outcome.OUTCOME_READ_ONLY, facade.commit(commit(begun)).getOutcome());
        assertEquals(Outcome.OUTCOME_READ_ONLY, facade.commit(commit(begun)).getOutcome());
        CommitRequest foreign = commit(begun).toBuilder().setKey("0".repeat(32)).build();
        assertThrows(StatusRuntimeException.class, () -> facade.commit(foreign));
        enlist(accounts, begun);
        Edge.until(() -> accounts.orders().stream().anyMatch(AgentOrder::hasEnlistRefused));
    }

    @Test
    void commitWithoutTheListOfAnEnlistedBranchRollsBack() {
        BeginResponse begun = begin();
        enlist(accounts, begun);
        Edge.until(() -> find(begun));
        CommitResponse response = facade.commit(commit(begun));
        assertEquals(Outcome.OUTCOME_ROLLED_BACK, response.getOutcome());
        assertEquals("BRANCH_NOT_LISTED", response.getReason().getCode());
        Edge.until(() -> accounts.orders().stream().anyMatch(AgentOrder::hasRollbackBranch));
    }

    @Test
    void aListThatSaysRollbackOnlyRollsBack() {
        BeginResponse begun = begin();
        String list = enlist(accounts, begun);
        CommitResponse response = facade.commit(commit(begun, list, new BranchList(true, List.of()).encode()));
        assertEquals(Outcome.OUTCOME_ROLLED_BACK, response.getOutcome());
        assertEquals("ROLLBACK_ONLY", response.getReason().getCode());
    }

    @Test
    void rollsBackAndSaysSoEverAfter() {
        BeginResponse begun = begin();
        String list = enlist(accounts, begun);
        RollbackRequest rollback = RollbackRequest.newBuilder()
                .setTx(begun.getTx())
                .setKey(begun.getKey())
                .build();
        assertEquals(Outcome.OUTCOME_ROLLED_BACK, facade.rollback(rollback).getOutcome());
        assertEquals(Outcome.OUTCOME_ROLLED_BACK, facade.rollback(rollback).getOutcome());
        assertEquals(
                Outcome.OUTCOME_ROLLED_BACK, facade.commit(commit(begun, list)).getOutcome());
        assertEquals(Outcome.OUTCOME_ROLLED_BACK, outcome(begun));
    }

    @Test
    void atTheDeadlineTheSessionIsClosedAndItsWorkRolledBack() {
        BeginResponse begun =
                facade.begin(BeginRequest.newBuilder().setTimeoutMillis(200).build());
        enlist(accounts, begun);
        // On a slow machine the enlist comes too late: then it is refused, for the same reason.
        Edge.until(() ->
                accounts.orders().stream().anyMatch(order -> order.hasSessionClosed() || order.hasEnlistRefused()));
        assertEquals(
                Outcome.OUTCOME_ROLLED_BACK,
                facade.commit(commit(begun, enlist(stock, begun), enlist(stock, begun)))
                        .getOutcome());
    }

    @Test
    void badInputIsNamedAndChangesNothing() {
        BeginResponse begun = begin();
        String list = enlist(accounts, begun);
        assertEquals("INVALID_ARGUMENT INVALID_ARGUMENT", refusal(commit(begun, "1;x;")));
        assertEquals("INVALID_ARGUMENT INVALID_ARGUMENT", refusal(commit(begun, "2;;")));
        assertEquals(
                "INVALID_ARGUMENT INVALID_ARGUMENT",
                refusal(commit(begun, list).toBuilder().setTx("1.2.3").build()));
        assertEquals(
                "INVALID_ARGUMENT INVALID_ARGUMENT",
                refusal(commit(begun, list).toBuilder().setKey("0").build()));
        assertEquals(
                "PERMISSION_DENIED WRONG_SESSION_KEY",
                refusal(commit(begun, list).toBuilder()
                        .setKey(new SessionKey(1, 2).reveal())
                        .build()));
        StringBuilder many = new StringBuilder("1;;");
        for (int i = 1; i <= WireLimits.DEFAULTS.branchesPerTransactionMax() + 1; i++) {
            many.append(i == 1 ? "" : ",")
                    .append(new io.troth.core.BranchId(9, i))
                    .append(":r:1");
        }
        assertEquals("RESOURCE_EXHAUSTED LIMIT_EXCEEDED", refusal(commit(begun, many.toString())));
        StatusRuntimeException name = assertThrows(
                StatusRuntimeException.class,
                () -> facade.begin(
                        BeginRequest.newBuilder().setName("x".repeat(256)).build()));
        assertEquals("INVALID_ARGUMENT INVALID_ARGUMENT", text(name));
        assertEquals(
                Outcome.OUTCOME_COMMITTED, facade.commit(commit(begun, list)).getOutcome());
    }

    @Test
    void tooManyOpenTransactionsAreRefused() throws Exception {
        WireLimits d = WireLimits.DEFAULTS;
        WireLimits two = new WireLimits(
                d.batchBytesMax(),
                d.entryBytesMax(),
                d.entriesPerBatchMax(),
                d.branchesPerTransactionMax(),
                d.metadataBytesMax(),
                d.clientStreamsMax(),
                d.agentStreamsMax(),
                2,
                d.unsentEntriesMax(),
                d.unsteppedBytesMax());
        try (LiveCoordinator small = new LiveCoordinator(
                new SimulatedDecisionLog(LiveCoordinator.CLUSTER),
                GrpcSettings.loopback(0).withLimits(two))) {
            Edge.until(() -> small.notReady() == null);
            TransactionServiceGrpc.TransactionServiceBlockingStub stub =
                    TransactionServiceGrpc.newBlockingStub(small.channel);
            stub.begin(BeginRequest.getDefaultInstance());
            stub.begin(BeginRequest.getDefaultInstance());
            StatusRuntimeException refused =
                    assertThrows(StatusRuntimeException.class, () -> stub.begin(BeginRequest.getDefaultInstance()));
            assertEquals("RESOURCE_EXHAUSTED OVERLOADED", text(refused));
        }
    }

    private BeginResponse begin() {
        return facade.begin(BeginRequest.getDefaultInstance());
    }

    private boolean find(BeginResponse begun) {
        return coordinator
                .engine
                .look(machine -> machine.find(GlobalTxId.parse(begun.getTx())) != null)
                .join();
    }

    private static String enlist(WireAgent agent, BeginResponse begun) {
        return new BranchList(false, List.of(agent.enlist(begun))).encode();
    }

    private static CommitRequest commit(BeginResponse begun, String... lists) {
        return CommitRequest.newBuilder()
                .setTx(begun.getTx())
                .setKey(begun.getKey())
                .addAllBranches(List.of(lists))
                .build();
    }

    private Outcome outcome(BeginResponse begun, String... lists) {
        return facade.getOutcome(GetOutcomeRequest.newBuilder()
                        .setTx(begun.getTx())
                        .addAllBranches(List.of(lists))
                        .build())
                .getOutcome();
    }

    private String refusal(CommitRequest request) {
        return text(assertThrows(StatusRuntimeException.class, () -> facade.commit(request)));
    }

    private static String text(StatusRuntimeException refused) {
        return refused.getStatus().getCode() + " "
                + (refused.getTrailers() == null ? null : refused.getTrailers().get(Statuses.REASON));
    }
}
