package io.troth.client.internal;

import io.troth.client.context.CallScope;
import io.troth.core.ErrorCode;
import io.troth.core.GlobalTxId;
import io.troth.core.Reason;
import io.troth.core.TrothException;
import java.util.concurrent.CompletableFuture;
import org.jspecify.annotations.Nullable;

/** A transaction that this client has begun. Its fields that change are guarded by the engine's lock. */
public final class OpenTransaction {

    private final CallScope scope;
    private final ClientSession session;
    private State state = State.ACTIVE;
    private @Nullable Reason endReason;
    private @Nullable CompletableFuture<Answer> closing;

    OpenTransaction(CallScope scope, ClientSession session) {
        this.scope = scope;
        this.session = session;
    }

    /** Where the client stands with it. */
    enum State {
        /** Calls may run under it. */
        ACTIVE,
        /** Commit was asked for by the application, calls may still be running; no message has left. */
        CLOSING,
        /** Commit or Rollback was handed over. */
        ENDING,
        /** It has ended here, by itself if no commit was asked for: certainly rolled back. */
        ENDED
    }

    public GlobalTxId id() {
        return scope.tx();
    }

    /** The root scope (protocol 5.1). */
    public CallScope scope() {
        return scope;
    }

    ClientSession session() {
        return session;
    }

    State state() {
        return state;
    }

    void setState(State state) {
        this.state = state;
    }

    /** Commit was asked for; the future is to be completed whatever happens. */
    void closing(CompletableFuture<Answer> future) {
        state = State.CLOSING;
        closing = future;
    }

    /** Who waits for the commit; null when nobody does. */
    @Nullable
    CompletableFuture<Answer> closing() {
        return closing;
    }

    /** True until a message about its end has left. */
    boolean isOpen() {
        return switch (state) {
            case ACTIVE, CLOSING -> true;
            case ENDING, ENDED -> false;
        };
    }

    /** Why it is certainly rolled back; null as long as it is not. */
    @Nullable
    Reason endReason() {
        return endReason;
    }

    /** Its time is over, which a call or task may be to blame for that nobody else names. */
    Reason overdue() {
        int running = scope.running();
        String detail = running == 0 ? "" : running + " calls or tasks under it had not ended";
        return new Reason(ErrorCode.DEADLINE_EXCEEDED, detail);
    }

    /** What to throw at who comes too late. */
    TrothException asked() {
        return new TrothException(
                new Reason(ErrorCode.TRANSACTION_ENDED, "commit or rollback of " + id() + " was asked for"));
    }

    void endBecause(Reason reason) {
        state = State.ENDED;
        endReason = reason;
    }
}
