package io.troth.core.coordinator;

import io.troth.core.EpochId;
import io.troth.core.ErrorCode;
import io.troth.core.Reason;
import io.troth.core.ResourceName;
import io.troth.core.coordinator.AgentHello.AgentResource;
import java.util.TreeSet;
import org.jspecify.annotations.Nullable;

/** Agents that come and go, and what they know of the log (protocol 5.2, 10.5). */
final class Agents {

    private final Leader leader;
    private final Answers answers;
    private final Transactions transactions;
    private final PhaseTwo phaseTwo;
    private final OnePhase onePhase;
    private final Horizons horizons;

    Agents(
            Leader leader,
            Answers answers,
            Transactions transactions,
            PhaseTwo phaseTwo,
            OnePhase onePhase,
            Horizons horizons) {
        this.leader = leader;
        this.answers = answers;
        this.transactions = transactions;
        this.phaseTwo = phaseTwo;
        this.onePhase = onePhase;
        this.horizons = horizons;
    }

    void connected(Event.AgentConnected event) {
        StreamId id = event.stream();
        if (leader.agents.find(id) != null) {
            leader.out.close(id, new Reason(ErrorCode.INVALID_ARGUMENT, "a second hello on one stream"));
            return;
        }
        AgentStream before = leader.agents.ofInstance(event.hello().instance());
        if (before != null) {
            // The agent has dialled again before the old stream was seen to break.
            disconnected(before.id);
            leader.out.close(
                    before.id, new Reason(ErrorCode.STREAM_BROKEN, "replaced by a newer stream of its instance id"));
        }
        Reason refusal = refuses(event.hello());
        if (refusal != null) {
            leader.out.close(id, refusal);
            return;
        }
        AgentStream stream = new AgentStream(id, event.hello());
        leader.agents.add(stream);
        if (leader.isReady() && !distrusts(stream)) {
            welcome(stream);
        }
    }

    private @Nullable Reason refuses(AgentHello hello) {
        if (leader.agents.streams.size() >= leader.limits.agentStreamsMax()) {
            return new Reason(ErrorCode.OVERLOADED, "too many agents");
        }
        TreeSet<String> names = new TreeSet<>();
        for (AgentResource resource : hello.resources()) {
            if (!ResourceName.isValid(resource.name()) || !names.add(resource.name())) {
                return new Reason(ErrorCode.INVALID_ARGUMENT, "a resource name is not valid, or offered twice");
            }
            for (AgentStream other : leader.agents.offering(resource.name())) {
                AgentResource same = other.resource(resource.name());
                if (same != null && !isSameDatabase(same, resource)) {
                    return new Reason(
                            ErrorCode.RESOURCE_IDENTITY_DIFFERS,
                            resource.name() + " is " + database(resource) + " here, and " + database(same)
                                    + " at the instance " + Long.toHexString(other.instance()));
                }
            }
        }
        if (names.isEmpty()) {
            return new Reason(ErrorCode.INVALID_ARGUMENT, "an agent offers at least one resource");
        }
        names.removeAll(leader.agents.known);
        if (leader.agents.known.size() + names.size() > AgentTable.KNOWN_MAX) {
            return new Reason(ErrorCode.LIMIT_EXCEEDED, "too many resources are known");
        }
        return null;
    }

    private static boolean isSameDatabase(AgentResource one, AgentResource other) {
        return one.identity().equals(other.identity()) && one.role().equals(other.role());
    }

    private static String database(AgentResource resource) {
        return resource.identity() + " with the role " + resource.role();
    }

    void disconnected(StreamId id) {
        AgentStream stream = leader.agents.find(id);
        if (stream == null) {
            return;
        }
        leader.agents.remove(stream);
        for (ClientSession session : leader.sessions.byNumber.values()) {
            session.agents.remove(id);
        }
        if (leader.isReady()) {
            transactions.streamBroken(id);
            onePhase.disconnected(id);
        }
    }

    /** The own EPOCH is applied: false, with an alarm, when an agent knows more of the log than is left of it. */
    boolean trustTheLog() {
        for (AgentStream stream : leader.agents.streams.values()) {
            if (distrusts(stream)) {
                return false;
            }
        }
        return true;
    }

    /** This leader answers from now on: let the agents work, and finish what earlier leaders decided. */
    void ready() {
        leader.out.notice(new Notice.Ready(leader.epoch(), leader.committed.size()));
        for (AgentStream stream : leader.agents.streams.values()) {
            leader.out.toAgent(stream.id, new AgentMessage.Welcome(leader.epoch()));
        }
        if (!leader.agents.streams.isEmpty()) {
            leader.sortedCommitted().forEach(phaseTwo::drive);
        }
        horizons.purge();
        horizons.consider();
    }

    private void welcome(AgentStream stream) {
        leader.out.toAgent(stream.id, new AgentMessage.Welcome(leader.epoch()));
        phaseTwo.connected(stream);
        onePhase.connected(stream);
    }

    /** True, with an alarm and an end of service, when this agent has seen more of the log than is left of it. */
    private boolean distrusts(AgentStream stream) {
        EpochId heard = stream.hello.highestEpoch();
        if (heard == null || leader.epochs.isDistrusted(heard)) {
            return false;
        }
        String evidence = null;
        if (heard.number() > leader.epoch().number()) {
            evidence = "heard epoch " + heard + ", this leader is of " + leader.epoch();
        } else if (!leader.epochs.isKnown(heard)) {
            evidence = "heard epoch " + heard + ", which is not in the log";
        } else if (!leader.isOwn(heard) && stream.hello.highestBatch() > leader.recoveredBatch) {
            evidence = "heard durable batch " + stream.hello.highestBatch() + ", recovered " + leader.recoveredBatch;
        }
        if (evidence == null) {
            return false;
        }
        answers.releaseAll();
        leader.phase = Leader.Phase.DISTRUSTED;
        leader.out.alarm(
                ErrorCode.LOG_DISTRUSTED, "agent " + Long.toHexString(stream.instance()) + " " + evidence, null);
        return true;
    }

    void excluded(Event.ResourceExcluded event) {
        if (event.excluded()) {
            leader.agents.excluded.add(event.resource());
        } else {
            leader.agents.excluded.remove(event.resource());
        }
        if (leader.isReady()) {
            horizons.advance();
        }
    }

    void held(Event.ResourceHeld event) {
        if (event.held()) {
            leader.agents.held.add(event.resource());
        } else if (leader.agents.held.remove(event.resource()) && leader.isReady()) {
            phaseTwo.released(event.resource());
        }
    }
}
