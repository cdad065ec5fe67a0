package io.troth.coordinator.grpc;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertInstanceOf;

import com.google.protobuf.TextFormat;
import io.troth.core.BranchId;
import io.troth.core.BranchWork;
import io.troth.core.EpochId;
import io.troth.core.ErrorCode;
import io.troth.core.GlobalTxId;
import io.troth.core.Proof;
import io.troth.core.Reason;
import io.troth.core.SessionKey;
import io.troth.core.Vote;
import io.troth.core.coordinator.AgentHello;
import io.troth.core.coordinator.CommitContent;
import io.troth.core.coordinator.Event;
import io.troth.core.coordinator.Event.CommitRequested.BranchVote;
import io.troth.core.coordinator.Fate;
import io.troth.core.coordinator.OnePhaseFate;
import io.troth.core.coordinator.PhaseTwoResult;
import io.troth.core.coordinator.RequestId;
import io.troth.core.coordinator.StreamId;
import io.troth.proto.v1.AgentEntry;
import io.troth.proto.v1.ClientEntry;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/**
 * Goal: what a peer says reaches the core whole; a field that is lost on the way is another transaction, another vote or
 * another content of a commit. Method: every entry with another value in each field, as text, beside its event.
 */
class WireReaderTest {

    private static final String TX = "tx { shard: 1 epoch: 2 nonce: 3 session: 4 sequence: 5 } ";
    private static final String BRANCH = "branch { instance: 6 counter: 7 } ";
    private static final String KEY = "key { high: 8 low: 9 } ";
    private static final String SESSION = "session { epoch { number: 2 nonce: 3 } session: 4 " + KEY + "} ";
    private static final String WORK = "branches { " + BRANCH + "resource: 'stock' calls: 10 } ";
    private static final String REASON = "reason { code: 'STATEMENT_FAILED' detail: 'why' } ";

    private static final StreamId STREAM = new StreamId(20);
    private static final RequestId REQUEST = new RequestId(STREAM, 21);
    private static final EpochId EPOCH = new EpochId(2, 3);
    private static final GlobalTxId ID = new GlobalTxId(1, EPOCH, 4, 5);
    private static final BranchId BRANCH_ID = new BranchId(6, 7);
    private static final SessionKey SESSION_KEY = new SessionKey(8, 9);
    private static final List<BranchWork> WORKS = List.of(new BranchWork(BRANCH_ID, "stock", 10));
    private static final Reason WHY = new Reason(ErrorCode.STATEMENT_FAILED, "why");
    private static final Proof PROOF = Proof.of(new byte[] {11, 12});

    private final SessionKey drawn = new SessionKey(30, 31);
    private final WireReader reader = new WireReader(() -> drawn);

    private Event client(String entry) throws TextFormat.ParseException {
        return assertInstanceOf(
                Event.class, reader.event(STREAM, TextFormat.parse("correlation_id: 21 " + entry, ClientEntry.class)));
    }

    private Event agent(String entry) throws TextFormat.ParseException {
        return assertInstanceOf(Event.class, reader.event(STREAM, TextFormat.parse(entry, AgentEntry.class)));
    }

    @Test
    void sessions() throws Exception {
        assertEquals(new Event.OpenSession(REQUEST, drawn, "shop"), client("open_session { client_name: 'shop' }"));
        assertEquals(
                new Event.OpenSession(REQUEST, drawn, "shop", true),
                client("open_session { client_name: 'shop' commits_in_place: true }"));
        assertEquals(
                new Event.ResumeSession(REQUEST, EPOCH, 4, SESSION_KEY), client("resume_session { " + SESSION + "}"));
        assertEquals(new Event.CloseSession(STREAM, EPOCH, 4, SESSION_KEY), client("close_session { " + SESSION + "}"));
        assertEquals(
                new Event.Progress(STREAM, EPOCH, 4, SESSION_KEY, 13),
                client("progress { " + SESSION + "lowest_open: 13 }"));
    }

    /** One phase is never what a client has not allowed (protocol 8.4). */
    @ParameterizedTest
    @CsvSource({"true, WAIT_FOR_COMPLETED, true", "false, WAIT_FOR_DECIDED, false"})
    void commit(boolean onePhase, String waitFor, boolean completed) throws Exception {
        assertEquals(
                new Event.CommitRequested(
                        REQUEST, ID, SESSION_KEY, 13, new CommitContent(WORKS, onePhase), completed, 14),
                client("commit { " + TX + KEY + "lowest_open: 13 content { " + WORK + "one_phase_allowed: " + onePhase
                        + " } wait_for: " + waitFor + " remaining_millis: 14 }"));
    }

    @Test
    void commitWithVotes() throws Exception {
        Event.CommitRequested read = (Event.CommitRequested) client("commit { " + TX + KEY + "content { " + WORK
                + " } votes { vote: VOTE_YES proof: 'p' } votes { vote: VOTE_NO " + REASON
                + " } votes { vote: VOTE_READ_ONLY } votes { } votes { vote: 99 } }");
        assertEquals(
                List.of(
                        new BranchVote(Vote.YES, Proof.of(new byte[] {'p'}), null),
                        new BranchVote(Vote.NO, null, WHY),
                        new BranchVote(Vote.READ_ONLY, null, null),
                        new BranchVote(Vote.NO, null, null),
                        new BranchVote(Vote.NO, null, null)),
                read.votes());
    }

    @Test
    void rollback() throws Exception {
        assertEquals(
                new Event.RollbackRequested(REQUEST, ID, SESSION_KEY, 13, WORKS, WHY),
                client("rollback { " + TX + KEY + "lowest_open: 13 " + WORK + REASON + "}"));
        assertEquals(
                new Event.RollbackRequested(
                        REQUEST, ID, SESSION_KEY, 0, List.of(), Reason.of(ErrorCode.ROLLED_BACK_BY_CLIENT)),
                client("rollback { " + TX + KEY + "}"));
    }

    /** Without the content of its commit nobody knows whether T was one that leaves no record (protocol 8.3). */
    @Test
    void outcomeInquiry() throws Exception {
        assertEquals(new Event.OutcomeInquiry(REQUEST, ID, null), client("outcome_inquiry { " + TX + "}"));
        for (boolean onePhase : new boolean[] {true, false}) {
            assertEquals(
                    new Event.OutcomeInquiry(REQUEST, ID, new CommitContent(WORKS, onePhase)),
                    client("outcome_inquiry { " + TX + "content { " + WORK + "one_phase_allowed: " + onePhase
                            + " } }"));
        }
    }

    @Test
    void hello() throws Exception {
        AgentHello.AgentResource stock =
                new AgentHello.AgentResource("stock", "postgresql", "system=1", "troth", "host:7710");
        AgentHello.AgentResource silent = new AgentHello.AgentResource("bank", "h2", "id=2", "sa", null);
        assertEquals(
                new Event.AgentConnected(STREAM, new AgentHello(6, EPOCH, 15, List.of(stock, silent))),
                agent("hello { instance: 6 cluster_id: 1 highest_epoch { number: 2 nonce: 3 } highest_batch: 15"
                        + " resources { name: 'stock' kind: 'postgresql' identity: 'system=1' role: 'troth'"
                        + " sql_address: 'host:7710' }"
                        + " resources { name: 'bank' kind: 'h2' identity: 'id=2' role: 'sa' } }"));
        assertEquals(
                new Event.AgentConnected(STREAM, new AgentHello(6, null, 0, List.of())),
                agent("hello { instance: 6 }"));
    }

    @Test
    void enlist() throws Exception {
        assertEquals(
                new Event.Enlist(STREAM, ID, SESSION_KEY, BRANCH_ID, "stock", 14),
                agent("enlist { " + TX + KEY + BRANCH + "resource: 'stock' remaining_millis: 14 }"));
    }

    @Test
    void votes() throws Exception {
        String of = TX + BRANCH;
        assertEquals(
                new Event.VoteReceived(STREAM, ID, BRANCH_ID, Vote.YES, PROOF, null),
                agent("vote { " + of + "vote: VOTE_YES proof: '\\013\\014' }"));
        assertEquals(
                new Event.VoteReceived(STREAM, ID, BRANCH_ID, Vote.NO, null, WHY),
                agent("vote { " + of + "vote: VOTE_NO " + REASON + "}"));
        assertEquals(
                new Event.VoteReceived(STREAM, ID, BRANCH_ID, Vote.READ_ONLY, null, null),
                agent("vote { " + of + "vote: VOTE_READ_ONLY }"));
    }

    @Test
    void onePhase() throws Exception {
        assertEquals(
                new Event.OnePhaseProof(STREAM, ID, BRANCH_ID, PROOF),
                agent("one_phase_proof { " + TX + BRANCH + "proof: '\\013\\014' }"));
        for (OnePhaseFate fate : OnePhaseFate.values()) {
            assertEquals(
                    new Event.OnePhaseResult(STREAM, ID, BRANCH_ID, fate, WHY),
                    agent("one_phase_result { " + TX + BRANCH + "fate: ONE_PHASE_FATE_" + fate + " " + REASON + "}"));
        }
    }

    @Test
    void phaseTwo() throws Exception {
        for (PhaseTwoResult result : PhaseTwoResult.values()) {
            assertEquals(
                    new Event.BranchDone(STREAM, ID, BRANCH_ID, result, "how"),
                    agent("branch_done { " + TX + BRANCH + "result: PHASE_TWO_RESULT_" + result + " detail: 'how' }"));
        }
    }

    @Test
    void recovery() throws Exception {
        assertEquals(
                new Event.BranchInquiry(STREAM, ID, BRANCH_ID, "stock"),
                agent("branch_inquiry { " + TX + BRANCH + "resource: 'stock' }"));
        for (Fate fate : Fate.values()) {
            assertEquals(
                    new Event.FateReported(STREAM, ID, BRANCH_ID, fate),
                    agent("fate_report { " + TX + BRANCH + "fate: FATE_" + fate + " }"));
        }
        assertEquals(
                new Event.ScanReported(STREAM, "stock", EPOCH, 4),
                agent("scan_report { resource: 'stock' lowest_epoch { number: 2 nonce: 3 } lowest_session: 4 }"));
        assertEquals(new Event.ScanReported(STREAM, "stock", null, 0), agent("scan_report { resource: 'stock' }"));
    }
}
