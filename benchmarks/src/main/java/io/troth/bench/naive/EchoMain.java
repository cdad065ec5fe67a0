package io.troth.bench.naive;

import com.google.protobuf.StringValue;
import io.grpc.Server;
import io.grpc.ServerServiceDefinition;
import io.grpc.netty.NettyServerBuilder;
import io.grpc.stub.ServerCalls;
import io.grpc.stub.StreamObserver;
import io.troth.chaos.process.Lifeline;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.concurrent.atomic.AtomicLong;

/** Answers each message of a stream on the thread that reads it; some after 100 bytes were appended and forced. */
public final class EchoMain {

    /** The message that wants a forced write. */
    static final String FORCE = "force";

    private static final int RECORD_BYTES = 100;

    private EchoMain() {}

    /** Takes the directory of its file. Ends with its parent. */
    public static void main(String[] arguments) throws Exception {
        try (FileChannel file = FileChannel.open(
                Path.of(arguments[0]).resolve("log"), StandardOpenOption.CREATE_NEW, StandardOpenOption.WRITE)) {
            AtomicLong forces = new AtomicLong();
            Lifeline.attach(line -> say(CoordinatorMain.FORCES + forces.get()));
            ServerServiceDefinition service = ServerServiceDefinition.builder("floor.Echo")
                    .addMethod(
                            Calls.ECHO, ServerCalls.asyncBidiStreamingCall(answers -> new Echo(answers, file, forces)))
                    .build();
            Server server = NettyServerBuilder.forAddress(new InetSocketAddress(InetAddress.getLoopbackAddress(), 0))
                    .directExecutor()
                    .addService(service)
                    .build()
                    .start();
            say(CoordinatorMain.READY + server.getPort());
            server.awaitTermination();
        }
    }

    private static void say(String line) {
        System.out.println(line);
        System.out.flush();
    }

    private record Echo(StreamObserver<StringValue> answers, FileChannel file, AtomicLong forces)
            implements StreamObserver<StringValue> {

        @Override
        public void onNext(StringValue message) {
            if (message.getValue().equals(FORCE)) {
                try {
                    ByteBuffer record = ByteBuffer.allocate(RECORD_BYTES);
                    while (record.hasRemaining()) {
                        file.write(record);
                    }
                    file.force(false);
                    forces.incrementAndGet();
                } catch (IOException e) {
                    throw new UncheckedIOException(e);
                }
            }
            answers.onNext(message);
        }

        @Override
        public void onError(Throwable cause) {
            // The caller is gone, and so is the stream.
        }

        @Override
        public void onCompleted() {
            answers.onCompleted();
        }
    }
}
