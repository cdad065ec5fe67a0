package io.troth.coordinator.log.raft;

import io.troth.coordinator.engine.DecisionLog;
import org.jspecify.annotations.Nullable;

/** Hears what a member of a replicated log is. Any thread, one call at a time for each method; must return at once. */
public interface LeadershipListener {

    /** Hears nothing: for a member that is only made. */
    LeadershipListener NONE = new LeadershipListener() {
        @Override
        public void leads(DecisionLog log) {}

        @Override
        public void leaderChanged(@Nullable String node) {}

        @Override
        public void failed(Throwable cause) {}
    };

    /**
     * This member leads, and knows all that was decided before. The end of the leadership is told to the log's own
     * listener.
     *
     * @param log not yet recovered; whoever takes it closes it
     */
    void leads(DecisionLog log);

    /**
     * Somebody else leads, or nobody is known to.
     *
     * @param node the name of the leader as far as this member knows; may be its own
     */
    void leaderChanged(@Nullable String node);

    /** The member can not go on: the process must stop (protocol L5). */
    void failed(Throwable cause);
}
