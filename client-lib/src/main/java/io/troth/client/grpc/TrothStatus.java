package io.troth.client.grpc;

import io.grpc.Metadata;
import io.grpc.Status;
import io.grpc.StatusRuntimeException;
import io.troth.core.ErrorCode;
import io.troth.core.Reason;
import org.jspecify.annotations.Nullable;

/** Reasons of the catalogue as gRPC errors: the code travels as the trailer {@code troth-reason}. */
public final class TrothStatus {

    private static final String SQL_STATE_NONE = "";

    private TrothStatus() {}

    /** The error for a reason, with its status out of the catalogue. */
    public static StatusRuntimeException of(Reason reason) {
        return of(reason, SQL_STATE_NONE);
    }

    /** The same with the SQLState of the database that caused it. */
    public static StatusRuntimeException of(Reason reason, String sqlState) {
        Metadata trailers = new Metadata();
        TrothMetadata.put(trailers, reason);
        if (!sqlState.isEmpty()) {
            trailers.put(TrothMetadata.SQL_STATE, sqlState);
        }
        return status(reason).asRuntimeException(trailers);
    }

    static Status status(Reason reason) {
        return Status.fromCode(Status.Code.valueOf(reason.code().status().name()))
                .withDescription(reason.toString());
    }

    /**
     * The reason that an error carries; null when it carries none. A code of a newer build becomes INTERNAL with its
     * name in the detail: never a retryable one.
     */
    public static @Nullable Reason reasonOf(Throwable error) {
        String name = trailer(error, TrothMetadata.REASON);
        if (name == null) {
            return null;
        }
        String description = Status.fromThrowable(error).getDescription();
        String detail = description == null ? "" : description;
        ErrorCode code = ErrorCode.named(name);
        if (code == null) {
            return new Reason(ErrorCode.INTERNAL, name + ": " + detail);
        }
        String prefix = name + ": ";
        boolean bare = detail.equals(name);
        return new Reason(code, detail.startsWith(prefix) ? detail.substring(prefix.length()) : bare ? "" : detail);
    }

    /** The SQLState that an error carries; null when it carries none. */
    public static @Nullable String sqlStateOf(Throwable error) {
        return trailer(error, TrothMetadata.SQL_STATE);
    }

    /** Where the leader is, as {@code host:port}, when a coordinator that does not lead has said so; else null. */
    public static @Nullable String leaderOf(Throwable error) {
        return trailer(error, TrothMetadata.LEADER);
    }

    /** What happened to a call, for people: status, description, and the cause at the bottom, which gRPC leaves out. */
    public static String textOf(Throwable error) {
        Status status = Status.fromThrowable(error);
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

    private static @Nullable String trailer(Throwable error, Metadata.Key<String> key) {
        Metadata trailers = Status.trailersFromThrowable(error);
        return trailers == null ? null : trailers.get(key);
    }
}
