package io.troth.coordinator.grpc;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertInstanceOf;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.grpc.StatusRuntimeException;
import io.troth.coordinator.engine.EngineInbox;
import io.troth.coordinator.engine.SimulatedDecisionLog;
import io.troth.core.BranchId;
import io.troth.core.BranchList;
import io.troth.core.BranchWork;
import io.troth.core.ErrorCode;
import io.troth.core.GlobalTxId;
import io.troth.core.Reason;
import io.troth.core.SessionKey;
import io.troth.core.TransactionContext;
import io.troth.core.coordinator.ClientMessage;
import io.troth.core.coordinator.CoordinatorLimits;
import io.troth.core.coordinator.Event;
import io.troth.core.coordinator.RequestId;
import io.troth.proto.v1.AgentOrder;
import io.troth.proto.v1.BeginRequest;
import io.troth.proto.v1.BeginResponse;
import io.troth.proto.v1.CommitRequest;
import io.troth.proto.v1.CommitResponse;
import io.troth.proto.v1.GetOutcomeRequest;
import io.troth.proto.v1.Outcome;
import io.troth.proto.v1.RollbackRequest;
import io.troth.proto.v1.RollbackResponse;
import io.troth.proto.v1.TransactionServiceGrpc;
import java.lang.ref.WeakReference;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;
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
        String rollbackOnly = new BranchList(true, List.of()).encode();
        for (boolean last : new boolean[] {true, false}) {
            BeginResponse begun = begin();
            String list = enlist(accounts, begun);
            CommitResponse response =
                    facade.commit(last ? commit(begun, list, rollbackOnly) : commit(begun, rollbackOnly, list));
            assertEquals(Outcome.OUTCOME_ROLLED_BACK, response.getOutcome());
            assertEquals("ROLLBACK_ONLY", response.getReason().getCode());
        }
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
        assertEquals(
                Outcome.OUTCOME_ROLLED_BACK,
                facade.commit(commit(begun)).getOutcome(),
                "also to who commits it without any list");
        assertEquals(Outcome.OUTCOME_ROLLED_BACK, outcome(begun));
    }

    @Test
    void aRollbackSaysWhyItWasRolledBackBefore() {
        BeginResponse begun = begin();
        enlist(accounts, begun);
        Edge.until(() -> find(begun));
        facade.commit(commit(begun));
        RollbackResponse response = facade.rollback(RollbackRequest.newBuilder()
                .setTx(begun.getTx())
                .setKey(begun.getKey())
                .build());
        assertEquals(Outcome.OUTCOME_ROLLED_BACK, response.getOutcome());
        assertEquals("BRANCH_NOT_LISTED", response.getReason().getCode());
    }

    @Test
    void whoOnlyLooksAtATransactionDoesNotEndIt() {
        BeginResponse begun = begin();
        assertEquals(Outcome.OUTCOME_PENDING, outcome(begun));
        String list = enlist(accounts, begun);
        assertEquals(Outcome.OUTCOME_PENDING, outcome(begun));
        assertEquals(
                Outcome.OUTCOME_COMMITTED, facade.commit(commit(begun, list)).getOutcome());
        assertEquals(Outcome.OUTCOME_COMMITTED, outcome(begun));

        BeginResponse nothing = begin();
        facade.commit(commit(nothing));
        assertEquals(Outcome.OUTCOME_ROLLED_BACK, outcome(nothing));
    }

    @Test
    void atTheDeadlineItIsRolledBackAndSaysSo() {
        BeginResponse begun =
                facade.begin(BeginRequest.newBuilder().setTimeoutMillis(200).build());
        String list = enlist(accounts, begun);
        // On a slow machine the enlist comes too late: then it is refused, for the same reason.
        Edge.until(() ->
                accounts.orders().stream().anyMatch(order -> order.hasRollbackBranch() || order.hasEnlistRefused()));
        Edge.until(() -> outcome(begun) == Outcome.OUTCOME_ROLLED_BACK);
        CommitResponse late = facade.commit(commit(begun, list, enlist(stock, begun)));
        assertEquals(Outcome.OUTCOME_ROLLED_BACK, late.getOutcome());
        assertEquals("DEADLINE_EXCEEDED", late.getReason().getCode());
        assertEquals(
                Outcome.OUTCOME_ROLLED_BACK,
                facade.rollback(RollbackRequest.newBuilder()
                                .setTx(begun.getTx())
                                .setKey(begun.getKey())
                                .build())
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
        assertEquals("RESOURCE_EXHAUSTED LIMIT_EXCEEDED", refusal(commit(begun, many(BranchList.BRANCHES_MAX + 1))));
        StatusRuntimeException name = assertThrows(
                StatusRuntimeException.class,
                () -> facade.begin(
                        BeginRequest.newBuilder().setName("x".repeat(256)).build()));
        assertEquals("INVALID_ARGUMENT INVALID_ARGUMENT", text(name));
        assertEquals(
                Outcome.OUTCOME_COMMITTED, facade.commit(commit(begun, list)).getOutcome());
    }

    @Test
    void aCommitOfMoreBranchesThanAreAllowedIsRolledBack() {
        int allowed = CoordinatorLimits.DEFAULTS.branchesPerTransactionMax();
        for (int branches : new int[] {allowed + 1, BranchList.BRANCHES_MAX}) {
            BeginResponse begun = begin();
            CommitResponse response = facade.commit(commit(begun, many(branches)));
            assertEquals(Outcome.OUTCOME_ROLLED_BACK, response.getOutcome());
            assertEquals("LIMIT_EXCEEDED", response.getReason().getCode());
            assertEquals(Outcome.OUTCOME_ROLLED_BACK, outcome(begun, many(branches)));
            assertEquals(Outcome.OUTCOME_ROLLED_BACK, outcome(begin(), many(branches)), "its commit never came");
        }
    }

    @Test
    void aRequestLargerThanAllowedIsRefused() {
        BeginResponse begun = begin();
        String list = enlist(accounts, begun);
        CommitRequest large = commit(begun, list).toBuilder()
                .addAllBranches(Collections.nCopies(WireLimits.DEFAULTS.entryBytesMax() / 5, "1;;"))
                .build();
        assertEquals("RESOURCE_EXHAUSTED LIMIT_EXCEEDED", refusal(large));
        CommitRequest allowed = commit(begun, list).toBuilder()
                .addAllBranches(Collections.nCopies(WireLimits.DEFAULTS.entryBytesMax() / 5 - 100, "1;;"))
                .build();
        assertEquals(Outcome.OUTCOME_COMMITTED, facade.commit(allowed).getOutcome());
    }

    private static String many(int branches) {
        List<BranchWork> all = new ArrayList<>();
        for (int i = 1; i <= branches; i++) {
            all.add(new BranchWork(new BranchId(9, i), "r", 1));
        }
        return new BranchList(false, all).encode();
    }

    @Test
    void tooManyOpenTransactionsAreRefused() throws Exception {
        try (LiveCoordinator small = new LiveCoordinator(
                new SimulatedDecisionLog(), GrpcSettings.loopback(0).withLimits(two()))) {
            Edge.until(() -> small.notReady() == null);
            TransactionServiceGrpc.TransactionServiceBlockingStub stub =
                    TransactionServiceGrpc.newBlockingStub(small.channel);
            stub.begin(BeginRequest.getDefaultInstance());
            stub.begin(BeginRequest.newBuilder().setTimeoutMillis(50).build());
            Edge.until(() -> begins(stub));
            StatusRuntimeException refused =
                    assertThrows(StatusRuntimeException.class, () -> stub.begin(BeginRequest.getDefaultInstance()));
            assertEquals("RESOURCE_EXHAUSTED OVERLOADED", text(refused));
        }
    }

    @Test
    void whatHasEndedTakesNobodysPlace() throws Exception {
        try (LiveCoordinator small = new LiveCoordinator(
                new SimulatedDecisionLog(), GrpcSettings.loopback(0).withLimits(two()))) {
            Edge.until(() -> small.notReady() == null);
            TransactionServiceGrpc.TransactionServiceBlockingStub stub =
                    TransactionServiceGrpc.newBlockingStub(small.channel);
            BeginResponse open = stub.begin(BeginRequest.getDefaultInstance());
            for (int i = 0; i < 5; i++) {
                BeginResponse ended = stub.begin(BeginRequest.getDefaultInstance());
                assertEquals(
                        Outcome.OUTCOME_READ_ONLY, stub.commit(commit(ended)).getOutcome());
                assertEquals(
                        Outcome.OUTCOME_READ_ONLY, stub.commit(commit(ended)).getOutcome(), "a repeated commit");
            }
            assertEquals(Outcome.OUTCOME_READ_ONLY, stub.commit(commit(open)).getOutcome(), "it was never closed");
        }
    }

    /** It left no record, so absence is no rollback: its agent is asked (protocol 8.3). */
    @Test
    void whatWasCommittedInOnePhaseIsNotForgottenWithItsSession() throws Exception {
        try (LiveCoordinator small = new LiveCoordinator(
                new SimulatedDecisionLog(), GrpcSettings.loopback(0).withLimits(two()))) {
            Edge.until(() -> small.notReady() == null);
            TransactionServiceGrpc.TransactionServiceBlockingStub stub =
                    TransactionServiceGrpc.newBlockingStub(small.channel);
            WireAgent agent = new WireAgent(small.channel, 0xc, "accounts");
            BeginResponse begun = stub.begin(BeginRequest.getDefaultInstance());
            String list = enlist(agent, begun);
            assertEquals(
                    Outcome.OUTCOME_COMMITTED, stub.commit(commit(begun, list)).getOutcome());
            for (int i = 0; i < 2; i++) {
                stub.commit(commit(stub.begin(BeginRequest.getDefaultInstance())));
            }
            GetOutcomeRequest question = GetOutcomeRequest.newBuilder()
                    .setTx(begun.getTx())
                    .addBranches(list)
                    .build();
            assertEquals(Outcome.OUTCOME_COMMITTED, stub.getOutcome(question).getOutcome());
            assertTrue(agent.orders().stream().anyMatch(AgentOrder::hasAskOnePhase), "nobody else can know");
        }
    }

    @Test
    void whatIsBeingBegunHasItsPlaceAndGivesItBackWhenItFails() throws Exception {
        try (Edge edge = new Edge(two())) {
            edge.ready();
            TransactionServiceGrpc.TransactionServiceFutureStub stub =
                    TransactionServiceGrpc.newFutureStub(edge.channel);
            var first = stub.begin(BeginRequest.getDefaultInstance());
            var second = stub.begin(BeginRequest.getDefaultInstance());
            Edge.until(() -> edge.inbox.events(Event.OpenSession.class).size() == 2);
            var third = stub.begin(BeginRequest.getDefaultInstance());
            assertEquals("RESOURCE_EXHAUSTED OVERLOADED", text(failure(third)));

            RequestId refused =
                    edge.inbox.events(Event.OpenSession.class).get(0).request();
            edge.gateway.sendToClient(
                    refused.stream(),
                    new ClientMessage.Refused(refused.correlation(), Reason.of(ErrorCode.OVERLOADED)));
            edge.gateway.flush(Edge.EPOCH, 1);
            assertEquals("RESOURCE_EXHAUSTED OVERLOADED", text(failure(first)));
            var fourth = stub.begin(BeginRequest.getDefaultInstance());
            Edge.until(() -> edge.inbox.events(Event.OpenSession.class).size() == 3);
            assertFalse(second.isDone() || fourth.isDone());
        }
    }

    @Test
    void nothingIsKeptOfALeadershipThatIsOver() throws Exception {
        try (Edge edge = new Edge()) {
            Redirect over = Redirect.nowhere(Reason.of(ErrorCode.NOT_LEADER));
            edge.server.refuse(over);
            WeakReference<EngineInbox> inbox = beginForAnHour(edge);
            edge.server.refuse(over);
            Edge.until(() -> {
                System.gc();
                return inbox.refersTo(null);
            });
        }
    }

    /** In a method of its own, so that nothing of it is left on the stack. */
    private static WeakReference<EngineInbox> beginForAnHour(Edge edge) throws Exception {
        SimulatedInbox inbox = new SimulatedInbox();
        GrpcStreamGateway gateway = new GrpcStreamGateway(Edge.CLUSTER, 0);
        edge.server.serve(inbox, gateway);
        var begun = TransactionServiceGrpc.newFutureStub(edge.channel)
                .begin(BeginRequest.newBuilder().setTimeoutMillis(3_600_000).build());
        Edge.until(() -> inbox.batches() == 1);
        RequestId request = inbox.events(Event.OpenSession.class).get(0).request();
        gateway.sendToClient(
                request.stream(),
                new ClientMessage.SessionOpened(
                        request.correlation(), Edge.EPOCH, 1, new SessionKey(7, 8), 1_000, 3_600_000, false, 1_000));
        gateway.flush(Edge.EPOCH, 1);
        begun.get(60, TimeUnit.SECONDS);
        return new WeakReference<>(inbox);
    }

    private static WireLimits two() {
        WireLimits d = WireLimits.DEFAULTS;
        return new WireLimits(
                d.batchBytesMax(),
                d.entryBytesMax(),
                d.entriesPerBatchMax(),
                d.metadataBytesMax(),
                d.clientStreamsMax(),
                d.agentStreamsMax(),
                2,
                d.unsentEntriesMax(),
                d.unsteppedBytesMax());
    }

    private static boolean begins(TransactionServiceGrpc.TransactionServiceBlockingStub stub) {
        try {
            var unused = stub.begin(BeginRequest.getDefaultInstance());
            return true;
        } catch (StatusRuntimeException e) {
            return false;
        }
    }

    private static StatusRuntimeException failure(Future<?> call) {
        ExecutionException failed = assertThrows(ExecutionException.class, () -> call.get(60, TimeUnit.SECONDS));
        return assertInstanceOf(StatusRuntimeException.class, failed.getCause());
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
