package io.troth.coordinator.admin;

import io.troth.core.ClusterId;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * The cluster with the eyes of all members that answer, put together.
 *
 * @param leader null when none of them leads
 * @param members in the order of the names; those outside that were asked come last
 */
public record ClusterStatus(ClusterId cluster, @Nullable String leader, List<Line> members) {

    public ClusterStatus {
        members = List.copyOf(members);
    }

    /**
     * One member.
     *
     * @param reachable whether it answered; for one whose endpoint is not known, whether it answers its leader
     * @param role what it says it is; null when it did not answer
     * @param appliedIndex the last entry it has applied; null when it did not answer
     * @param lag how many entries it is behind what the leader knows to be committed; null when that is not known
     * @param version of the build that it runs; null when it did not answer
     */
    public record Line(
            String node,
            String address,
            @Nullable String endpoint,
            boolean reachable,
            ClusterView.@Nullable Role role,
            @Nullable Long term,
            @Nullable Long appliedIndex,
            @Nullable Long lag,
            @Nullable String version) {}

    /**
     * Puts it together.
     *
     * @param first how the member that was asked first sees it
     * @param views how each member that answered sees it, by name; that one included
     * @param silentMillisMax a follower that has not answered its leader for so long is not reachable
     */
    public static ClusterStatus of(ClusterView first, Map<String, ClusterView> views, long silentMillisMax) {
        ClusterView leading = null;
        for (ClusterView view : views.values()) {
            boolean leads = view.role() == ClusterView.Role.LEADER;
            if (leads && (leading == null || view.term() > leading.term())) {
                leading = view;
            }
        }
        ClusterView best = leading == null ? first : leading;
        List<Line> lines = new ArrayList<>();
        for (ClusterView.Member member : best.members()) {
            lines.add(line(member, views.get(member.node()), leading, silentMillisMax));
        }
        if (best.member(first.node()) == null) {
            lines.add(line(new ClusterView.Member(first.node(), "", null, null), first, leading, silentMillisMax));
        }
        return new ClusterStatus(first.cluster(), leading == null ? null : leading.node(), lines);
    }

    private static Line line(
            ClusterView.Member member,
            @Nullable ClusterView itself,
            @Nullable ClusterView leading,
            long silentMillisMax) {
        if (itself != null) {
            Long lag = leading == null ? null : Math.max(0, leading.committedIndex() - itself.appliedIndex());
            return new Line(
                    member.node(),
                    member.address(),
                    member.endpoint(),
                    true,
                    itself.role(),
                    itself.term(),
                    itself.appliedIndex(),
                    lag,
                    itself.version());
        }
        ClusterView.Contact contact = member.contact();
        boolean answersLeader =
                member.endpoint() == null && contact != null && contact.silentMillis() <= silentMillisMax;
        Long lag = contact == null || leading == null
                ? null
                : Math.max(0, leading.committedIndex() - contact.matchedIndex());
        return new Line(member.node(), member.address(), member.endpoint(), answersLeader, null, null, null, lag, null);
    }
}
