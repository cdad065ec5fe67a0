package io.troth.client.grpc;

import io.grpc.CallOptions;
import io.grpc.Channel;
import io.grpc.MethodDescriptor;
import io.grpc.stub.ClientCalls;
import io.grpc.stub.StreamObserver;
import java.io.ByteArrayInputStream;
import java.io.InputStream;
import java.time.Duration;
import java.util.function.BiConsumer;
import java.util.function.Consumer;

/**
 * Notices that a coordinator says nothing any more, although its connection stands: its process is stopped, its machine
 * has no time for it, or the network drops everything. HTTP/2's own question comes after 10 s of silence at the
 * soonest, which is longer than a cluster takes to have its next leader. So after a second of silence this asks gRPC's
 * health service; whatever comes back, even an error, is a sign of life.
 *
 * <p>Worth it where there is another coordinator to go to, and nowhere else. Used on one thread.
 */
public final class SignsOfLife {

    /** How often it looks, in the product. */
    public static final Duration LOOK = Duration.ofSeconds(1);

    /** Looks without a sign since the last one: at the first it asks, at the third it gives up. */
    private static final int SILENT_LOOKS_MAX = 3;

    private static final MethodDescriptor<byte[], byte[]> CHECK = MethodDescriptor.<byte[], byte[]>newBuilder()
            .setType(MethodDescriptor.MethodType.UNARY)
            .setFullMethodName(MethodDescriptor.generateFullMethodName("grpc.health.v1.Health", "Check"))
            .setRequestMarshaller(Unread.INSTANCE)
            .setResponseMarshaller(Unread.INSTANCE)
            .build();

    /** The empty message, which asks about the server as a whole, and an answer that nobody reads. */
    private enum Unread implements MethodDescriptor.Marshaller<byte[]> {
        INSTANCE;

        @Override
        public InputStream stream(byte[] value) {
            return new ByteArrayInputStream(value);
        }

        @Override
        public byte[] parse(InputStream stream) {
            return new byte[0];
        }
    }

    private final Channel channel;
    private final BiConsumer<Runnable, Long> timer;
    private final long lookMillis;
    private final Consumer<String> none;

    private boolean sign;
    private int silentLooks;
    private boolean over;

    /**
     * @param channel to the coordinator
     * @param timer runs something after so many milliseconds, on the one thread
     * @param look {@link #LOOK}, or shorter in tests
     * @param none is told, once, that there is no sign of life, in words
     */
    public SignsOfLife(Channel channel, BiConsumer<Runnable, Long> timer, Duration look, Consumer<String> none) {
        this.channel = channel;
        this.timer = timer;
        this.lookMillis = look.toMillis();
        this.none = none;
    }

    /** Begins, once the coordinator has answered for the first time. */
    public void start() {
        timer.accept(this::look, lookMillis);
    }

    /** Something came from the coordinator. */
    public void heard() {
        sign = true;
    }

    /** No more looks. */
    public void stop() {
        over = true;
    }

    // Looks are counted, and no time is taken: when it was this process that stood still, that is one look.
    private void look() {
        if (over) {
            return;
        }
        silentLooks = sign ? 0 : silentLooks + 1;
        sign = false;
        if (silentLooks >= SILENT_LOOKS_MAX) {
            over = true;
            none.accept("no sign of life for " + SILENT_LOOKS_MAX * lookMillis + " ms");
            return;
        }
        if (silentLooks == 1) {
            ClientCalls.asyncUnaryCall(channel.newCall(CHECK, CallOptions.DEFAULT), new byte[0], new Answer());
        }
        timer.accept(this::look, lookMillis);
    }

    private final class Answer implements StreamObserver<byte[]> {
        @Override
        public void onNext(byte[] value) {
            heard();
        }

        @Override
        public void onError(Throwable error) {
            heard();
        }

        @Override
        public void onCompleted() {
            // It has answered already.
        }
    }
}
