package io.troth.coordinator.log.raft;

import java.security.cert.CertificateException;
import java.security.cert.X509Certificate;
import java.util.EnumSet;
import java.util.Set;
import java.util.function.Supplier;
import javax.net.ssl.SSLPeerUnverifiedException;
import javax.net.ssl.SSLSession;
import org.apache.ratis.grpc.server.GrpcServices;
import org.apache.ratis.proto.RaftProtos.AppendEntriesRequestProto;
import org.apache.ratis.proto.RaftProtos.InstallSnapshotRequestProto;
import org.apache.ratis.proto.RaftProtos.RaftRpcRequestProto;
import org.apache.ratis.proto.RaftProtos.ReadIndexRequestProto;
import org.apache.ratis.proto.RaftProtos.RequestVoteRequestProto;
import org.apache.ratis.proto.RaftProtos.StartLeaderElectionRequestProto;
import org.apache.ratis.proto.grpc.RaftServerProtocolServiceGrpc;
import org.apache.ratis.thirdparty.com.google.protobuf.ByteString;
import org.apache.ratis.thirdparty.io.grpc.ForwardingServerCall;
import org.apache.ratis.thirdparty.io.grpc.ForwardingServerCallListener;
import org.apache.ratis.thirdparty.io.grpc.Grpc;
import org.apache.ratis.thirdparty.io.grpc.Metadata;
import org.apache.ratis.thirdparty.io.grpc.ServerCall;
import org.apache.ratis.thirdparty.io.grpc.ServerCallHandler;
import org.apache.ratis.thirdparty.io.grpc.ServerInterceptor;
import org.apache.ratis.thirdparty.io.grpc.Status;
import org.apache.ratis.thirdparty.io.grpc.netty.NettyServerBuilder;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * What a member answers where it listens for the others: Raft's own messages that are meant for it and nobody else, and
 * introductions. With TLS they come from members only, each of which speaks for itself; one that is not a member yet may
 * introduce itself. Thread-safe.
 *
 * <p>Ratis takes any message of its group, also one to another member that was at this address before. A node that lost
 * its disk could so give a vote, or acknowledge an entry, in the name of the one it was. It also offers there what
 * clients and administrators of Ratis may do, which nobody uses here.
 */
final class Doorkeeper implements GrpcServices.Customizer, ServerInterceptor {

    private static final Logger LOG = LoggerFactory.getLogger(Doorkeeper.class);

    private final ByteString own;
    private final Supplier<Introduction> introduction;
    private final @Nullable MemberTls tls;
    private final Supplier<Set<String>> members;
    private final Runnable promises;

    /**
     * Keeps the door of this member.
     *
     * @param tls null for plaintext
     * @param members the names of those who may speak, where there is TLS
     * @param promises returns when on disk is what an answer to a member may rest on
     */
    Doorkeeper(
            MemberId own,
            Supplier<Introduction> introduction,
            @Nullable MemberTls tls,
            Supplier<Set<String>> members,
            Runnable promises) {
        this.promises = promises;
        this.tls = tls;
        this.members = members;
        this.own = own.raftId().toByteString();
        this.introduction = introduction;
    }

    @Override
    public NettyServerBuilder customize(NettyServerBuilder builder, EnumSet<GrpcServices.Type> types) {
        return builder.addService(Introductions.service(introduction)).intercept(this);
    }

    @Override
    public <Q, R> ServerCall.Listener<Q> interceptCall(
            ServerCall<Q, R> call, Metadata headers, ServerCallHandler<Q, R> next) {
        String service = String.valueOf(call.getMethodDescriptor().getServiceName());
        if (service.equals(Introductions.SERVICE)) {
            return next.startCall(call, headers);
        }
        if (!service.equals(RaftServerProtocolServiceGrpc.SERVICE_NAME)) {
            call.close(Status.PERMISSION_DENIED.withDescription("members only"), new Metadata());
            return new ServerCall.Listener<>() {};
        }
        String speaker = speaker(call);
        if (tls != null && !members.get().contains(speaker)) {
            LOG.warn("refused {}, which is no member", speaker);
            call.close(Status.PERMISSION_DENIED.withDescription("members only"), new Metadata());
            return new ServerCall.Listener<>() {};
        }
        ServerCall<Q, R> answering = new ForwardingServerCall.SimpleForwardingServerCall<>(call) {
            @Override
            public void sendMessage(R message) {
                promises.run();
                super.sendMessage(message);
            }
        };
        return new ForwardingServerCallListener.SimpleForwardingServerCallListener<>(
                next.startCall(answering, headers)) {
            private boolean refused;

            @Override
            public void onMessage(Q message) {
                RaftRpcRequestProto request = request(message);
                if (request != null && request.getReplyId().equals(own) && speaksForItself(request, speaker)) {
                    super.onMessage(message);
                } else if (!refused) {
                    refused = true;
                    LOG.warn(
                            "refused a message of {} that is meant for {}",
                            request == null
                                    ? "somebody"
                                    : request.getRequestorId().toStringUtf8(),
                            request == null ? "nobody" : request.getReplyId().toStringUtf8());
                    call.close(Status.FAILED_PRECONDITION.withDescription("not that member"), new Metadata());
                    onCancel();
                }
            }

            @Override
            public void onHalfClose() {
                if (!refused) {
                    super.onHalfClose();
                }
            }
        };
    }

    /** Whose certificate was shown; null when that is not known. */
    private @Nullable String speaker(ServerCall<?, ?> call) {
        SSLSession session = call.getAttributes().get(Grpc.TRANSPORT_ATTR_SSL_SESSION);
        try {
            return tls == null
                            || session == null
                            || !(session.getPeerCertificates()[0] instanceof X509Certificate shown)
                    ? null
                    : tls.trust().nodeOf(shown);
        } catch (SSLPeerUnverifiedException | CertificateException e) {
            return null;
        }
    }

    private boolean speaksForItself(RaftRpcRequestProto request, @Nullable String speaker) {
        return tls == null || request.getRequestorId().toStringUtf8().startsWith(speaker + ".");
    }

    /** Who it is from and for; null for what nobody sends. */
    private static @Nullable RaftRpcRequestProto request(Object message) {
        if (message instanceof AppendEntriesRequestProto append) {
            return append.getServerRequest();
        }
        if (message instanceof RequestVoteRequestProto vote) {
            return vote.getServerRequest();
        }
        if (message instanceof InstallSnapshotRequestProto snapshot) {
            return snapshot.getServerRequest();
        }
        if (message instanceof StartLeaderElectionRequestProto election) {
            return election.getServerRequest();
        }
        return message instanceof ReadIndexRequestProto read ? read.getServerRequest() : null;
    }
}
