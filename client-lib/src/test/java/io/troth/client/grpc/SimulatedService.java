package io.troth.client.grpc;

import io.grpc.CallOptions;
import io.grpc.Channel;
import io.grpc.ClientInterceptors;
import io.grpc.ManagedChannel;
import io.grpc.Metadata;
import io.grpc.MethodDescriptor;
import io.grpc.Server;
import io.grpc.ServerCall;
import io.grpc.ServerCallHandler;
import io.grpc.ServerInterceptor;
import io.grpc.ServerInterceptors;
import io.grpc.ServerServiceDefinition;
import io.grpc.Status;
import io.grpc.StatusRuntimeException;
import io.grpc.inprocess.InProcessChannelBuilder;
import io.grpc.inprocess.InProcessServerBuilder;
import io.grpc.stub.ClientCalls;
import io.grpc.stub.ServerCalls;
import io.grpc.stub.StreamObserver;
import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.TimeUnit;
import java.util.function.UnaryOperator;

/** A service with one unary and one streaming method over text, in this process, and a channel to it. */
final class SimulatedService implements AutoCloseable {

    static final MethodDescriptor<String, String> CALL = method(MethodDescriptor.MethodType.UNARY, "Call");
    static final MethodDescriptor<String, String> STREAM =
            method(MethodDescriptor.MethodType.SERVER_STREAMING, "Stream");

    private final Server server;
    private final ManagedChannel channel;
    private final Channel intercepted;
    private final List<String> contexts = new CopyOnWriteArrayList<>();

    /** Serves the unary method with the function, and the streaming one with its result cut at blanks. */
    SimulatedService(String name, UnaryOperator<String> function, ServerInterceptor... innermostFirst)
            throws IOException {
        ServerServiceDefinition service = ServerServiceDefinition.builder("test.Service")
                .addMethod(CALL, ServerCalls.asyncUnaryCall((request, replies) -> answer(function, request, replies)))
                .addMethod(
                        STREAM,
                        ServerCalls.asyncServerStreamingCall((request, replies) -> stream(function, request, replies)))
                .build();
        List<ServerInterceptor> interceptors = new ArrayList<>(Arrays.asList(innermostFirst));
        interceptors.add(new Recorder());
        server = InProcessServerBuilder.forName(name)
                .addService(ServerInterceptors.intercept(service, interceptors))
                .build()
                .start();
        channel = InProcessChannelBuilder.forName(name)
                .enableRetry()
                .defaultServiceConfig(Map.of(
                        "methodConfig",
                        List.of(Map.of(
                                "name",
                                List.of(Map.of("service", "test.Service")),
                                "retryPolicy",
                                Map.of(
                                        "maxAttempts",
                                        2.0,
                                        "initialBackoff",
                                        "0.001s",
                                        "maxBackoff",
                                        "0.001s",
                                        "backoffMultiplier",
                                        1.0,
                                        "retryableStatusCodes",
                                        List.of("UNAVAILABLE"))))))
                .build();
        intercepted = ClientInterceptors.intercept(channel, new TrothClientInterceptor());
    }

    Channel channel() {
        return intercepted;
    }

    /** The channel without our interceptor. */
    Channel plainChannel() {
        return channel;
    }

    /** Every troth-transaction header that came, "none" for a call without one. */
    List<String> contexts() {
        return contexts;
    }

    String call(String request) {
        return call(request, CallOptions.DEFAULT);
    }

    String call(String request, CallOptions options) {
        return ClientCalls.blockingUnaryCall(intercepted, CALL, options, request);
    }

    private static void answer(UnaryOperator<String> function, String request, StreamObserver<String> replies) {
        String reply;
        try {
            reply = function.apply(request);
        } catch (StatusRuntimeException e) {
            replies.onError(e);
            return;
        }
        replies.onNext(reply);
        replies.onCompleted();
    }

    private static void stream(UnaryOperator<String> function, String request, StreamObserver<String> replies) {
        for (String word : function.apply(request).split(" ", -1)) {
            replies.onNext(word);
        }
        if (!request.equals("for ever")) {
            replies.onCompleted();
        }
    }

    @Override
    public void close() {
        channel.shutdownNow();
        server.shutdownNow();
        try {
            server.awaitTermination(30, TimeUnit.SECONDS);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
    }

    static StatusRuntimeException error(Status.Code code) {
        return Status.fromCode(code).asRuntimeException();
    }

    private final class Recorder implements ServerInterceptor {
        @Override
        public <Q, R> ServerCall.Listener<Q> interceptCall(
                ServerCall<Q, R> call, Metadata headers, ServerCallHandler<Q, R> next) {
            String context = headers.get(TrothMetadata.CONTEXT);
            contexts.add(context == null ? "none" : context);
            return next.startCall(call, headers);
        }
    }

    private static MethodDescriptor<String, String> method(MethodDescriptor.MethodType type, String name) {
        return MethodDescriptor.<String, String>newBuilder(new Text(), new Text())
                .setType(type)
                .setFullMethodName("test.Service/" + name)
                .build();
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
