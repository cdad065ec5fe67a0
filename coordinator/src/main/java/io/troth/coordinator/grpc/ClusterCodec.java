package io.troth.coordinator.grpc;

import io.troth.coordinator.admin.ClusterView;
import io.troth.core.ClusterId;
import io.troth.core.ErrorCode;
import io.troth.core.Reason;
import io.troth.core.TrothException;
import io.troth.proto.v1.ClusterMember;
import io.troth.proto.v1.FollowerContact;
import io.troth.proto.v1.GetClusterResponse;
import io.troth.proto.v1.MemberRole;
import java.util.ArrayList;
import java.util.List;
import java.util.regex.Pattern;

/** A cluster as the wire says it, in both directions. Pure. */
final class ClusterCodec {

    private static final String ROLE_PREFIX = "MEMBER_ROLE_";
    /** As a configuration may have it. */
    private static final Pattern NODE = Pattern.compile("[0-9A-Za-z-]{1,64}");

    private static final Pattern ADDRESS = Pattern.compile("(\\[[0-9A-Fa-f:.]+]|[^:/\\s]+):[0-9]{1,5}");

    private ClusterCodec() {}

    /** Checks a name. */
    static String node(String name) {
        if (!NODE.matcher(name).matches()) {
            throw new IllegalArgumentException(
                    "a node has a name of letters, digits and hyphens, not \"" + name + "\"");
        }
        return name;
    }

    /** Checks an address. */
    static String address(String text) {
        if (!ADDRESS.matcher(text).matches()) {
            throw new IllegalArgumentException("\"" + text + "\" is not host:port");
        }
        return text;
    }

    static GetClusterResponse response(ClusterView view) {
        GetClusterResponse.Builder response = GetClusterResponse.newBuilder()
                .setCluster(view.cluster().toString())
                .setNode(view.node())
                .setVersion(view.version())
                .setRole(MemberRole.valueOf(ROLE_PREFIX + view.role().name()))
                .setTerm(view.term())
                .setLeader(view.leader() == null ? "" : view.leader())
                .setCommittedIndex(view.committedIndex())
                .setAppliedIndex(view.appliedIndex());
        for (ClusterView.Member member : view.members()) {
            ClusterMember.Builder wire = ClusterMember.newBuilder()
                    .setNode(member.node())
                    .setAddress(member.address())
                    .setEndpoint(member.endpoint() == null ? "" : member.endpoint());
            ClusterView.Contact contact = member.contact();
            if (contact != null) {
                wire.setContact(FollowerContact.newBuilder()
                        .setMatchedIndex(contact.matchedIndex())
                        .setSilentMillis(contact.silentMillis()));
            }
            response.addMembers(wire);
        }
        return response.build();
    }

    /**
     * What was said about the cluster.
     *
     * @throws TrothException when a newer coordinator says what this build does not know
     */
    static ClusterView view(GetClusterResponse response) {
        List<ClusterView.Member> members = new ArrayList<>();
        for (ClusterMember member : response.getMembersList()) {
            FollowerContact contact = member.getContact();
            members.add(new ClusterView.Member(
                    member.getNode(),
                    member.getAddress(),
                    member.getEndpoint().isEmpty() ? null : member.getEndpoint(),
                    member.hasContact()
                            ? new ClusterView.Contact(contact.getMatchedIndex(), contact.getSilentMillis())
                            : null));
        }
        return new ClusterView(
                ClusterId.parse(response.getCluster()),
                response.getNode(),
                response.getVersion(),
                role(response.getRole()),
                response.getTerm(),
                response.getLeader().isEmpty() ? null : response.getLeader(),
                response.getCommittedIndex(),
                response.getAppliedIndex(),
                members);
    }

    private static ClusterView.Role role(MemberRole role) {
        return switch (role) {
            case MEMBER_ROLE_LEADER, MEMBER_ROLE_FOLLOWER, MEMBER_ROLE_CANDIDATE, MEMBER_ROLE_OUTSIDE ->
                ClusterView.Role.valueOf(role.name().substring(ROLE_PREFIX.length()));
            case MEMBER_ROLE_UNSPECIFIED, UNRECOGNIZED ->
                throw new TrothException(new Reason(ErrorCode.INTERNAL, "a member has the role " + role));
        };
    }
}
