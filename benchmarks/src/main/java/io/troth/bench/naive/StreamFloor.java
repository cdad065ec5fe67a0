package io.troth.bench.naive;

import com.google.protobuf.StringValue;
import io.grpc.CallOptions;
import io.grpc.ManagedChannel;
import io.grpc.netty.NettyChannelBuilder;
import io.grpc.stub.ClientCalls;
import io.grpc.stub.StreamObserver;
import io.troth.bench.contender.Environment;
import io.troth.bench.contender.JavaProcess;
import io.troth.bench.contender.NoopContender;
import io.troth.bench.contender.Running;
import io.troth.bench.contender.Work;
import io.troth.chaos.process.ChildProcess;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import org.jspecify.annotations.Nullable;

/** The least that a coordinator in another process can take: two round trips on a stream and one forced write. */
public record StreamFloor() implements NoopContender {

    @Override
    public String name() {
        return "stream-floor";
    }

    @Override
    public String description() {
        return "1 fdatasync and 2 round trips on a gRPC stream between two processes, asynchronous";
    }

    @Override
    public int inFlightMax() {
        return 1;
    }

    @Override
    public Running open(Environment environment) {
        return new Talk(environment);
    }

    /** One message at a time is on its way, so that its answer is the next one that comes. */
    private static final class Talk implements Running, StreamObserver<StringValue> {

        private static final Duration LIMIT = Duration.ofSeconds(60);
        private static final StringValue FORCE = StringValue.of(EchoMain.FORCE);
        private static final StringValue ECHO = StringValue.of("echo");

        private final ChildProcess server;
        private final ManagedChannel channel;
        private final StreamObserver<StringValue> requests;

        /** Set before the message is sent whose answer completes it. */
        private volatile @Nullable CompletableFuture<Boolean> waiting;

        Talk(Environment environment) {
            server = JavaProcess.start(
                    environment.children(),
                    "stream-floor",
                    EchoMain.class,
                    List.of(environment.newDirectory("log").toString()));
            String port = server.awaitLine(CoordinatorMain.READY, LIMIT).substring(CoordinatorMain.READY.length());
            channel = NettyChannelBuilder.forTarget("127.0.0.1:" + port)
                    .usePlaintext()
                    .directExecutor()
                    .build();
            requests = ClientCalls.asyncBidiStreamingCall(channel.newCall(Calls.ECHO, CallOptions.DEFAULT), this);
        }

        @Override
        public boolean isAsync() {
            return true;
        }

        @Override
        public CompletionStage<?> submit(Work work) {
            CompletableFuture<Boolean> done = new CompletableFuture<>();
            waiting = done;
            requests.onNext(FORCE);
            return done;
        }

        @Override
        public void onNext(StringValue answer) {
            if (answer.getValue().equals(EchoMain.FORCE)) {
                requests.onNext(ECHO);
                return;
            }
            CompletableFuture<Boolean> done = waiting;
            if (done != null) {
                done.complete(true);
            }
        }

        @Override
        public void onError(Throwable cause) {
            CompletableFuture<Boolean> done = waiting;
            if (done != null) {
                done.completeExceptionally(cause);
            }
        }

        @Override
        public void onCompleted() {
            onError(new IllegalStateException("the stream has ended"));
        }

        @Override
        public long forcedWrites() {
            server.send("forces?");
            return Long.parseLong(
                    server.awaitLine(CoordinatorMain.FORCES, LIMIT).substring(CoordinatorMain.FORCES.length()));
        }

        @Override
        public void close() {
            channel.shutdownNow();
            server.close();
        }
    }
}
