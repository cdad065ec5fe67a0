package io.troth.coordinator.log.raft;

import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.util.concurrent.TimeUnit;
import java.util.function.Supplier;
import org.apache.ratis.thirdparty.io.grpc.CallOptions;
import org.apache.ratis.thirdparty.io.grpc.ManagedChannel;
import org.apache.ratis.thirdparty.io.grpc.MethodDescriptor;
import org.apache.ratis.thirdparty.io.grpc.ServerServiceDefinition;
import org.apache.ratis.thirdparty.io.grpc.StatusRuntimeException;
import org.apache.ratis.thirdparty.io.grpc.netty.NettyChannelBuilder;
import org.apache.ratis.thirdparty.io.grpc.stub.ClientCalls;
import org.apache.ratis.thirdparty.io.grpc.stub.ServerCalls;
import org.jspecify.annotations.Nullable;

/** Members introduce themselves where they listen for each other, before and beside Raft. Thread-safe. */
final class Introductions {

    static final String SERVICE = "troth.raft.Introductions";

    private static final int BYTES_MAX = 64 * 1024;

    private static final MethodDescriptor<String, String> ASK = MethodDescriptor.<String, String>newBuilder()
            .setType(MethodDescriptor.MethodType.UNARY)
            .setFullMethodName(MethodDescriptor.generateFullMethodName(SERVICE, "Ask"))
            .setRequestMarshaller(new Text())
            .setResponseMarshaller(new Text())
            .build();

    private Introductions() {}

    /** The service that answers with what this member says of itself at the time. */
    static ServerServiceDefinition service(Supplier<Introduction> own) {
        return ServerServiceDefinition.builder(SERVICE)
                .addMethod(ASK, ServerCalls.asyncUnaryCall((question, answers) -> {
                    answers.onNext(own.get().encode());
                    answers.onCompleted();
                }))
                .build();
    }

    /**
     * Asks the member at an address, and waits.
     *
     * @param tls null for plaintext
     * @throws IOException when nobody answers there in time, or with nonsense
     */
    static Introduction ask(String address, @Nullable MemberTls tls, long timeoutMillis) throws IOException {
        NettyChannelBuilder builder = NettyChannelBuilder.forTarget(address)
                .directExecutor()
                .proxyDetector(target -> null)
                .maxInboundMessageSize(BYTES_MAX);
        ManagedChannel channel = (tls == null ? builder.usePlaintext() : builder.sslContext(tls.client())).build();
        try {
            CallOptions options = CallOptions.DEFAULT.withDeadlineAfter(timeoutMillis, TimeUnit.MILLISECONDS);
            return Introduction.decode(ClientCalls.blockingUnaryCall(channel, ASK, options, ""));
        } catch (StatusRuntimeException | IllegalArgumentException e) {
            throw new IOException(address + ": " + text(e), e);
        } finally {
            channel.shutdownNow();
        }
    }

    /** With the innermost words, which gRPC leaves out: those around them only say that it did not work. */
    private static String text(RuntimeException failure) {
        String text = String.valueOf(failure.getMessage());
        String why = text;
        for (Throwable cause = failure.getCause(); cause != null; cause = cause.getCause()) {
            why = cause.getMessage() == null ? why : cause.getMessage();
        }
        return text.contains(why) ? text : text + " (" + why + ")";
    }

    private static final class Text implements MethodDescriptor.Marshaller<String> {
        @Override
        public InputStream stream(String text) {
            return new ByteArrayInputStream(text.getBytes(StandardCharsets.UTF_8));
        }

        @Override
        public String parse(InputStream stream) {
            try {
                return new String(stream.readAllBytes(), StandardCharsets.UTF_8);
            } catch (IOException e) {
                throw new UncheckedIOException(e);
            }
        }
    }
}
