package io.troth.agent.grpc;

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
import io.troth.core.Vote;
import io.troth.core.coordinator.AgentHello;
import io.troth.core.coordinator.AgentMessage;
import io.troth.core.coordinator.Fate;
import io.troth.core.coordinator.OnePhaseFate;
import io.troth.core.coordinator.PhaseTwoResult;
import io.troth.core.participant.CoordinatorMessage;
import io.troth.proto.v1.AgentEntry;
import io.troth.proto.v1.AgentOrder;
import java.util.List;
import org.junit.jupiter.api.Test;

/**
 * Goal: what agent and coordinator say to each other arrives whole; a field that is lost on the way is another vote, or a
 * decision on another branch. Method: every message with another value in each field, beside what it is on the wire, as
 * text.
 */
class WireCodecTest {

    private static final String EPOCH = "epoch { number: 2 nonce: 3 } ";
    private static final String TX = "tx { shard: 1 epoch: 2 nonce: 3 session: 4 sequence: 5 } ";
    private static final String OF = TX + "branch { instance: 6 counter: 7 } ";
    private static final String REASON = "reason { code: 'STATEMENT_FAILED' detail: 'why' } ";
    private static final String BYTES = "proof: '\\013\\014' ";

    private static final EpochId EPOCH_ID = new EpochId(2, 3);
    private static final GlobalTxId ID = new GlobalTxId(1, EPOCH_ID, 4, 5);
    private static final BranchId BRANCH = new BranchId(6, 7);
    private static final Reason WHY = new Reason(ErrorCode.STATEMENT_FAILED, "why");
    private static final Proof PROOF = Proof.of(new byte[] {11, 12});

    private static void says(String expected, CoordinatorMessage message) throws TextFormat.ParseException {
        assertEquals(TextFormat.parse(expected, AgentEntry.class), WireCodec.entry(message));
    }

    private static void hears(AgentMessage expected, String order) throws TextFormat.ParseException {
        assertEquals(expected, WireCodec.message(TextFormat.parse(order, AgentOrder.class)));
    }

    @Test
    void hello() throws Exception {
        AgentHello.AgentResource stock =
                new AgentHello.AgentResource("stock", "postgresql", "system=1", "troth", "host:7710");
        AgentHello.AgentResource silent = new AgentHello.AgentResource("bank", "h2", "id=2", "sa", null);
        assertEquals(
                TextFormat.parse(
                        "hello { instance: 6 cluster_id: 99 highest_epoch { number: 2 nonce: 3 } highest_batch: 15"
                                + " resources { name: 'stock' kind: 'postgresql' identity: 'system=1' role: 'troth'"
                                + " sql_address: 'host:7710' }"
                                + " resources { name: 'bank' kind: 'h2' identity: 'id=2' role: 'sa' } }",
                        AgentEntry.class),
                WireCodec.hello(new AgentHello(6, EPOCH_ID, 15, List.of(stock, silent)), new ClusterId(99)));
        assertEquals(
                TextFormat.parse("hello { instance: 6 }", AgentEntry.class),
                WireCodec.hello(new AgentHello(6, null, 0, List.of()), null));
    }

    @Test
    void enlistAndVotes() throws Exception {
        says(
                "enlist { " + OF + "key { high: 8 low: 9 } resource: 'stock' remaining_millis: 14 }",
                new CoordinatorMessage.Enlist(ID, new SessionKey(8, 9), BRANCH, "stock", 14));
        for (Vote vote : Vote.values()) {
            says(
                    "vote { " + OF + "vote: VOTE_" + vote + " " + BYTES + "}",
                    new CoordinatorMessage.BranchVote(ID, BRANCH, vote, PROOF, null));
            says(
                    "vote { " + OF + "vote: VOTE_" + vote + " " + REASON + "}",
                    new CoordinatorMessage.BranchVote(ID, BRANCH, vote, null, WHY));
        }
    }

    @Test
    void results() throws Exception {
        says("one_phase_proof { " + OF + BYTES + "}", new CoordinatorMessage.OnePhaseProof(ID, BRANCH, PROOF));
        for (OnePhaseFate fate : OnePhaseFate.values()) {
            String at = "one_phase_result { " + OF + "fate: ONE_PHASE_FATE_" + fate + " ";
            says(at + "}", new CoordinatorMessage.OnePhaseResult(ID, BRANCH, fate, null));
            says(at + REASON + "}", new CoordinatorMessage.OnePhaseResult(ID, BRANCH, fate, WHY));
        }
        for (PhaseTwoResult result : PhaseTwoResult.values()) {
            says(
                    "branch_done { " + OF + "result: PHASE_TWO_RESULT_" + result + " detail: 'how' }",
                    new CoordinatorMessage.BranchDone(ID, BRANCH, result, "how"));
        }
    }

    @Test
    void recovery() throws Exception {
        says(
                "branch_inquiry { " + OF + "resource: 'stock' }",
                new CoordinatorMessage.BranchInquiry(ID, BRANCH, "stock"));
        for (Fate fate : Fate.values()) {
            says(
                    "fate_report { " + OF + "fate: FATE_" + fate + " }",
                    new CoordinatorMessage.FateReport(ID, BRANCH, fate));
        }
        says(
                "scan_report { resource: 'stock' lowest_epoch { number: 2 nonce: 3 } lowest_session: 4 }",
                new CoordinatorMessage.ScanReport("stock", EPOCH_ID, 4));
        says("scan_report { resource: 'stock' }", new CoordinatorMessage.ScanReport("stock", null, 0));
    }

    @Test
    void ordersBeforeTheDecision() throws Exception {
        hears(new AgentMessage.Welcome(EPOCH_ID), "welcome { cluster_id: 99 shard: 1 " + EPOCH + "}");
        hears(new AgentMessage.EnlistRefused(ID, BRANCH, WHY), "enlist_refused { " + OF + REASON + "}");
        hears(new AgentMessage.Prepare(ID, BRANCH, 10), "prepare { " + OF + "calls: 10 }");
        hears(new AgentMessage.CommitOnePhase(ID, BRANCH, 10), "commit_one_phase { " + OF + "calls: 10 }");
        hears(new AgentMessage.AskOnePhase(ID, BRANCH), "ask_one_phase { " + OF + "}");
        hears(new AgentMessage.SessionClosed(EPOCH_ID, 4), "session_closed { " + EPOCH + "session: 4 }");
    }

    @Test
    void decisions() throws Exception {
        String at = OF + "resource: 'stock' ";
        hears(
                new AgentMessage.CommitBranch(ID, BRANCH, "stock", PROOF, true, false),
                "commit_branch { " + at + BYTES + "first_attempt: true }");
        hears(
                new AgentMessage.CommitBranch(ID, BRANCH, "stock", null, false, true),
                "commit_branch { " + at + "forced: true }");
        hears(new AgentMessage.RollbackBranch(ID, BRANCH, "stock", false), "rollback_branch { " + at + "}");
        hears(new AgentMessage.RollbackBranch(ID, BRANCH, "stock", true), "rollback_branch { " + at + "forced: true }");
        hears(new AgentMessage.AskFate(ID, BRANCH, "stock", PROOF), "ask_fate { " + at + BYTES + "}");
    }

    /** Decisions are orders of their own: an answer to an inquiry never ends a branch. */
    @Test
    void answersToAnInquiryLeaveTheBranchAlone() throws Exception {
        for (Outcome outcome : Outcome.values()) {
            boolean known = outcome == Outcome.PENDING || outcome == Outcome.FORGOTTEN;
            hears(
                    new AgentMessage.InquiryAnswer(ID, BRANCH, known ? outcome : Outcome.UNKNOWN),
                    "inquiry_answer { " + OF + "outcome: OUTCOME_" + outcome + " }");
        }
    }
}
