package io.troth.agent.engine;

import io.troth.core.ClusterId;
import io.troth.core.EpochId;
import io.troth.core.Reason;
import io.troth.core.coordinator.AgentMessage;
import io.troth.core.participant.CoordinatorMessage;
import java.util.ArrayList;
import java.util.List;
import java.util.Objects;
import java.util.concurrent.CopyOnWriteArrayList;
import org.jspecify.annotations.Nullable;

/** A stream in memory: the test is the coordinator. */
public final class SimulatedCoordinatorLink implements CoordinatorLink {

    public final List<CoordinatorMessage> sent = new CopyOnWriteArrayList<>();
    public final List<Reason> refused = new ArrayList<>();
    public boolean closed;
    private @Nullable LinkListener listener;

    @Override
    public void start(LinkListener itsListener) {
        listener = itsListener;
    }

    @Override
    public void send(CoordinatorMessage message) {
        sent.add(message);
    }

    @Override
    public void refuse(Reason reason) {
        refused.add(reason);
    }

    @Override
    public void close() {
        closed = true;
    }

    public LinkListener agent() {
        return Objects.requireNonNull(listener, "not started");
    }

    public void welcome(ClusterId cluster, EpochId epoch) {
        agent().received(new LinkListener.Batch(epoch, 1, cluster, List.of(new AgentMessage.Welcome(epoch))));
    }

    public void order(EpochId epoch, AgentMessage... messages) {
        agent().received(new LinkListener.Batch(epoch, 1, null, List.of(messages)));
    }

    /** The kinds of what was sent since the last call, in order. */
    public List<String> takeKinds() {
        List<String> kinds = sent.stream()
                .map(message -> message instanceof CoordinatorMessage.BranchVote vote
                        ? "vote " + vote.vote()
                        : message.getClass().getSimpleName())
                .toList();
        sent.clear();
        return kinds;
    }
}
