package io.troth.coordinator.grpc;

import static org.junit.jupiter.api.Assertions.assertEquals;

import com.google.protobuf.TextFormat;
import io.troth.core.BranchId;
import io.troth.core.ClusterId;
import io.troth.core.EpochId;
import io.troth.core.ErrorCode;
import io.troth.core.GlobalTxId;
import io.troth.core.Outcome;
import io.troth.core.Proof;
import io.troth.core.Reason;
import io.troth.core.SessionKey;
import io.troth.core.coordinator.AgentMessage;
import io.troth.core.coordinator.ClientMessage;
import io.troth.proto.v1.AgentOrder;
import io.troth.proto.v1.AgentStreamResponse;
import io.troth.proto.v1.ClientReply;
import io.troth.proto.v1.ClientStreamResponse;
import java.util.List;
import org.junit.jupiter.api.Test;

/**
 * Goal: what the core says reaches its peer whole. Method: every message with another value in each field, beside what
 * it is on the wire, as text.
 */
class WireWriterTest {

    private static final String EPOCH = "epoch { number: 2 nonce: 3 } ";
    private static final String TX = "tx { shard: 1 epoch: 2 nonce: 3 session: 4 sequence: 5 } ";
    private static final String BRANCH = "branch { instance: 6 counter: 7 } ";
    private static final String OF = TX + BRANCH;
    private static final String REASON = "reason { code: 'STATEMENT_FAILED' detail: 'why' } ";

    private static final EpochId EPOCH_ID = new EpochId(2, 3);
    private static final GlobalTxId ID = new GlobalTxId(1, EPOCH_ID, 4, 5);
    private static final BranchId BRANCH_ID = new BranchId(6, 7);
    private static final Reason WHY = new Reason(ErrorCode.STATEMENT_FAILED, "why");
    private static final Proof PROOF = Proof.of(new byte[] {11, 12});

    private final WireWriter writer = new WireWriter(new ClusterId(99), 1);

    private void says(String expected, AgentMessage message) throws TextFormat.ParseException {
        assertEquals(TextFormat.parse(expected, AgentOrder.class), writer.order(message));
    }

    private void says(String expected, ClientMessage message) throws TextFormat.ParseException {
        assertEquals(TextFormat.parse(expected, ClientReply.class), writer.reply(message));
    }

    @Test
    void ordersBeforeTheDecision() throws Exception {
        says("welcome { cluster_id: 99 shard: 1 " + EPOCH + "}", new AgentMessage.Welcome(EPOCH_ID));
        says("enlist_refused { " + OF + REASON + "}", new AgentMessage.EnlistRefused(ID, BRANCH_ID, WHY));
        says("prepare { " + OF + "calls: 10 }", new AgentMessage.Prepare(ID, BRANCH_ID, 10));
        says("commit_one_phase { " + OF + "calls: 10 }", new AgentMessage.CommitOnePhase(ID, BRANCH_ID, 10));
        says("ask_one_phase { " + OF + "}", new AgentMessage.AskOnePhase(ID, BRANCH_ID));
        says("session_closed { " + EPOCH + "session: 4 }", new AgentMessage.SessionClosed(EPOCH_ID, 4));
    }

    @Test
    void decisions() throws Exception {
        String at = OF + "resource: 'stock' ";
        says(
                "commit_branch { " + at + "proof: '\\013\\014' first_attempt: true }",
                new AgentMessage.CommitBranch(ID, BRANCH_ID, "stock", PROOF, true, false));
        says(
                "commit_branch { " + at + "forced: true }",
                new AgentMessage.CommitBranch(ID, BRANCH_ID, "stock", null, false, true));
        says("rollback_branch { " + at + "}", new AgentMessage.RollbackBranch(ID, BRANCH_ID, "stock", false));
        says(
                "rollback_branch { " + at + "forced: true }",
                new AgentMessage.RollbackBranch(ID, BRANCH_ID, "stock", true));
        says("ask_fate { " + at + "proof: '\\013\\014' }", new AgentMessage.AskFate(ID, BRANCH_ID, "stock", PROOF));
    }

    @Test
    void everyOutcomeIsItself() throws Exception {
        for (Outcome outcome : Outcome.values()) {
            says(
                    "inquiry_answer { " + OF + "outcome: OUTCOME_" + outcome + " }",
                    new AgentMessage.InquiryAnswer(ID, BRANCH_ID, outcome));
            says(
                    "correlation_id: 21 transaction_answer { " + TX + "outcome: OUTCOME_" + outcome + " }",
                    new ClientMessage.Answer(21, ID, outcome, false, null, null));
        }
    }

    @Test
    void replies() throws Exception {
        says(
                "correlation_id: 21 session_opened { session { " + EPOCH + "session: 4 key { high: 8 low: 9 } }"
                        + " max_open: 16 max_age_millis: 17 commits_in_place: true completion_limit_millis: 18 }",
                new ClientMessage.SessionOpened(21, EPOCH_ID, 4, new SessionKey(8, 9), 16, 17, true, 18));
        says("accepting { accepting: true " + REASON + "}", new ClientMessage.Accepting(true, WHY));
        says("accepting { " + REASON + "}", new ClientMessage.Accepting(false, WHY));
        says(
                "correlation_id: 21 transaction_answer { " + TX + "outcome: OUTCOME_COMMITTED completing: true }",
                new ClientMessage.Answer(21, ID, Outcome.COMMITTED, true, null, null));
        says(
                "correlation_id: 21 transaction_answer { " + OF + "outcome: OUTCOME_ROLLED_BACK " + REASON + "}",
                new ClientMessage.Answer(21, ID, Outcome.ROLLED_BACK, false, BRANCH_ID, WHY));
        says(
                "correlation_id: 21 refused { code: 'STATEMENT_FAILED' detail: 'why' }",
                new ClientMessage.Refused(21, WHY));
        assertEquals(
                TextFormat.parse("coordinator_state { cluster_id: 99 shard: 1 " + EPOCH + "}", ClientReply.class),
                writer.state(EPOCH_ID));
    }

    /** Only who is ready says its epoch: whoever hears one believes in it (protocol 3). */
    @Test
    void frames() throws Exception {
        assertEquals(
                TextFormat.parse(EPOCH + "durable_batch: 18", AgentStreamResponse.class),
                WireWriter.agentFrame(new Head(EPOCH_ID, 18), List.of()));
        assertEquals(
                TextFormat.parse(EPOCH + "durable_batch: 18", ClientStreamResponse.class),
                WireWriter.clientFrame(new Head(EPOCH_ID, 18), List.of()));
        assertEquals(AgentStreamResponse.getDefaultInstance(), WireWriter.agentFrame(Head.NOT_READY, List.of()));
        assertEquals(ClientStreamResponse.getDefaultInstance(), WireWriter.clientFrame(Head.NOT_READY, List.of()));
    }
}
