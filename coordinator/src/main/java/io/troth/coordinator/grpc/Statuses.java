package io.troth.coordinator.grpc;

import io.grpc.Metadata;
import io.grpc.Status;
import io.grpc.StatusRuntimeException;
import io.troth.core.ErrorCode;
import io.troth.core.Reason;
import org.jspecify.annotations.Nullable;

/** Error codes as gRPC says them: the code's status, the code in a trailer, and code, detail and advice as text. */
final class Statuses {

    /** The stable code of a refusal, beside the status. */
    static final Metadata.Key<String> REASON = Metadata.Key.of("troth-reason", Metadata.ASCII_STRING_MARSHALLER);

    /** Where the leader is, as {@code host:port}, beside NOT_LEADER. */
    static final Metadata.Key<String> LEADER = Metadata.Key.of("troth-leader", Metadata.ASCII_STRING_MARSHALLER);

    private Statuses() {}

    static StatusRuntimeException exception(Reason reason) {
        return exception(Redirect.nowhere(reason));
    }

    static StatusRuntimeException exception(Redirect redirect) {
        Reason reason = redirect.reason();
        Metadata trailers = new Metadata();
        if (redirect.leader() != null) {
            trailers.put(LEADER, redirect.leader());
        }
        trailers.put(REASON, reason.code().name());
        Status status = Status.fromCode(code(reason.code().status()));
        return status.withDescription(reason + " (" + reason.code().advice() + ")")
                .asRuntimeException(trailers);
    }

    /** The code that a peer of ours gave, null when it gave none that this build knows. */
    static @Nullable ErrorCode codeOf(@Nullable Metadata trailers) {
        return ErrorCode.named(trailers == null ? null : trailers.get(REASON));
    }

    /** For people: with the cause at the bottom, which gRPC leaves out. */
    static String text(Status status) {
        String description = status.getDescription();
        // The transport adds lines about its own inside.
        String first =
                description == null ? "" : description.lines().findFirst().orElse("");
        String text = status.getCode() + (first.isEmpty() ? "" : ": " + first);
        Throwable bottom = status.getCause();
        while (bottom != null && bottom.getCause() != null) {
            bottom = bottom.getCause();
        }
        String cause = bottom == null ? null : bottom.getMessage();
        if (cause != null && cause.startsWith("not an SSL/TLS record")) {
            // All its bytes follow.
            cause = "the other side speaks no TLS";
        }
        return cause == null || cause.equals(first) ? text : text + " (" + cause + ")";
    }

    private static Status.Code code(ErrorCode.Status status) {
        return switch (status) {
            case INVALID_ARGUMENT -> Status.Code.INVALID_ARGUMENT;
            case FAILED_PRECONDITION -> Status.Code.FAILED_PRECONDITION;
            case NOT_FOUND -> Status.Code.NOT_FOUND;
            case PERMISSION_DENIED -> Status.Code.PERMISSION_DENIED;
            case RESOURCE_EXHAUSTED -> Status.Code.RESOURCE_EXHAUSTED;
            case ABORTED -> Status.Code.ABORTED;
            case UNAVAILABLE -> Status.Code.UNAVAILABLE;
            case UNKNOWN -> Status.Code.UNKNOWN;
            case DATA_LOSS -> Status.Code.DATA_LOSS;
            case INTERNAL -> Status.Code.INTERNAL;
        };
    }
}
