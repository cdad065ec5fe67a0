package io.troth.client.internal;

import io.grpc.Status;
import io.grpc.stub.ClientCallStreamObserver;
import io.troth.client.SqlFailedException;
import io.troth.client.grpc.TrothStatus;
import io.troth.core.ErrorCode;
import io.troth.core.Reason;
import io.troth.core.TrothException;
import io.troth.proto.v1.QueryResponse;

/** What a failed call to a gateway means. */
final class SqlErrors {

    private SqlErrors() {}

    /** In the words of the catalogue. */
    static TrothException of(String where, Throwable error) {
        if (error instanceof TrothException known) {
            return known;
        }
        Reason reason = TrothStatus.reasonOf(error);
        String sqlState = TrothStatus.sqlStateOf(error);
        if (reason != null) {
            return sqlState == null
                    ? new TrothException(reason, error)
                    : new SqlFailedException(reason, sqlState, error);
        }
        String detail = "the call to the SQL gateway of " + where + " ended with " + TrothStatus.textOf(error);
        return new TrothException(new Reason(codeOf(Status.fromThrowable(error).getCode()), detail), error);
    }

    /** True when the gateway itself did not answer: it may be gone. */
    static boolean isLost(Throwable error) {
        return TrothStatus.reasonOf(error) == null
                && Status.fromThrowable(error).getCode() == Status.Code.UNAVAILABLE;
    }

    /**
     * Ends the call when the gateway is newer and says something that this build does not know: it may be rows. Without
     * the call's list the transaction cannot commit.
     */
    static void refuseUnknown(QueryResponse response, ClientCallStreamObserver<?> call) {
        if (response.getResponseCase() == QueryResponse.ResponseCase.RESPONSE_NOT_SET) {
            call.cancel("a part of a result that this build does not know; take the version of the gateway", null);
        }
    }

    private static ErrorCode codeOf(Status.Code code) {
        return switch (code) {
            case UNAVAILABLE -> ErrorCode.STREAM_BROKEN;
            case DEADLINE_EXCEEDED -> ErrorCode.DEADLINE_EXCEEDED;
            case RESOURCE_EXHAUSTED -> ErrorCode.LIMIT_EXCEEDED;
            case CANCELLED -> ErrorCode.ROLLBACK_ONLY;
            case OK,
                    UNKNOWN,
                    INVALID_ARGUMENT,
                    NOT_FOUND,
                    ALREADY_EXISTS,
                    PERMISSION_DENIED,
                    FAILED_PRECONDITION,
                    ABORTED,
                    OUT_OF_RANGE,
                    UNIMPLEMENTED,
                    INTERNAL,
                    DATA_LOSS,
                    UNAUTHENTICATED -> ErrorCode.INTERNAL;
        };
    }
}
