package io.troth.coordinator.admin;

import io.troth.core.ClusterId;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * The cluster with the eyes of one member.
 *
 * @param node who sees it so
 * @param version of the build that it runs
 * @param term Raft's
 * @param leader the name of the leader, null when nobody is known to lead
 * @param committedIndex the last entry of the log that this member knows to be committed; -1 for none
 * @param appliedIndex the last entry that this member has applied; -1 for none
 * @param members the configuration as this member knows it, in the order of the names
 */
public record ClusterView(
        ClusterId cluster,
        String node,
        String version,
        Role role,
        long term,
        @Nullable String leader,
        long committedIndex,
        long appliedIndex,
        List<Member> members) {

    public ClusterView {
        members = List.copyOf(members);
    }

    /** What a member is. */
    public enum Role {
        LEADER,
        FOLLOWER,
        /** It wants to lead. */
        CANDIDATE,
        /** It was made and not taken in yet, or it was removed: it has no vote. */
        OUTSIDE
    }

    /**
     * One member.
     *
     * @param address where it listens for the other members
     * @param endpoint where it listens for clients and agents; null when nobody has said so
     * @param contact what the leader knows of a follower; null in the view of anybody else, and for itself
     */
    public record Member(
            String node,
            String address,
            @Nullable String endpoint,
            @Nullable Contact contact) {}

    /**
     * A follower with the eyes of its leader.
     *
     * @param matchedIndex the last entry that it is known to have; -1 for none
     * @param silentMillis how long ago it answered
     */
    public record Contact(long matchedIndex, long silentMillis) {}

    /** The member of this name, null when there is none. */
    public @Nullable Member member(String name) {
        return members.stream()
                .filter(member -> member.node().equals(name))
                .findFirst()
                .orElse(null);
    }
}
