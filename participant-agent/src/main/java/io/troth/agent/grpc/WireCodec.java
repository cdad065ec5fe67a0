package io.troth.agent.grpc;

import com.google.protobuf.ByteString;
import io.troth.core.BranchId;
import io.troth.core.ClusterId;
import io.troth.core.EpochId;
import io.troth.core.GlobalTxId;
import io.troth.core.Outcome;
import io.troth.core.Proof;
import io.troth.core.Reason;
import io.troth.core.ResourceName;
import io.troth.core.coordinator.AgentHello;
import io.troth.core.coordinator.AgentMessage;
import io.troth.core.coordinator.Fate;
import io.troth.core.coordinator.OnePhaseFate;
import io.troth.core.coordinator.PhaseTwoResult;
import io.troth.core.participant.CoordinatorMessage;
import io.troth.proto.v1.AgentEntry;
import io.troth.proto.v1.AgentOrder;
import io.troth.proto.v1.AgentResource;
import io.troth.proto.v1.BranchDone;
import io.troth.proto.v1.BranchInquiry;
import io.troth.proto.v1.Enlist;
import io.troth.proto.v1.FateReport;
import io.troth.proto.v1.OnePhaseProof;
import io.troth.proto.v1.OnePhaseResult;
import io.troth.proto.v1.ScanReport;
import io.troth.proto.v1.SessionKey;
import io.troth.proto.v1.VoteEntry;
import org.jspecify.annotations.Nullable;

/**
 * Between the words of the core and those of the wire. What a coordinator sends is checked here for form: an
 * impossible value is an IllegalArgumentException, and the stream is cut.
 */
final class WireCodec {

    private WireCodec() {}

    static AgentEntry hello(AgentHello hello, @Nullable ClusterId cluster) {
        io.troth.proto.v1.AgentHello.Builder builder = io.troth.proto.v1.AgentHello.newBuilder()
                .setInstance(hello.instance())
                .setClusterId(cluster == null ? 0 : cluster.value())
                .setHighestBatch(hello.highestBatch());
        if (hello.highestEpoch() != null) {
            builder.setHighestEpoch(epoch(hello.highestEpoch()));
        }
        for (AgentHello.AgentResource resource : hello.resources()) {
            builder.addResources(AgentResource.newBuilder()
                    .setName(resource.name())
                    .setKind(resource.kind())
                    .setIdentity(resource.identity())
                    .setRole(resource.role())
                    .setSqlAddress(resource.sqlAddress() == null ? "" : resource.sqlAddress()));
        }
        return AgentEntry.newBuilder().setHello(builder).build();
    }

    static AgentEntry entry(CoordinatorMessage message) {
        return message.accept(ENTRIES).build();
    }

    private static final CoordinatorMessage.Visitor<AgentEntry.Builder> ENTRIES = new CoordinatorMessage.Visitor<>() {
        @Override
        public AgentEntry.Builder enlist(CoordinatorMessage.Enlist message) {
            return AgentEntry.newBuilder()
                    .setEnlist(Enlist.newBuilder()
                            .setTx(tx(message.tx()))
                            .setKey(SessionKey.newBuilder()
                                    .setHigh(message.key().high())
                                    .setLow(message.key().low()))
                            .setBranch(branch(message.branch()))
                            .setResource(message.resource())
                            .setRemainingMillis(message.remainingMillis()));
        }

        @Override
        public AgentEntry.Builder branchVote(CoordinatorMessage.BranchVote message) {
            VoteEntry.Builder vote = VoteEntry.newBuilder()
                    .setTx(tx(message.tx()))
                    .setBranch(branch(message.branch()))
                    .setVote(
                            switch (message.vote()) {
                                case YES -> io.troth.proto.v1.Vote.VOTE_YES;
                                case NO -> io.troth.proto.v1.Vote.VOTE_NO;
                                case READ_ONLY -> io.troth.proto.v1.Vote.VOTE_READ_ONLY;
                            });
            if (message.proof() != null) {
                vote.setProof(bytes(message.proof()));
            }
            if (message.reason() != null) {
                vote.setReason(reason(message.reason()));
            }
            return AgentEntry.newBuilder().setVote(vote);
        }

        @Override
        public AgentEntry.Builder onePhaseProof(CoordinatorMessage.OnePhaseProof message) {
            return AgentEntry.newBuilder()
                    .setOnePhaseProof(OnePhaseProof.newBuilder()
                            .setTx(tx(message.tx()))
                            .setBranch(branch(message.branch()))
                            .setProof(bytes(message.proof())));
        }

        @Override
        public AgentEntry.Builder onePhaseResult(CoordinatorMessage.OnePhaseResult message) {
            OnePhaseResult.Builder result = OnePhaseResult.newBuilder()
                    .setTx(tx(message.tx()))
                    .setBranch(branch(message.branch()))
                    .setFate(fate(message.fate()));
            if (message.reason() != null) {
                result.setReason(reason(message.reason()));
            }
            return AgentEntry.newBuilder().setOnePhaseResult(result);
        }

        @Override
        public AgentEntry.Builder branchDone(CoordinatorMessage.BranchDone message) {
            return AgentEntry.newBuilder()
                    .setBranchDone(BranchDone.newBuilder()
                            .setTx(tx(message.tx()))
                            .setBranch(branch(message.branch()))
                            .setResult(result(message.result()))
                            .setDetail(message.detail()));
        }

        @Override
        public AgentEntry.Builder branchInquiry(CoordinatorMessage.BranchInquiry message) {
            return AgentEntry.newBuilder()
                    .setBranchInquiry(BranchInquiry.newBuilder()
                            .setTx(tx(message.tx()))
                            .setBranch(branch(message.branch()))
                            .setResource(message.resource()));
        }

        @Override
        public AgentEntry.Builder fateReport(CoordinatorMessage.FateReport message) {
            return AgentEntry.newBuilder()
                    .setFateReport(FateReport.newBuilder()
                            .setTx(tx(message.tx()))
                            .setBranch(branch(message.branch()))
                            .setFate(fate(message.fate())));
        }

        @Override
        public AgentEntry.Builder scanReport(CoordinatorMessage.ScanReport message) {
            ScanReport.Builder report =
                    ScanReport.newBuilder().setResource(message.resource()).setLowestSession(message.lowestSession());
            if (message.lowestEpoch() != null) {
                report.setLowestEpoch(epoch(message.lowestEpoch()));
            }
            return AgentEntry.newBuilder().setScanReport(report);
        }
    };

    /**
     * Reads one order of a coordinator.
     *
     * @return null for a kind that this build does not know: a newer coordinator may say more
     * @throws IllegalArgumentException when a value is impossible
     */
    static @Nullable AgentMessage message(AgentOrder order) {
        return switch (order.getOrderCase()) {
            case WELCOME -> new AgentMessage.Welcome(epoch(order.getWelcome().getEpoch()));
            case ENLIST_REFUSED -> {
                var refused = order.getEnlistRefused();
                yield new AgentMessage.EnlistRefused(
                        tx(refused.getTx()), branch(refused.getBranch()), reason(refused.getReason()));
            }
            case PREPARE -> {
                var prepare = order.getPrepare();
                yield new AgentMessage.Prepare(
                        tx(prepare.getTx()), branch(prepare.getBranch()), calls(prepare.getCalls()));
            }
            case COMMIT_ONE_PHASE -> {
                var commit = order.getCommitOnePhase();
                yield new AgentMessage.CommitOnePhase(
                        tx(commit.getTx()), branch(commit.getBranch()), calls(commit.getCalls()));
            }
            case ASK_ONE_PHASE -> {
                var ask = order.getAskOnePhase();
                yield new AgentMessage.AskOnePhase(tx(ask.getTx()), branch(ask.getBranch()));
            }
            case COMMIT_BRANCH -> {
                var commit = order.getCommitBranch();
                yield new AgentMessage.CommitBranch(
                        tx(commit.getTx()),
                        branch(commit.getBranch()),
                        ResourceName.check(commit.getResource()),
                        commit.getProof().isEmpty() ? null : proof(commit.getProof()),
                        commit.getFirstAttempt(),
                        commit.getForced());
            }
            case ROLLBACK_BRANCH -> {
                var rollback = order.getRollbackBranch();
                yield new AgentMessage.RollbackBranch(
                        tx(rollback.getTx()),
                        branch(rollback.getBranch()),
                        ResourceName.check(rollback.getResource()),
                        rollback.getForced());
            }
            case SESSION_CLOSED ->
                new AgentMessage.SessionClosed(
                        epoch(order.getSessionClosed().getEpoch()),
                        order.getSessionClosed().getSession());
            case INQUIRY_ANSWER -> {
                var answer = order.getInquiryAnswer();
                yield new AgentMessage.InquiryAnswer(
                        tx(answer.getTx()), branch(answer.getBranch()), outcome(answer.getOutcome()));
            }
            case ASK_FATE -> {
                var ask = order.getAskFate();
                yield new AgentMessage.AskFate(
                        tx(ask.getTx()),
                        branch(ask.getBranch()),
                        ResourceName.check(ask.getResource()),
                        proof(ask.getProof()));
            }
            case ORDER_NOT_SET -> null;
        };
    }

    static EpochId epoch(io.troth.proto.v1.EpochId epoch) {
        return new EpochId(epoch.getNumber(), epoch.getNonce());
    }

    private static io.troth.proto.v1.EpochId epoch(EpochId epoch) {
        return io.troth.proto.v1.EpochId.newBuilder()
                .setNumber(epoch.number())
                .setNonce(epoch.nonce())
                .build();
    }

    private static GlobalTxId tx(io.troth.proto.v1.GlobalTxId tx) {
        return new GlobalTxId(
                tx.getShard(), new EpochId(tx.getEpoch(), tx.getNonce()), tx.getSession(), tx.getSequence());
    }

    private static io.troth.proto.v1.GlobalTxId tx(GlobalTxId tx) {
        return io.troth.proto.v1.GlobalTxId.newBuilder()
                .setShard(tx.shard())
                .setEpoch(tx.epoch().number())
                .setNonce(tx.epoch().nonce())
                .setSession(tx.session())
                .setSequence(tx.sequence())
                .build();
    }

    private static BranchId branch(io.troth.proto.v1.BranchId branch) {
        return new BranchId(branch.getInstance(), branch.getCounter());
    }

    private static io.troth.proto.v1.BranchId branch(BranchId branch) {
        return io.troth.proto.v1.BranchId.newBuilder()
                .setInstance(branch.instance())
                .setCounter(branch.counter())
                .build();
    }

    private static int calls(int calls) {
        if (calls < 1) {
            throw new IllegalArgumentException("a branch has at least 1 call, not " + Integer.toUnsignedString(calls));
        }
        return calls;
    }

    private static Proof proof(ByteString bytes) {
        return Proof.of(bytes.toByteArray());
    }

    private static ByteString bytes(Proof proof) {
        return ByteString.copyFrom(proof.toByteArray());
    }

    private static Reason reason(io.troth.proto.v1.Reason reason) {
        return Reason.named(reason.getCode(), reason.getDetail());
    }

    private static io.troth.proto.v1.Reason reason(Reason reason) {
        return io.troth.proto.v1.Reason.newBuilder()
                .setCode(reason.code().name())
                .setDetail(reason.detail())
                .build();
    }

    private static io.troth.proto.v1.OnePhaseFate fate(OnePhaseFate fate) {
        return switch (fate) {
            case COMMITTED -> io.troth.proto.v1.OnePhaseFate.ONE_PHASE_FATE_COMMITTED;
            case READ_ONLY -> io.troth.proto.v1.OnePhaseFate.ONE_PHASE_FATE_READ_ONLY;
            case ROLLED_BACK -> io.troth.proto.v1.OnePhaseFate.ONE_PHASE_FATE_ROLLED_BACK;
            case LOST -> io.troth.proto.v1.OnePhaseFate.ONE_PHASE_FATE_LOST;
            case NOT_KNOWN -> io.troth.proto.v1.OnePhaseFate.ONE_PHASE_FATE_NOT_KNOWN;
        };
    }

    private static io.troth.proto.v1.Fate fate(Fate fate) {
        return switch (fate) {
            case COMMITTED -> io.troth.proto.v1.Fate.FATE_COMMITTED;
            case ROLLED_BACK -> io.troth.proto.v1.Fate.FATE_ROLLED_BACK;
            case IN_PROGRESS -> io.troth.proto.v1.Fate.FATE_IN_PROGRESS;
            case UNKNOWN -> io.troth.proto.v1.Fate.FATE_UNKNOWN;
        };
    }

    private static io.troth.proto.v1.PhaseTwoResult result(PhaseTwoResult result) {
        return switch (result) {
            case COMMITTED -> io.troth.proto.v1.PhaseTwoResult.PHASE_TWO_RESULT_COMMITTED;
            case RESOLVED_ELSEWHERE -> io.troth.proto.v1.PhaseTwoResult.PHASE_TWO_RESULT_RESOLVED_ELSEWHERE;
            case HEURISTIC_ROLLBACK -> io.troth.proto.v1.PhaseTwoResult.PHASE_TWO_RESULT_HEURISTIC_ROLLBACK;
        };
    }

    /** Only a word about leaving the branch alone: everything else, known or not, is UNKNOWN here. */
    private static Outcome outcome(io.troth.proto.v1.Outcome outcome) {
        return switch (outcome) {
            case OUTCOME_PENDING -> Outcome.PENDING;
            case OUTCOME_FORGOTTEN -> Outcome.FORGOTTEN;
            case OUTCOME_UNSPECIFIED,
                    OUTCOME_COMMITTED,
                    OUTCOME_ROLLED_BACK,
                    OUTCOME_READ_ONLY,
                    OUTCOME_UNKNOWN,
                    OUTCOME_NOT_LEADER,
                    UNRECOGNIZED -> Outcome.UNKNOWN;
        };
    }
}
