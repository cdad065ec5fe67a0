package io.troth.coordinator.engine;

import io.troth.core.BranchId;
import io.troth.core.EpochId;
import io.troth.core.GlobalTxId;
import io.troth.core.Vote;
import io.troth.core.coordinator.AgentHello;
import io.troth.core.coordinator.AgentHello.AgentResource;
import io.troth.core.coordinator.AgentMessage;
import io.troth.core.coordinator.Event;
import io.troth.core.coordinator.OnePhaseFate;
import io.troth.core.coordinator.PhaseTwoResult;
import io.troth.core.coordinator.StreamId;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import java.util.TreeMap;
import org.jspecify.annotations.Nullable;

/**
 * An agent with one database that always works: it votes as it is told and does what it is told. Its database outlives
 * the coordinator, and the agent remembers what it heard.
 */
public final class FakeAgent {

    final long instance;
    final String resource;
    Vote vote = Vote.YES;
    boolean answers = true;
    /** False: it hears commits and never says that they are done. */
    boolean commits = true;

    /** Prepared branches, of {@code branch to T}. */
    final TreeMap<BranchId, GlobalTxId> prepared = new TreeMap<>();

    final Set<GlobalTxId> committed = new HashSet<>();
    final Set<GlobalTxId> rolledBack = new HashSet<>();

    @Nullable
    StreamId stream;

    @Nullable
    EpochId heardEpoch;

    long heardBatch;
    private long branches;

    FakeAgent(long instance, String resource) {
        this.instance = instance;
        this.resource = resource;
    }

    BranchId newBranch() {
        return new BranchId(instance, ++branches);
    }

    AgentHello hello() {
        AgentResource wrapped = new AgentResource(resource, "fake", "database of " + resource, "troth", null);
        return new AgentHello(instance, heardEpoch, heardBatch, List.of(wrapped));
    }

    /** What it says to this message; empty when nothing. */
    List<Event> hears(StreamId on, AgentMessage message) {
        if (message instanceof AgentMessage.Welcome welcome) {
            heardEpoch = welcome.epoch();
            return prepared.entrySet().stream()
                    .map(entry -> (Event) new Event.BranchInquiry(on, entry.getValue(), entry.getKey(), resource))
                    .toList();
        } else if (message instanceof AgentMessage.Prepare prepare) {
            return prepare(on, prepare);
        } else if (message instanceof AgentMessage.CommitBranch commit) {
            if (!commits) {
                return List.of();
            }
            prepared.remove(commit.branch());
            committed.add(commit.tx());
            return List.of(new Event.BranchDone(on, commit.tx(), commit.branch(), PhaseTwoResult.COMMITTED, ""));
        } else if (message instanceof AgentMessage.CommitOnePhase commit) {
            committed.add(commit.tx());
            return List.of(new Event.OnePhaseResult(on, commit.tx(), commit.branch(), OnePhaseFate.COMMITTED, null));
        } else if (message instanceof AgentMessage.RollbackBranch rollback) {
            prepared.remove(rollback.branch());
            rolledBack.add(rollback.tx());
        }
        return List.of();
    }

    /** Whether the database holds a prepared branch. */
    public boolean isInDoubt() {
        return !prepared.isEmpty();
    }

    /** Whether the database has committed a branch of T. */
    public boolean hasCommitted(GlobalTxId tx) {
        return committed.contains(tx);
    }

    private List<Event> prepare(StreamId on, AgentMessage.Prepare prepare) {
        switch (vote) {
            case YES -> prepared.put(prepare.branch(), prepare.tx());
            case READ_ONLY -> committed.add(prepare.tx());
            case NO -> rolledBack.add(prepare.tx());
        }
        return List.of(new Event.VoteReceived(on, prepare.tx(), prepare.branch(), vote, null, null));
    }
}
