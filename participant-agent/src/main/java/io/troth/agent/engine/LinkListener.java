package io.troth.agent.engine;

import io.troth.core.ClusterId;
import io.troth.core.EpochId;
import io.troth.core.Reason;
import io.troth.core.coordinator.AgentHello;
import io.troth.core.coordinator.AgentMessage;
import java.util.List;
import org.jspecify.annotations.Nullable;

/** What a {@link CoordinatorLink} tells the engine, on the link's thread. */
public interface LinkListener {

    /**
     * One batch of a coordinator.
     *
     * @param epoch the epoch it leads; null as long as it is not ready
     * @param durableBatch the highest batch of its log known to be durable
     * @param cluster the cluster it names in its welcome; null when the batch has none
     * @param messages what it says, in order
     */
    record Batch(
            @Nullable EpochId epoch,
            long durableBatch,
            @Nullable ClusterId cluster,
            List<AgentMessage> messages) {
        public Batch {
            messages = List.copyOf(messages);
        }
    }

    /** Who the agent is and what it has heard, for a stream that opens now. */
    AgentHello hello();

    /** The cluster the agent belongs to, null when it has never heard of one. */
    @Nullable
    ClusterId cluster();

    /** The peer has said something. */
    void received(Batch batch);

    /**
     * The stream is gone. Nothing of it is delivered afterwards, and the next one opens after this call.
     *
     * @param reason DRAINING when the link has been closed, else STREAM_BROKEN
     */
    void broken(Reason reason);
}
