package io.troth.coordinator.log.raft;

import io.troth.coordinator.admin.ClusterView;
import io.troth.core.Build;
import io.troth.core.ClusterId;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import org.apache.ratis.proto.RaftProtos.RaftPeerRole;
import org.apache.ratis.proto.RaftProtos.ServerRpcProto;
import org.apache.ratis.protocol.RaftPeer;
import org.apache.ratis.protocol.RaftPeerId;
import org.apache.ratis.server.DivisionInfo;
import org.apache.ratis.server.RaftServer;
import org.jspecify.annotations.Nullable;

/** What Ratis knows of the cluster, in our words. Thread-safe. */
final class Views {

    private Views() {}

    static ClusterView of(ClusterId cluster, MemberId own, RaftServer.Division division) {
        DivisionInfo info = division.getInfo();
        Map<RaftPeerId, ClusterView.Contact> contacts = contacts(info);
        List<ClusterView.Member> members = new ArrayList<>();
        boolean isMember = false;
        for (RaftPeer peer : division.getRaftConf().getCurrentPeers()) {
            isMember |= peer.getId().equals(own.raftId());
            members.add(new ClusterView.Member(
                    MemberId.nodeOf(peer.getId()), peer.getAddress(), endpoint(peer), contacts.get(peer.getId())));
        }
        members.sort(Comparator.comparing(ClusterView.Member::node));
        RaftPeerId leader = info.getLeaderId();
        return new ClusterView(
                cluster,
                own.node(),
                Build.VERSION,
                isMember ? role(info.getCurrentRole()) : ClusterView.Role.OUTSIDE,
                info.getCurrentTerm(),
                leader == null ? null : MemberId.nodeOf(leader),
                division.getRaftLog().getLastCommittedIndex(),
                info.getLastAppliedIndex(),
                members);
    }

    private static @Nullable String endpoint(RaftPeer peer) {
        String address = peer.getClientAddress();
        return address == null || address.isEmpty() ? null : address;
    }

    /** Of the followers, when this member leads; empty when it does not, or when they are just changing. */
    private static Map<RaftPeerId, ClusterView.Contact> contacts(DivisionInfo info) {
        long[] matched = info.getFollowerMatchIndices();
        List<ServerRpcProto> followers = info.getRoleInfoProto().getLeaderInfo().getFollowerInfoList();
        Map<RaftPeerId, ClusterView.Contact> contacts = new HashMap<>();
        if (matched != null && matched.length == followers.size()) {
            for (int i = 0; i < matched.length; i++) {
                ServerRpcProto follower = followers.get(i);
                contacts.put(
                        RaftPeerId.valueOf(follower.getId().getId()),
                        new ClusterView.Contact(matched[i], follower.getLastRpcElapsedTimeMs()));
            }
        }
        return contacts;
    }

    private static ClusterView.Role role(RaftPeerRole role) {
        return switch (role) {
            case LEADER -> ClusterView.Role.LEADER;
            case FOLLOWER -> ClusterView.Role.FOLLOWER;
            case CANDIDATE -> ClusterView.Role.CANDIDATE;
            case LISTENER, UNRECOGNIZED -> ClusterView.Role.OUTSIDE;
        };
    }
}
