package io.troth.coordinator.grpc;

import io.grpc.MethodDescriptor;
import io.grpc.ServerCallHandler;
import io.grpc.ServerServiceDefinition;
import io.grpc.ServiceDescriptor;
import io.grpc.stub.ServerCalls;
import io.grpc.stub.StreamObserver;
import io.troth.core.Reason;

/** The stream services with requests that are not parsed by the transport: see {@link RawBatch}. */
final class RawMethods {

    private RawMethods() {}

    /** The generated service with the same name and schema, whose only method reads raw batches. */
    static <Q, R> ServerServiceDefinition bidi(
            ServiceDescriptor generated,
            MethodDescriptor<Q, R> method,
            WireLimits limits,
            ServerCalls.BidiStreamingMethod<RawBatch.Unread, R> handler) {
        return calls(generated, method, limits, ServerCalls.asyncBidiStreamingCall(handler));
    }

    /** The same, by a handler of calls. */
    static <Q, R> ServerServiceDefinition calls(
            ServiceDescriptor generated,
            MethodDescriptor<Q, R> method,
            WireLimits limits,
            ServerCallHandler<RawBatch.Unread, R> handler) {
        MethodDescriptor<RawBatch.Unread, R> raw = method.toBuilder(
                        RawBatch.marshaller(limits), method.getResponseMarshaller())
                .build();
        ServiceDescriptor service = ServiceDescriptor.newBuilder(generated.getName())
                .setSchemaDescriptor(generated.getSchemaDescriptor())
                .addMethod(raw)
                .build();
        return ServerServiceDefinition.builder(service).addMethod(raw, handler).build();
    }

    /** A stream that is refused before anything is read from it. */
    static StreamObserver<RawBatch.Unread> refused(StreamObserver<?> peer, Reason reason) {
        peer.onError(Statuses.exception(reason));
        return new StreamObserver<>() {
            @Override
            public void onNext(RawBatch.Unread batch) {}

            @Override
            public void onError(Throwable cause) {}

            @Override
            public void onCompleted() {}
        };
    }
}
