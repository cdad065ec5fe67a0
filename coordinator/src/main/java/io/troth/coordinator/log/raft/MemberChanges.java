package io.troth.coordinator.log.raft;

import io.troth.core.ClusterId;
import io.troth.core.ErrorCode;
import io.troth.core.Reason;
import io.troth.core.TrothException;
import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionException;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.atomic.AtomicLong;
import java.util.function.Consumer;
import java.util.function.Supplier;
import org.apache.ratis.protocol.ClientId;
import org.apache.ratis.protocol.RaftClientReply;
import org.apache.ratis.protocol.RaftGroupId;
import org.apache.ratis.protocol.RaftPeer;
import org.apache.ratis.protocol.SetConfigurationRequest;
import org.apache.ratis.protocol.exceptions.NotLeaderException;
import org.apache.ratis.protocol.exceptions.ReconfigurationInProgressException;
import org.apache.ratis.protocol.exceptions.ReconfigurationTimeoutException;
import org.apache.ratis.protocol.exceptions.SetConfigurationException;
import org.apache.ratis.server.RaftServer;
import org.jspecify.annotations.Nullable;

/** How a leader takes members in and removes them. Thread-safe. */
final class MemberChanges {

    private static final long INTRODUCTION_MILLIS = 5_000;

    private final ClusterId cluster;
    private final RaftGroupId group;
    private final @Nullable MemberTls tls;
    private final Supplier<RaftServer> server;
    private final ClientId client;
    private final AtomicLong calls;

    /** Whom this leader wants to take in, and where, while it does. */
    private final Map<String, String> coming = new ConcurrentHashMap<>();

    /** {@code tls} is null for plaintext; {@code client} and {@code calls} are the member's own. */
    MemberChanges(
            ClusterId cluster,
            RaftGroupId group,
            @Nullable MemberTls tls,
            Supplier<RaftServer> server,
            ClientId client,
            AtomicLong calls) {
        this.cluster = cluster;
        this.group = group;
        this.tls = tls;
        this.server = server;
        this.client = client;
        this.calls = calls;
    }

    /** Where each of those is that are just being taken in, by name. */
    Map<String, String> coming() {
        return Map.copyOf(coming);
    }

    /**
     * Takes a new member in; this one must lead. Waits for the new one to introduce itself.
     *
     * @param endpoint where it listens for clients and agents; null when nobody has said so
     * @return completed when it has the whole log and a vote
     * @throws io.troth.core.TrothException when it is not to be taken in; nothing was changed
     */
    CompletableFuture<Void> add(String node, String address, @Nullable String endpoint) {
        if (coming.putIfAbsent(node, address) != null) {
            throw refused(ErrorCode.CHANGE_UNDER_WAY, node + " is being taken in", null);
        }
        boolean asked = false;
        try {
            CompletableFuture<Void> added = addKnown(node, address, endpoint);
            asked = true;
            return added.whenComplete((done, failure) -> coming.remove(node));
        } finally {
            if (!asked) {
                coming.remove(node);
            }
        }
    }

    private CompletableFuture<Void> addKnown(String node, String address, @Nullable String endpoint) {
        Introduction introduction;
        try {
            introduction = Introductions.ask(address, tls, INTRODUCTION_MILLIS);
        } catch (IOException e) {
            throw refused(ErrorCode.MEMBER_UNREACHABLE, String.valueOf(e.getMessage()), e);
        }
        if (!introduction.cluster().equals(cluster)) {
            throw refused(ErrorCode.WRONG_CLUSTER, "at " + address + " is cluster " + introduction.cluster(), null);
        }
        if (!introduction.id().node().equals(node) || !introduction.isNew()) {
            throw refused(
                    ErrorCode.MEMBER_NOT_NEW,
                    "at " + address + " is " + introduction.id().node()
                            + (introduction.isNew() ? "" : ", which was a member before"),
                    null);
        }
        return setMembers(peers -> peers.add(RaftMember.peer(introduction.id(), address, endpoint)));
    }

    /**
     * Removes a member for good; this one must lead.
     *
     * @return completed when it has no vote any more
     */
    CompletableFuture<Void> remove(String node) {
        return setMembers(
                peers -> peers.removeIf(peer -> MemberId.nodeOf(peer.getId()).equals(node)));
    }

    private CompletableFuture<Void> setMembers(Consumer<List<RaftPeer>> change) {
        try {
            List<RaftPeer> before =
                    List.copyOf(server.get().getDivision(group).getRaftConf().getCurrentPeers());
            List<RaftPeer> after = new ArrayList<>(before);
            change.accept(after);
            SetConfigurationRequest.Arguments arguments = SetConfigurationRequest.Arguments.newBuilder()
                    .setServersInCurrentConf(before)
                    .setServersInNewConf(after)
                    .setMode(SetConfigurationRequest.Mode.COMPARE_AND_SET)
                    .build();
            return server.get()
                    .setConfigurationAsync(new SetConfigurationRequest(
                            client, server.get().getId(), group, calls.incrementAndGet(), arguments))
                    .handle(MemberChanges::checkChange);
        } catch (IOException e) {
            throw refusedBy(e);
        }
    }

    private static @Nullable Void checkChange(@Nullable RaftClientReply reply, @Nullable Throwable failure) {
        if (reply == null) {
            throw refusedBy(failure instanceof CompletionException ? failure.getCause() : failure);
        }
        if (!reply.isSuccess()) {
            throw refusedBy(reply.getException());
        }
        return null;
    }

    private static TrothException refusedBy(@Nullable Throwable raft) {
        ErrorCode code = ErrorCode.OUTCOME_UNKNOWN;
        if (raft instanceof NotLeaderException) {
            code = ErrorCode.NOT_LEADER;
        } else if (raft instanceof ReconfigurationInProgressException || raft instanceof SetConfigurationException) {
            // The second one: there was another change since this one has looked who the members are.
            code = ErrorCode.CHANGE_UNDER_WAY;
        } else if (raft instanceof ReconfigurationTimeoutException) {
            code = ErrorCode.MEMBER_UNREACHABLE;
        }
        return refused(code, raft == null ? "the change failed" : String.valueOf(raft.getMessage()), raft);
    }

    private static TrothException refused(ErrorCode code, String detail, @Nullable Throwable cause) {
        Reason reason = new Reason(code, detail);
        return cause == null ? new TrothException(reason) : new TrothException(reason, cause);
    }
}
