package io.troth.coordinator.grpc;

import io.grpc.Channel;
import io.grpc.ManagedChannel;
import io.grpc.Status;
import io.grpc.StatusRuntimeException;
import io.grpc.netty.NettyChannelBuilder;
import io.grpc.stub.AbstractStub;
import io.troth.core.ErrorCode;
import io.troth.core.Reason;
import io.troth.core.TrothException;
import java.net.ConnectException;
import java.net.UnknownHostException;
import java.util.concurrent.TimeUnit;
import java.util.function.Function;
import org.jspecify.annotations.Nullable;

/**
 * Unary calls of the command line to one coordinator. What fails is a {@link TrothException}: with the code that the
 * coordinator gave, with NO_COORDINATOR when it cannot be reached, and with OUTCOME_UNKNOWN when something was to be changed
 * and it is not known whether it was.
 */
final class RemoteCalls implements AutoCloseable {

    private static final int PORT_MAX = 65_535;

    private final String endpoint;
    private final long timeoutMillis;
    private final boolean plaintext;
    private final ManagedChannel channel;

    /**
     * Connects at the first call.
     *
     * @throws IllegalArgumentException when the endpoint or the timeout is not one, or a TLS file cannot be read
     */
    RemoteCalls(String endpoint, @Nullable ClientTls tls, long timeoutMillis) {
        if (timeoutMillis < 1) {
            throw new IllegalArgumentException("a timeout is at least 1 ms, not " + timeoutMillis);
        }
        this.endpoint = endpoint;
        this.timeoutMillis = timeoutMillis;
        plaintext = tls == null;
        channel = NettyChannelBuilder.forTarget(target(endpoint), TlsContexts.client(tls))
                .disableRetry()
                .build();
    }

    private static String target(String endpoint) {
        if (!endpoint.matches("[^/\\s]+:[0-9]{1,5}")
                || Integer.parseInt(endpoint.substring(endpoint.lastIndexOf(':') + 1)) > PORT_MAX) {
            throw new IllegalArgumentException("an endpoint is host:port, not " + endpoint);
        }
        return "dns:///" + endpoint;
    }

    /** A call that changes nothing. */
    <S extends AbstractStub<S>, T> T look(Function<Channel, S> stub, Function<S, T> call) {
        return call(stub.apply(channel), call, ErrorCode.NO_COORDINATOR);
    }

    /** A call that changes something. */
    <S extends AbstractStub<S>, T> T change(Function<Channel, S> stub, Function<S, T> call) {
        return call(stub.apply(channel), call, ErrorCode.OUTCOME_UNKNOWN);
    }

    private <S extends AbstractStub<S>, T> T call(S stub, Function<S, T> call, ErrorCode whenLost) {
        try {
            return call.apply(stub.withDeadlineAfter(timeoutMillis, TimeUnit.MILLISECONDS));
        } catch (StatusRuntimeException e) {
            Status status = e.getStatus();
            ErrorCode code = Statuses.codeOf(e.getTrailers());
            if (code != null) {
                throw new TrothException(new Reason(code, detail(code, status)), e);
            }
            // Only a connection that never came about proves that nothing was asked.
            ErrorCode lost = e.getCause() instanceof ConnectException ? ErrorCode.NO_COORDINATOR : whenLost;
            String hint = plaintext && isCutOff(e) ? "; if it speaks TLS, say so by --ca FILE" : "";
            throw new TrothException(new Reason(lost, endpoint + ": " + Statuses.text(status) + hint), e);
        }
    }

    /** A peer that wants a handshake ends the connection without a word; others seldom do. */
    private static boolean isCutOff(StatusRuntimeException e) {
        Throwable cause = e.getCause();
        return e.getStatus().getCode() == Status.Code.UNAVAILABLE
                && !(cause instanceof ConnectException)
                && !(cause instanceof UnknownHostException);
    }

    /** Without the code and the advice that {@link Statuses} puts around it: whoever prints it has both. */
    private static String detail(ErrorCode code, Status status) {
        String text = status.getDescription() == null ? "" : status.getDescription();
        String advice = " (" + code.advice() + ")";
        if (text.endsWith(advice)) {
            text = text.substring(0, text.length() - advice.length());
        }
        return text.startsWith(code.name() + ": ") ? text.substring(code.name().length() + 2) : "";
    }

    @Override
    public void close() {
        channel.shutdownNow();
    }
}
