package io.troth.coordinator.grpc;

import com.google.protobuf.ByteString;
import io.troth.core.BranchId;
import io.troth.core.BranchList;
import io.troth.core.BranchWork;
import io.troth.core.EpochId;
import io.troth.core.ErrorCode;
import io.troth.core.GlobalTxId;
import io.troth.core.Proof;
import io.troth.core.Reason;
import io.troth.core.ResourceName;
import io.troth.core.SessionKey;
import io.troth.core.TrothException;
import io.troth.core.Vote;
import io.troth.core.coordinator.AgentHello;
import io.troth.core.coordinator.CommitContent;
import io.troth.core.coordinator.Event;
import io.troth.core.coordinator.Fate;
import io.troth.core.coordinator.OnePhaseFate;
import io.troth.core.coordinator.PhaseTwoResult;
import io.troth.core.coordinator.RequestId;
import io.troth.core.coordinator.StreamId;
import io.troth.proto.v1.AgentEntry;
import io.troth.proto.v1.ClientEntry;
import io.troth.proto.v1.Commit;
import io.troth.proto.v1.OutcomeInquiry;
import io.troth.proto.v1.Progress;
import io.troth.proto.v1.Rollback;
import io.troth.proto.v1.SessionRef;
import io.troth.proto.v1.VoteEntry;
import io.troth.proto.v1.WaitFor;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;

/**
 * From the words of the wire to those of the core. Everything is checked for form and size here; what is wrong throws
 * IllegalArgumentException, what is too much throws {@link TrothException} LIMIT_EXCEEDED, and neither has changed
 * anything. An enum value that this build does not know is never taken for the favourable one.
 */
final class WireReader {

    /** The longest name, in bytes. */
    static final int NAME_BYTES_MAX = 255;

    private final Supplier<SessionKey> newSessionKey;

    /** @param newSessionKey draws the key of a session that a client wants to open */
    WireReader(Supplier<SessionKey> newSessionKey) {
        this.newSessionKey = newSessionKey;
    }

    /**
     * Reads what a client says, but for LocateResource, which the core knows nothing of.
     *
     * @return null for a kind that this build does not know
     */
    @Nullable
    Event event(StreamId stream, ClientEntry entry) {
        RequestId request = new RequestId(stream, entry.getCorrelationId());
        return switch (entry.getEntryCase()) {
            case OPEN_SESSION -> {
                String name = name("client_name", entry.getOpenSession().getClientName());
                boolean inPlace = entry.getOpenSession().getCommitsInPlace();
                yield new Event.OpenSession(request, newSessionKey.get(), name, inPlace);
            }
            case RESUME_SESSION -> {
                SessionRef session = entry.getResumeSession().getSession();
                yield new Event.ResumeSession(
                        request, epoch(session.getEpoch()), session.getSession(), key(session.getKey()));
            }
            case CLOSE_SESSION -> {
                SessionRef session = entry.getCloseSession().getSession();
                yield new Event.CloseSession(
                        stream, epoch(session.getEpoch()), session.getSession(), key(session.getKey()));
            }
            case PROGRESS -> {
                Progress progress = entry.getProgress();
                SessionRef session = progress.getSession();
                yield new Event.Progress(
                        stream,
                        epoch(session.getEpoch()),
                        session.getSession(),
                        key(session.getKey()),
                        atLeastZero("lowest_open", progress.getLowestOpen()));
            }
            case COMMIT -> commit(request, entry.getCommit());
            case ROLLBACK -> rollback(request, entry.getRollback());
            case OUTCOME_INQUIRY -> {
                OutcomeInquiry inquiry = entry.getOutcomeInquiry();
                yield new Event.OutcomeInquiry(
                        request, tx(inquiry.getTx()), inquiry.hasContent() ? content(inquiry.getContent()) : null);
            }
            case LOCATE_RESOURCE, ENTRY_NOT_SET -> null;
        };
    }

    private static Event commit(RequestId request, Commit commit) {
        return new Event.CommitRequested(
                request,
                tx(commit.getTx()),
                key(commit.getKey()),
                atLeastZero("lowest_open", commit.getLowestOpen()),
                content(commit.getContent()),
                votes(commit.getVotesList()),
                waitsCompleted(commit.getWaitFor()),
                atLeastZero("remaining_millis", commit.getRemainingMillis()));
    }

    private static Event rollback(RequestId request, Rollback rollback) {
        Reason reason =
                rollback.hasReason() ? reason(rollback.getReason()) : Reason.of(ErrorCode.ROLLED_BACK_BY_CLIENT);
        return new Event.RollbackRequested(
                request,
                tx(rollback.getTx()),
                key(rollback.getKey()),
                atLeastZero("lowest_open", rollback.getLowestOpen()),
                branches(rollback.getBranchesList()),
                reason);
    }

    /** The first entry of an agent. */
    AgentHello hello(io.troth.proto.v1.AgentHello hello) {
        if (hello.getInstance() == 0) {
            throw new IllegalArgumentException("an agent instance is never 0");
        }
        List<AgentHello.AgentResource> resources = new ArrayList<>(hello.getResourcesCount());
        for (io.troth.proto.v1.AgentResource resource : hello.getResourcesList()) {
            String sqlAddress = name("sql_address", resource.getSqlAddress());
            resources.add(new AgentHello.AgentResource(
                    ResourceName.check(resource.getName()),
                    name("kind", resource.getKind()),
                    name("identity", resource.getIdentity()),
                    name("role", resource.getRole()),
                    sqlAddress.isEmpty() ? null : sqlAddress));
        }
        return new AgentHello(
                hello.getInstance(),
                hello.hasHighestEpoch() ? epoch(hello.getHighestEpoch()) : null,
                atLeastZero("highest_batch", hello.getHighestBatch()),
                resources);
    }

    /**
     * Reads what an agent says after its hello.
     *
     * @return null for a kind that this build does not know
     */
    @Nullable
    Event event(StreamId stream, AgentEntry entry) {
        return switch (entry.getEntryCase()) {
            case HELLO -> new Event.AgentConnected(stream, hello(entry.getHello()));
            case ENLIST -> enlist(stream, entry.getEnlist());
            case VOTE -> vote(stream, entry.getVote());
            case ONE_PHASE_PROOF -> {
                io.troth.proto.v1.OnePhaseProof proof = entry.getOnePhaseProof();
                yield new Event.OnePhaseProof(
                        stream, tx(proof.getTx()), branch(proof.getBranch()), proof(proof.getProof()));
            }
            case ONE_PHASE_RESULT -> {
                io.troth.proto.v1.OnePhaseResult result = entry.getOnePhaseResult();
                yield new Event.OnePhaseResult(
                        stream,
                        tx(result.getTx()),
                        branch(result.getBranch()),
                        fate(result.getFate()),
                        result.hasReason() ? reason(result.getReason()) : null);
            }
            case BRANCH_DONE -> {
                io.troth.proto.v1.BranchDone done = entry.getBranchDone();
                yield new Event.BranchDone(
                        stream,
                        tx(done.getTx()),
                        branch(done.getBranch()),
                        result(done.getResult()),
                        detail(done.getDetail()));
            }
            case BRANCH_INQUIRY -> {
                io.troth.proto.v1.BranchInquiry inquiry = entry.getBranchInquiry();
                yield new Event.BranchInquiry(
                        stream,
                        tx(inquiry.getTx()),
                        branch(inquiry.getBranch()),
                        ResourceName.check(inquiry.getResource()));
            }
            case FATE_REPORT -> {
                io.troth.proto.v1.FateReport report = entry.getFateReport();
                yield new Event.FateReported(
                        stream, tx(report.getTx()), branch(report.getBranch()), fate(report.getFate()));
            }
            case SCAN_REPORT -> {
                io.troth.proto.v1.ScanReport report = entry.getScanReport();
                yield new Event.ScanReported(
                        stream,
                        ResourceName.check(report.getResource()),
                        report.hasLowestEpoch() ? epoch(report.getLowestEpoch()) : null,
                        atLeastZero("lowest_session", report.getLowestSession()));
            }
            case ENTRY_NOT_SET -> null;
        };
    }

    private static Event enlist(StreamId stream, io.troth.proto.v1.Enlist entry) {
        return new Event.Enlist(
                stream,
                tx(entry.getTx()),
                key(entry.getKey()),
                branch(entry.getBranch()),
                ResourceName.check(entry.getResource()),
                atLeastZero("remaining_millis", entry.getRemainingMillis()));
    }

    private static Event vote(StreamId stream, VoteEntry entry) {
        return new Event.VoteReceived(
                stream,
                tx(entry.getTx()),
                branch(entry.getBranch()),
                vote(entry.getVote()),
                entry.getProof().isEmpty() ? null : proof(entry.getProof()),
                entry.hasReason() ? reason(entry.getReason()) : null);
    }

    private static List<Event.CommitRequested.BranchVote> votes(List<io.troth.proto.v1.BranchVote> votes) {
        checkCount(votes.size());
        List<Event.CommitRequested.BranchVote> read = new ArrayList<>(votes.size());
        for (io.troth.proto.v1.BranchVote vote : votes) {
            read.add(new Event.CommitRequested.BranchVote(
                    vote(vote.getVote()),
                    vote.getProof().isEmpty() ? null : proof(vote.getProof()),
                    vote.hasReason() ? reason(vote.getReason()) : null));
        }
        return read;
    }

    private static Vote vote(io.troth.proto.v1.Vote vote) {
        return switch (vote) {
            case VOTE_YES -> Vote.YES;
            case VOTE_READ_ONLY -> Vote.READ_ONLY;
            case VOTE_NO, VOTE_UNSPECIFIED, UNRECOGNIZED -> Vote.NO;
        };
    }

    private static CommitContent content(io.troth.proto.v1.CommitContent content) {
        return new CommitContent(branches(content.getBranchesList()), content.getOnePhaseAllowed());
    }

    private static List<BranchWork> branches(List<io.troth.proto.v1.BranchWork> lines) {
        checkCount(lines.size());
        Set<BranchId> seen = new HashSet<>();
        List<BranchWork> branches = new ArrayList<>(lines.size());
        for (io.troth.proto.v1.BranchWork line : lines) {
            BranchWork work = new BranchWork(branch(line.getBranch()), line.getResource(), line.getCalls());
            if (!seen.add(work.branch())) {
                throw new IllegalArgumentException("branch " + work.branch() + " is listed twice");
            }
            branches.add(work);
        }
        return branches;
    }

    /**
     * Only what no configuration allows is refused here, so that the core hears of a commit that lists more than its
     * own allows and ends the transaction: a refusal here is no outcome, and its client would ask again and again.
     *
     * @throws TrothException LIMIT_EXCEEDED
     */
    static void checkCount(int branches) {
        if (branches > BranchList.BRANCHES_MAX) {
            throw new TrothException(new Reason(
                    ErrorCode.LIMIT_EXCEEDED, branches + " branches are listed, at most " + BranchList.BRANCHES_MAX));
        }
    }

    static boolean waitsCompleted(WaitFor waitFor) {
        return switch (waitFor) {
            case WAIT_FOR_DECIDED -> false;
            case WAIT_FOR_COMPLETED, WAIT_FOR_UNSPECIFIED, UNRECOGNIZED -> true;
        };
    }

    /** A text for operators' eyes or to be compared. */
    static String name(String field, String text) {
        // A UTF-16 unit is at least one byte of UTF-8: the cheap check comes first.
        if (text.length() > NAME_BYTES_MAX || ByteString.copyFromUtf8(text).size() > NAME_BYTES_MAX) {
            throw new IllegalArgumentException(field + " is longer than " + NAME_BYTES_MAX + " bytes");
        }
        return text;
    }

    private static String detail(String text) {
        return text.length() <= Reason.DETAIL_LENGTH_MAX ? text : text.substring(0, Reason.DETAIL_LENGTH_MAX);
    }

    private static long atLeastZero(String field, long value) {
        if (value < 0) {
            throw new IllegalArgumentException(field + " is larger than " + Long.MAX_VALUE);
        }
        return value;
    }

    static GlobalTxId tx(io.troth.proto.v1.GlobalTxId tx) {
        return new GlobalTxId(
                tx.getShard(), new EpochId(tx.getEpoch(), tx.getNonce()), tx.getSession(), tx.getSequence());
    }

    static BranchId branch(io.troth.proto.v1.BranchId branch) {
        if (branch.getInstance() == 0 || branch.getCounter() == 0) {
            throw new IllegalArgumentException("a branch id has an instance and a counter, neither is 0");
        }
        return new BranchId(branch.getInstance(), branch.getCounter());
    }

    private static EpochId epoch(io.troth.proto.v1.EpochId epoch) {
        return new EpochId(epoch.getNumber(), epoch.getNonce());
    }

    private static SessionKey key(io.troth.proto.v1.SessionKey key) {
        return new SessionKey(key.getHigh(), key.getLow());
    }

    private static Proof proof(ByteString bytes) {
        if (bytes.size() > Proof.BYTES_MAX) {
            throw new IllegalArgumentException("a proof has at most " + Proof.BYTES_MAX + " bytes");
        }
        return Proof.of(bytes.toByteArray());
    }

    /** A code that this build does not know is kept in the detail. */
    private static Reason reason(io.troth.proto.v1.Reason reason) {
        String detail = detail(reason.getDetail());
        ErrorCode known = ErrorCode.named(reason.getCode());
        return known == null
                ? new Reason(ErrorCode.INTERNAL, name("code", reason.getCode()) + ": " + detail)
                : new Reason(known, detail);
    }

    private static OnePhaseFate fate(io.troth.proto.v1.OnePhaseFate fate) {
        return switch (fate) {
            case ONE_PHASE_FATE_COMMITTED -> OnePhaseFate.COMMITTED;
            case ONE_PHASE_FATE_READ_ONLY -> OnePhaseFate.READ_ONLY;
            case ONE_PHASE_FATE_ROLLED_BACK -> OnePhaseFate.ROLLED_BACK;
            case ONE_PHASE_FATE_LOST -> OnePhaseFate.LOST;
            case ONE_PHASE_FATE_NOT_KNOWN, ONE_PHASE_FATE_UNSPECIFIED, UNRECOGNIZED -> OnePhaseFate.NOT_KNOWN;
        };
    }

    private static Fate fate(io.troth.proto.v1.Fate fate) {
        return switch (fate) {
            case FATE_COMMITTED -> Fate.COMMITTED;
            case FATE_ROLLED_BACK -> Fate.ROLLED_BACK;
            case FATE_IN_PROGRESS -> Fate.IN_PROGRESS;
            case FATE_UNKNOWN, FATE_UNSPECIFIED, UNRECOGNIZED -> Fate.UNKNOWN;
        };
    }

    private static PhaseTwoResult result(io.troth.proto.v1.PhaseTwoResult result) {
        return switch (result) {
            case PHASE_TWO_RESULT_COMMITTED -> PhaseTwoResult.COMMITTED;
            case PHASE_TWO_RESULT_RESOLVED_ELSEWHERE -> PhaseTwoResult.RESOLVED_ELSEWHERE;
            case PHASE_TWO_RESULT_HEURISTIC_ROLLBACK -> PhaseTwoResult.HEURISTIC_ROLLBACK;
            case PHASE_TWO_RESULT_UNSPECIFIED, UNRECOGNIZED ->
                throw new IllegalArgumentException("the result of phase 2 is not one that this build knows");
        };
    }
}
