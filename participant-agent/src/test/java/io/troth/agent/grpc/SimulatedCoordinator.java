package io.troth.agent.grpc;

import io.grpc.Server;
import io.grpc.netty.shaded.io.grpc.netty.NettyServerBuilder;
import io.grpc.stub.StreamObserver;
import io.troth.core.ClusterId;
import io.troth.proto.v1.ClientEntry;
import io.troth.proto.v1.ClientReply;
import io.troth.proto.v1.ClientServiceGrpc;
import io.troth.proto.v1.ClientStreamRequest;
import io.troth.proto.v1.ClientStreamResponse;
import io.troth.proto.v1.CommitContent;
import io.troth.proto.v1.CoordinatorState;
import io.troth.proto.v1.EpochId;
import io.troth.proto.v1.GlobalTxId;
import io.troth.proto.v1.Outcome;
import io.troth.proto.v1.ResourceLocated;
import io.troth.proto.v1.SessionKey;
import io.troth.proto.v1.SessionOpened;
import io.troth.proto.v1.SessionRef;
import io.troth.proto.v1.TransactionAnswer;
import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;

/** The client's side of a coordinator that agrees with everything and knows where gateways are. */
public final class SimulatedCoordinator extends ClientServiceGrpc.ClientServiceImplBase implements AutoCloseable {

    private final long cluster;
    private final EpochId epoch;
    private final Map<String, List<String>> gateways = new ConcurrentHashMap<>();
    private final AtomicInteger asksInVain = new AtomicInteger();
    private final List<CommitContent> commits = new CopyOnWriteArrayList<>();
    private final Server server;

    public SimulatedCoordinator(ClusterId cluster, io.troth.core.EpochId epoch) throws IOException {
        this.cluster = cluster.value();
        this.epoch = EpochId.newBuilder()
                .setNumber(epoch.number())
                .setNonce(epoch.nonce())
                .build();
        server = NettyServerBuilder.forAddress(new InetSocketAddress(InetAddress.getLoopbackAddress(), 0))
                .directExecutor()
                .addService(this)
                .build()
                .start();
    }

    public String endpoint() {
        return "localhost:" + server.getPort();
    }

    public void gateways(String resource, String... addresses) {
        gateways.put(resource, List.of(addresses));
    }

    /** As if the agents came after so many questions. */
    public void gatewaysComeAfter(int asks) {
        asksInVain.set(asks);
    }

    /** What every commit named. */
    public List<CommitContent> commits() {
        return commits;
    }

    @Override
    public StreamObserver<ClientStreamRequest> clientStream(StreamObserver<ClientStreamResponse> replies) {
        reply(
                replies,
                ClientReply.newBuilder()
                        .setCoordinatorState(CoordinatorState.newBuilder()
                                .setClusterId(cluster)
                                .setEpoch(epoch)));
        return new StreamObserver<>() {
            @Override
            public void onNext(ClientStreamRequest batch) {
                for (ClientEntry entry : batch.getEntriesList()) {
                    ClientReply.Builder answer = answer(entry);
                    if (answer != null) {
                        reply(replies, answer.setCorrelationId(entry.getCorrelationId()));
                    }
                }
            }

            @Override
            public void onError(Throwable cause) {
                // The client is gone.
            }

            @Override
            public void onCompleted() {
                replies.onCompleted();
            }
        };
    }

    private ClientReply.Builder answer(ClientEntry entry) {
        return switch (entry.getEntryCase()) {
            case OPEN_SESSION ->
                ClientReply.newBuilder()
                        .setSessionOpened(SessionOpened.newBuilder()
                                .setSession(SessionRef.newBuilder()
                                        .setEpoch(epoch)
                                        .setSession(1)
                                        .setKey(SessionKey.newBuilder().setLow(1)))
                                .setMaxOpen(1_000)
                                .setMaxAgeMillis(3_600_000));
            case COMMIT -> {
                commits.add(entry.getCommit().getContent());
                yield outcome(entry.getCommit().getTx(), Outcome.OUTCOME_COMMITTED);
            }
            case ROLLBACK -> outcome(entry.getRollback().getTx(), Outcome.OUTCOME_ROLLED_BACK);
            case LOCATE_RESOURCE ->
                ClientReply.newBuilder()
                        .setResourceLocated(ResourceLocated.newBuilder()
                                .addAllSqlAddresses(
                                        located(entry.getLocateResource().getResource())));
            case RESUME_SESSION, CLOSE_SESSION, OUTCOME_INQUIRY, PROGRESS, ENTRY_NOT_SET -> null;
        };
    }

    private List<String> located(String resource) {
        return asksInVain.getAndDecrement() > 0 ? List.of() : gateways.getOrDefault(resource, List.of());
    }

    private static ClientReply.Builder outcome(GlobalTxId tx, Outcome outcome) {
        return ClientReply.newBuilder()
                .setTransactionAnswer(TransactionAnswer.newBuilder().setTx(tx).setOutcome(outcome));
    }

    private static void reply(StreamObserver<ClientStreamResponse> replies, ClientReply.Builder reply) {
        replies.onNext(ClientStreamResponse.newBuilder().addReplies(reply).build());
    }

    @Override
    public void close() {
        server.shutdownNow();
        try {
            server.awaitTermination(30, TimeUnit.SECONDS);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
    }
}
