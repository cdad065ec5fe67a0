package io.troth.chaos.stack;

import io.grpc.CallOptions;
import io.grpc.Channel;
import io.grpc.ClientInterceptors;
import io.grpc.Grpc;
import io.grpc.InsecureChannelCredentials;
import io.grpc.InsecureServerCredentials;
import io.grpc.ManagedChannel;
import io.grpc.MethodDescriptor;
import io.grpc.Server;
import io.grpc.ServerInterceptors;
import io.grpc.ServerServiceDefinition;
import io.grpc.Status;
import io.grpc.stub.ClientCalls;
import io.grpc.stub.ServerCalls;
import io.grpc.stub.StreamObserver;
import io.troth.client.grpc.TrothClientInterceptor;
import io.troth.client.grpc.TrothServerInterceptor;
import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;

/** An application's gRPC service with one method from text to text, under Troth's interceptors. */
final class TextService implements AutoCloseable {

    /** What the service does with a request. */
    @FunctionalInterface
    interface Handler {
        /** Returns the reply; what it throws becomes an error reply. */
        String handle(String request) throws Exception;
    }

    private static final MethodDescriptor<String, String> CALL = MethodDescriptor.<String, String>newBuilder(
                    new Text(), new Text())
            .setType(MethodDescriptor.MethodType.UNARY)
            .setFullMethodName("chain.Service/Call")
            .build();

    private final Server server;
    private final AtomicInteger served = new AtomicInteger();

    TextService(Handler handler) throws IOException {
        ServerServiceDefinition service = ServerServiceDefinition.builder("chain.Service")
                .addMethod(CALL, ServerCalls.asyncUnaryCall((request, replies) -> answer(handler, request, replies)))
                .build();
        server = Grpc.newServerBuilderForPort(0, InsecureServerCredentials.create())
                .addService(ServerInterceptors.intercept(service, new TrothServerInterceptor()))
                .build()
                .start();
    }

    int port() {
        return server.getPort();
    }

    /** How many calls the handler has begun to serve. */
    int served() {
        return served.get();
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

    private void answer(Handler handler, String request, StreamObserver<String> replies) {
        served.incrementAndGet();
        String reply;
        try {
            reply = handler.handle(request);
        } catch (Exception e) {
            replies.onError(
                    Status.INTERNAL.withDescription(e.getMessage()).withCause(e).asRuntimeException());
            return;
        }
        replies.onNext(reply);
        replies.onCompleted();
    }

    /** A caller's side: a channel of its own to a service, with Troth's interceptor. */
    static final class Caller implements AutoCloseable {

        private final ManagedChannel channel;
        private final Channel intercepted;

        Caller(int port) {
            channel = Grpc.newChannelBuilderForAddress("localhost", port, InsecureChannelCredentials.create())
                    .build();
            intercepted = ClientInterceptors.intercept(channel, new TrothClientInterceptor());
        }

        /** The channel without Troth's interceptor. */
        Channel plainChannel() {
            return channel;
        }

        String call(String request) {
            return ClientCalls.blockingUnaryCall(intercepted, CALL, CallOptions.DEFAULT, request);
        }

        /** As {@link #call} through another interceptor nearer to the wire. */
        String call(String request, io.grpc.ClientInterceptor below) {
            Channel channelBelow = ClientInterceptors.intercept(channel, below);
            return ClientCalls.blockingUnaryCall(
                    ClientInterceptors.intercept(channelBelow, new TrothClientInterceptor()),
                    CALL,
                    CallOptions.DEFAULT,
                    request);
        }

        @Override
        public void close() {
            channel.shutdownNow();
        }
    }

    private static final class Text implements MethodDescriptor.Marshaller<String> {
        @Override
        public InputStream stream(String value) {
            return new ByteArrayInputStream(value.getBytes(StandardCharsets.UTF_8));
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
