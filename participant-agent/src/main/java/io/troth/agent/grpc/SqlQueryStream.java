package io.troth.agent.grpc;

import io.grpc.Context;
import io.grpc.stub.ServerCallStreamObserver;
import io.grpc.stub.StreamObserver;
import io.troth.agent.sql.SqlCall;
import io.troth.agent.sql.SqlCursor;
import io.troth.agent.sql.SqlGateway;
import io.troth.core.ErrorCode;
import io.troth.core.Reason;
import io.troth.core.TrothException;
import io.troth.proto.v1.QueryColumns;
import io.troth.proto.v1.QueryEnd;
import io.troth.proto.v1.QueryRequest;
import io.troth.proto.v1.QueryResponse;
import io.troth.proto.v1.QueryRows;
import io.troth.proto.v1.SqlRow;
import io.troth.proto.v1.StartQuery;
import java.util.List;
import java.util.concurrent.Future;
import java.util.concurrent.atomic.AtomicInteger;
import org.jspecify.annotations.Nullable;

/**
 * One query: sends rows as long as the caller takes them, at most one message ahead, and holds no thread while it waits
 * for the caller. All work is done by one step at a time on a worker's thread.
 *
 * <p>The end of the result, and a close message, end the call in order, with its list of branches. A cancelled call ends
 * without: its transaction cannot commit any more. With the time of the transaction the call ends too, also when its
 * caller does nothing more and has set no time limit.
 */
final class SqlQueryStream implements StreamObserver<QueryRequest> {

    /** Tag and length of a row within its message, and of the rows within theirs. */
    private static final int ROW_OVERHEAD_BYTES = 6;

    private static final int MESSAGE_OVERHEAD_BYTES = 16;

    private final SqlGateway gateway;
    private final SqlWorkers workers;
    private final SqlCall call;
    private final ServerCallStreamObserver<QueryResponse> replies;
    private final Context context = Context.current();

    /** Steps wanted and not yet done; the first to ask runs them all. */
    private final AtomicInteger stepsWanted = new AtomicInteger();

    private volatile @Nullable StartQuery start;
    private volatile boolean closeWanted;
    private volatile @Nullable String refusal;
    private volatile boolean late;
    private volatile @Nullable Future<?> timeLimit;

    // One step at a time.
    private @Nullable SqlCursor cursor;
    private @Nullable SqlRow held;
    private long rowCount;
    private boolean over;

    SqlQueryStream(
            SqlGateway gateway, SqlWorkers workers, SqlCall call, ServerCallStreamObserver<QueryResponse> replies) {
        this.gateway = gateway;
        this.workers = workers;
        this.call = call;
        this.replies = replies;
    }

    /** Hears of the call's events from now on, and lasts no longer than its transaction. */
    SqlQueryStream opened(long remainingMillis) {
        timeLimit = workers.after(remainingMillis, () -> {
            late = true;
            workers.giveUp(call, this::wantStep);
        });
        replies.setOnReadyHandler(this::wantStep);
        replies.setOnCancelHandler(() -> workers.giveUp(call, this::wantStep));
        return this;
    }

    @Override
    public void onNext(QueryRequest request) {
        switch (request.getRequestCase()) {
            case START -> {
                if (start != null) {
                    refuse("a query starts once");
                    return;
                }
                start = request.getStart();
            }
            case CLOSE -> {
                if (start == null) {
                    refuse("a query is closed after its start");
                    return;
                }
                closeWanted = true;
            }
            case REQUEST_NOT_SET -> {
                refuse("an empty request");
                return;
            }
        }
        wantStep();
    }

    @Override
    public void onCompleted() {
        if (start == null) {
            refuse("the call ended before it said what to run");
        }
    }

    @Override
    public void onError(Throwable cause) {
        // The cancel handler hears of it too.
    }

    private void refuse(String why) {
        refusal = why;
        wantStep();
    }

    private void wantStep() {
        if (stepsWanted.getAndIncrement() == 0) {
            try {
                workers.statements().execute(context.wrap(this::steps));
            } catch (RuntimeException | Error e) {
                // There is no thread for it. No other step comes: this one is never counted as done.
                if (!over) {
                    failed(e);
                }
            }
        }
    }

    private void steps() {
        int done;
        do {
            done = stepsWanted.get();
            step();
        } while (stepsWanted.addAndGet(-done) != 0);
    }

    private void step() {
        if (over) {
            return;
        }
        if (call.isCancelled() && !late) {
            end();
            return;
        }
        try {
            if (late) {
                throw tooLate();
            }
            throwIfRefused();
            StartQuery wanted = start;
            if (wanted != null && cursor == null) {
                // Also when it is closed already: it may write, and whoever commits counts on what was answered.
                open(wanted);
            }
            pump();
        } catch (RuntimeException | Error e) {
            failed(e);
        }
    }

    private void throwIfRefused() {
        String refused = refusal;
        if (refused != null) {
            throw new TrothException(new Reason(ErrorCode.INVALID_ARGUMENT, refused));
        }
    }

    private void failed(Throwable why) {
        // The connection goes back first: the error's list must find nothing running.
        end();
        replies.onError(GrpcSqlService.error(late ? tooLate() : why));
    }

    private static TrothException tooLate() {
        return new TrothException(new Reason(ErrorCode.DEADLINE_EXCEEDED, "the time of the transaction is over"));
    }

    private void open(StartQuery wanted) {
        // Bounded by the gateway; a size beyond an int is beyond every bound.
        int fetchSize = wanted.getFetchSize() < 0 ? Integer.MAX_VALUE : wanted.getFetchSize();
        SqlCursor opened = gateway.query(SqlWireCodec.statement(wanted.getStatement()), fetchSize, call);
        cursor = opened;
        replies.onNext(QueryResponse.newBuilder()
                .setColumns(QueryColumns.newBuilder().addAllColumns(SqlWireCodec.columns(opened.columns())))
                .build());
    }

    private void pump() {
        SqlCursor rows = cursor;
        if (rows == null) {
            // Both the start and the close may have come since the step looked for the start: the next one sees them.
            return;
        }
        while (!closeWanted && replies.isReady()) {
            QueryRows.Builder message = QueryRows.newBuilder();
            boolean more = fill(message, rows);
            if (message.getRowsCount() > 0) {
                rowCount += message.getRowsCount();
                replies.onNext(QueryResponse.newBuilder().setRows(message).build());
            }
            if (!more) {
                complete();
                return;
            }
        }
        if (closeWanted) {
            complete();
        }
    }

    /** Returns whether there may be more. */
    private boolean fill(QueryRows.Builder message, SqlCursor rows) {
        int bytesMax = gateway.limits().messageBytesMax();
        int bytesWanted = bytesMax / 4;
        int bytes = 0;
        while (message.getRowsCount() < rows.fetchSize() && bytes < bytesWanted) {
            SqlRow row = held;
            held = null;
            if (row == null) {
                List<@Nullable Object> values = rows.next();
                if (values == null) {
                    return false;
                }
                row = SqlWireCodec.row(values);
            }
            int rowBytes = row.getSerializedSize() + ROW_OVERHEAD_BYTES;
            if (rowBytes + MESSAGE_OVERHEAD_BYTES > bytesMax) {
                throw new TrothException(new Reason(
                        ErrorCode.LIMIT_EXCEEDED,
                        "a row has " + rowBytes + " bytes; a message has at most " + bytesMax));
            }
            if (bytes + rowBytes + MESSAGE_OVERHEAD_BYTES > bytesMax) {
                held = row;
                return true;
            }
            message.addRows(row);
            bytes += rowBytes;
        }
        return true;
    }

    private void complete() {
        // A good end would tell whoever started twice that both have run.
        throwIfRefused();
        SqlCursor open = cursor;
        cursor = null;
        if (open != null) {
            open.close();
        }
        QueryResponse end = QueryResponse.newBuilder()
                .setEnd(QueryEnd.newBuilder()
                        .setBranches(GrpcSqlService.branches())
                        .setRowCount(rowCount))
                .build();
        end();
        replies.onNext(end);
        replies.onCompleted();
    }

    /** Gives everything back, once. */
    private void end() {
        if (over) {
            return;
        }
        over = true;
        Future<?> waiting = timeLimit;
        if (waiting != null) {
            waiting.cancel(false);
        }
        SqlCursor open = cursor;
        cursor = null;
        try {
            if (open != null) {
                open.close();
            }
        } catch (RuntimeException | Error e) {
            // What has made it end is what is reported.
        } finally {
            workers.left();
        }
    }
}
