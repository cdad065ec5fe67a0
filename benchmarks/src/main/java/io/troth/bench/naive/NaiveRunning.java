package io.troth.bench.naive;

import com.google.protobuf.StringValue;
import io.grpc.CallOptions;
import io.grpc.ManagedChannel;
import io.grpc.MethodDescriptor;
import io.grpc.Server;
import io.grpc.netty.NettyChannelBuilder;
import io.grpc.netty.NettyServerBuilder;
import io.grpc.stub.ClientCalls;
import io.troth.bench.contender.Environment;
import io.troth.bench.contender.JavaProcess;
import io.troth.bench.contender.Running;
import io.troth.bench.contender.Work;
import io.troth.chaos.process.ChildProcess;
import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;

/** The callers and the participants of the naive design, in this process; its coordinator is another. */
final class NaiveRunning implements Running {

    private static final Duration LIMIT = Duration.ofSeconds(60);
    private static final int PARTICIPANTS = 2;

    private final ChildProcess coordinator;
    private final ManagedChannel channel;
    private final List<Server> participants = new ArrayList<>();

    NaiveRunning(Environment environment) throws IOException {
        coordinator = JavaProcess.start(
                environment.children(),
                "naive-coordinator",
                CoordinatorMain.class,
                List.of(environment.newDirectory("decisions").toString()));
        String port = coordinator.awaitLine(CoordinatorMain.READY, LIMIT).substring(CoordinatorMain.READY.length());
        channel = NettyChannelBuilder.forTarget("127.0.0.1:" + port)
                .usePlaintext()
                .build();
        for (int i = 0; i < PARTICIPANTS; i++) {
            participants.add(NettyServerBuilder.forAddress(new InetSocketAddress(InetAddress.getLoopbackAddress(), 0))
                    .addService(Calls.service(
                            "naive.Participant", Map.of(Calls.PREPARE, tx -> "yes", Calls.COMMIT_BRANCH, tx -> "yes")))
                    .build()
                    .start());
        }
    }

    @Override
    public void run(Work work) {
        String tx = call(Calls.BEGIN, "");
        for (int resource : work.resources()) {
            call(Calls.ENLIST, tx + " 127.0.0.1:" + participants.get(resource).getPort());
        }
        call(Calls.COMMIT, tx);
    }

    private String call(MethodDescriptor<StringValue, StringValue> method, String request) {
        return ClientCalls.blockingUnaryCall(channel, method, CallOptions.DEFAULT, StringValue.of(request))
                .getValue();
    }

    @Override
    public long forcedWrites() {
        coordinator.send("forces?");
        return Long.parseLong(
                coordinator.awaitLine(CoordinatorMain.FORCES, LIMIT).substring(CoordinatorMain.FORCES.length()));
    }

    @Override
    public Map<String, Long> processes() {
        return Map.of("coordinator", coordinator.pid());
    }

    @Override
    public void close() {
        channel.shutdownNow();
        participants.forEach(Server::shutdownNow);
        coordinator.close();
    }
}
