package io.troth.coordinator.grpc;

import io.troth.coordinator.admin.CoordinatorStatus;
import io.troth.coordinator.admin.Listing;
import io.troth.core.BranchId;
import io.troth.core.ClusterId;
import io.troth.core.Decision;
import io.troth.core.EpochId;
import io.troth.core.GlobalTxId;
import io.troth.core.Outcome;
import io.troth.core.Reason;
import io.troth.core.Vote;
import io.troth.core.coordinator.AgentHello;
import io.troth.core.coordinator.InDoubtView;
import io.troth.core.coordinator.LeaderView;
import io.troth.core.coordinator.TransactionState;
import io.troth.core.coordinator.TransactionView;
import io.troth.proto.v1.AgentInfo;
import io.troth.proto.v1.AgentResource;
import io.troth.proto.v1.BranchInfo;
import io.troth.proto.v1.GetStatusResponse;
import io.troth.proto.v1.InDoubtBranch;
import io.troth.proto.v1.StateCount;
import io.troth.proto.v1.TransactionInfo;
import java.util.ArrayList;
import java.util.EnumMap;
import java.util.List;
import java.util.Map;
import java.util.function.Function;
import org.jspecify.annotations.Nullable;

/** What operators see, in both directions: the service writes it and the command line reads it. */
final class AdminCodec {

    private static final String STATE_PREFIX = "TRANSACTION_STATE_";
    private static final String OUTCOME_PREFIX = "OUTCOME_";
    private static final String VOTE_PREFIX = "VOTE_";
    private static final int HEX = 16;

    private AdminCodec() {}

    static GetStatusResponse status(ClusterId cluster, LeaderView view, long durableBatch) {
        GetStatusResponse.Builder status = GetStatusResponse.newBuilder()
                .setCluster(cluster.toString())
                .setEpoch(view.epoch() == null ? "" : view.epoch().toString())
                .setReady(view.ready())
                .setDistrusted(view.distrusted())
                // As in troth_accepting: the core speaks of overload and the disk alone.
                .setAccepting(view.ready() && view.accepting())
                .setUnended(view.unended())
                .setLeftAlone(view.leftAlone())
                .setSessions(view.sessions())
                .setAgents(view.agents())
                .addAllHeld(view.held())
                .addAllExcluded(view.excluded())
                .setDurableBatch(durableBatch);
        for (TransactionState state : TransactionState.values()) {
            int count = view.open().getOrDefault(state, 0);
            if (count > 0) {
                status.addOpen(StateCount.newBuilder().setState(state(state)).setCount(count));
            }
        }
        return status.build();
    }

    static CoordinatorStatus status(GetStatusResponse status) {
        Map<TransactionState, Integer> open = new EnumMap<>(TransactionState.class);
        status.getOpenList().forEach(count -> open.put(state(count.getState()), count.getCount()));
        LeaderView view = new LeaderView(
                status.getEpoch().isEmpty() ? null : epoch(status.getEpoch()),
                status.getReady(),
                status.getDistrusted(),
                status.getAccepting(),
                open,
                status.getUnended(),
                status.getLeftAlone(),
                status.getSessions(),
                status.getAgents(),
                status.getHeldList(),
                status.getExcludedList());
        return new CoordinatorStatus(ClusterId.parse(status.getCluster()), view, status.getDurableBatch());
    }

    private static EpochId epoch(String text) {
        int dot = text.indexOf('.');
        return new EpochId(
                Long.parseLong(text.substring(0, dot)), Long.parseUnsignedLong(text.substring(dot + 1), HEX));
    }

    static TransactionInfo transaction(TransactionView view) {
        TransactionInfo.Builder info = TransactionInfo.newBuilder()
                .setTx(view.tx().toString())
                .setState(state(view.state()))
                .setClientName(view.clientName());
        for (TransactionView.BranchView branch : view.branches()) {
            BranchInfo.Builder line = BranchInfo.newBuilder()
                    .setBranch(branch.branch().toString())
                    .setResource(branch.resource())
                    .setDone(branch.done());
            if (branch.vote() != null) {
                line.setVote(io.troth.proto.v1.Vote.valueOf(
                        VOTE_PREFIX + branch.vote().name()));
            }
            info.addBranches(line);
        }
        if (view.outcome() != null) {
            info.setOutcome(WireWriter.outcome(view.outcome()));
        }
        if (view.reason() != null) {
            info.setReason(WireWriter.reason(view.reason()));
        }
        return info.build();
    }

    static TransactionView transaction(TransactionInfo info) {
        List<TransactionView.BranchView> branches = new ArrayList<>();
        for (BranchInfo line : info.getBranchesList()) {
            branches.add(new TransactionView.BranchView(
                    BranchId.parse(line.getBranch()), line.getResource(), vote(line.getVote()), line.getDone()));
        }
        return new TransactionView(
                GlobalTxId.parse(info.getTx()),
                state(info.getState()),
                info.getClientName(),
                branches,
                outcome(info.getOutcome()),
                info.hasReason() ? reason(info.getReason()) : null);
    }

    static AgentInfo agent(AgentHello hello) {
        AgentInfo.Builder info = AgentInfo.newBuilder().setInstance(new ClusterId(hello.instance()).toString());
        for (AgentHello.AgentResource resource : hello.resources()) {
            info.addResources(AgentResource.newBuilder()
                    .setName(resource.name())
                    .setKind(resource.kind())
                    .setIdentity(resource.identity())
                    .setRole(resource.role())
                    .setSqlAddress(resource.sqlAddress() == null ? "" : resource.sqlAddress()));
        }
        return info.build();
    }

    static AgentHello agent(AgentInfo info) {
        List<AgentHello.AgentResource> resources = new ArrayList<>();
        for (AgentResource resource : info.getResourcesList()) {
            String address = resource.getSqlAddress();
            resources.add(new AgentHello.AgentResource(
                    resource.getName(),
                    resource.getKind(),
                    resource.getIdentity(),
                    resource.getRole(),
                    address.isEmpty() ? null : address));
        }
        return new AgentHello(Long.parseUnsignedLong(info.getInstance(), HEX), null, 0, resources);
    }

    static InDoubtBranch inDoubt(InDoubtView view) {
        return InDoubtBranch.newBuilder()
                .setTx(view.tx().toString())
                .setBranch(view.branch().toString())
                .setResource(view.resource())
                .setOutcome(WireWriter.outcome(view.outcome()))
                .setHeld(view.held())
                .build();
    }

    static InDoubtView inDoubt(InDoubtBranch branch) {
        return new InDoubtView(
                GlobalTxId.parse(branch.getTx()),
                BranchId.parse(branch.getBranch()),
                branch.getResource(),
                known(branch.getOutcome()),
                branch.getHeld());
    }

    static <Q, T> Listing<T> listing(List<Q> items, boolean truncated, Function<Q, T> reader) {
        return new Listing<>(items.stream().map(reader).toList(), truncated);
    }

    /** @throws IllegalArgumentException when it is none that this build knows */
    static Decision decision(io.troth.proto.v1.Decision decision) {
        return switch (decision) {
            case DECISION_COMMIT -> Decision.COMMIT;
            case DECISION_ROLLBACK -> Decision.ROLLBACK;
            case DECISION_UNSPECIFIED, UNRECOGNIZED ->
                throw new IllegalArgumentException("the decision is neither COMMIT nor ROLLBACK");
        };
    }

    static io.troth.proto.v1.Decision decision(Decision decision) {
        return switch (decision) {
            case COMMIT -> io.troth.proto.v1.Decision.DECISION_COMMIT;
            case ROLLBACK -> io.troth.proto.v1.Decision.DECISION_ROLLBACK;
        };
    }

    /** What is not known is UNKNOWN. */
    static Outcome known(io.troth.proto.v1.Outcome outcome) {
        Outcome known = outcome(outcome);
        return known == null ? Outcome.UNKNOWN : known;
    }

    private static @Nullable Outcome outcome(io.troth.proto.v1.Outcome outcome) {
        return switch (outcome) {
            case OUTCOME_UNSPECIFIED -> null;
            case UNRECOGNIZED -> Outcome.UNKNOWN;
            case OUTCOME_COMMITTED,
                    OUTCOME_ROLLED_BACK,
                    OUTCOME_READ_ONLY,
                    OUTCOME_PENDING,
                    OUTCOME_UNKNOWN,
                    OUTCOME_FORGOTTEN,
                    OUTCOME_NOT_LEADER -> Outcome.valueOf(outcome.name().substring(OUTCOME_PREFIX.length()));
        };
    }

    private static @Nullable Vote vote(io.troth.proto.v1.Vote vote) {
        return switch (vote) {
            case VOTE_UNSPECIFIED, UNRECOGNIZED -> null;
            case VOTE_YES -> Vote.YES;
            case VOTE_NO -> Vote.NO;
            case VOTE_READ_ONLY -> Vote.READ_ONLY;
        };
    }

    private static io.troth.proto.v1.TransactionState state(TransactionState state) {
        return io.troth.proto.v1.TransactionState.valueOf(STATE_PREFIX + state.name());
    }

    private static TransactionState state(io.troth.proto.v1.TransactionState state) {
        return switch (state) {
            case TRANSACTION_STATE_UNSPECIFIED, UNRECOGNIZED ->
                throw new IllegalArgumentException("the coordinator names a state that this build does not know");
            case TRANSACTION_STATE_ACTIVE,
                    TRANSACTION_STATE_ONE_PHASE,
                    TRANSACTION_STATE_PREPARING,
                    TRANSACTION_STATE_COMMITTING,
                    TRANSACTION_STATE_COMMITTED,
                    TRANSACTION_STATE_ENDED ->
                TransactionState.valueOf(state.name().substring(STATE_PREFIX.length()));
        };
    }

    private static Reason reason(io.troth.proto.v1.Reason reason) {
        return Reason.named(reason.getCode(), reason.getDetail());
    }
}
