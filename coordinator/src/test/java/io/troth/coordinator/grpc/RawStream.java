package io.troth.coordinator.grpc;

import io.grpc.CallOptions;
import io.grpc.ClientCall;
import io.grpc.ManagedChannel;
import io.grpc.Metadata;
import io.grpc.MethodDescriptor;
import io.grpc.Status;
import io.grpc.StatusRuntimeException;
import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;

/** The peer's end of a stream, which sends any bytes and reads only when it is asked to. */
final class RawStream<F> extends ClientCall.Listener<F> {

    private final ClientCall<byte[], F> call;
    private final List<F> frames = new ArrayList<>();
    private @Nullable Status status;
    private @Nullable Metadata trailers;

    private RawStream(ClientCall<byte[], F> call) {
        this.call = call;
    }

    static <Q, F> RawStream<F> open(ManagedChannel channel, MethodDescriptor<Q, F> method, int reads) {
        MethodDescriptor<byte[], F> raw =
                method.toBuilder(new Bytes(), method.getResponseMarshaller()).build();
        RawStream<F> stream = new RawStream<>(channel.newCall(raw, CallOptions.DEFAULT));
        stream.call.start(stream, new Metadata());
        stream.call.request(reads);
        return stream;
    }

    RawStream<F> send(byte[] bytes) {
        call.sendMessage(bytes);
        return this;
    }

    RawStream<F> send(com.google.protobuf.MessageLite message) {
        return send(message.toByteArray());
    }

    void read(int messages) {
        call.request(messages);
    }

    void halfClose() {
        call.halfClose();
    }

    void cancel() {
        call.cancel("the test is over", null);
    }

    @Override
    public synchronized void onMessage(F frame) {
        frames.add(frame);
    }

    @Override
    public synchronized void onClose(Status its, Metadata itsTrailers) {
        status = its;
        trailers = itsTrailers;
    }

    synchronized List<F> frames() {
        return List.copyOf(frames);
    }

    synchronized boolean isOver() {
        return status != null;
    }

    /** What the stream ended with, null while it is open. */
    synchronized @Nullable StatusRuntimeException error() {
        return status == null ? null : status.asRuntimeException(trailers);
    }

    /** Code, then what our trailer says. */
    synchronized String end() {
        if (status == null) {
            return "open";
        }
        String reason = trailers == null ? null : trailers.get(Statuses.REASON);
        return status.getCode() + " " + reason;
    }

    private static final class Bytes implements MethodDescriptor.Marshaller<byte[]> {
        @Override
        public InputStream stream(byte[] value) {
            return new ByteArrayInputStream(value);
        }

        @Override
        public byte[] parse(InputStream stream) {
            try {
                return stream.readAllBytes();
            } catch (IOException e) {
                throw new UncheckedIOException(e);
            }
        }
    }
}
