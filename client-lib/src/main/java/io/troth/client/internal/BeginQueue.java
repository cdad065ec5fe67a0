package io.troth.client.internal;

import io.troth.core.Reason;
import io.troth.core.TrothException;
import java.util.ArrayDeque;
import java.util.concurrent.CompletableFuture;

/** Transactions that wait for a session, first come, first served. Guarded by the engine's lock. */
final class BeginQueue {

    private final SessionTable sessions;
    private final ArrayDeque<Waiter> waiters = new ArrayDeque<>();

    BeginQueue(SessionTable sessions) {
        this.sessions = sessions;
    }

    private record Waiter(CompletableFuture<OpenTransaction> future, long timeoutMillis, long giveUpNanos) {}

    boolean isEmpty() {
        return waiters.isEmpty();
    }

    int size() {
        return waiters.size();
    }

    void add(CompletableFuture<OpenTransaction> future, long timeoutMillis, long giveUpNanos) {
        waiters.add(new Waiter(future, timeoutMillis, giveUpNanos));
        sessions.open();
    }

    /** A session may have room. */
    void serve(Effects effects) {
        ClientSession session = sessions.usable();
        while (session != null && !waiters.isEmpty()) {
            Waiter waiter = waiters.remove();
            effects.complete(waiter.future(), sessions.begin(session, waiter.timeoutMillis()));
            session = sessions.usable();
        }
        if (!waiters.isEmpty()) {
            sessions.open();
        }
    }

    void failAll(Reason reason, Effects effects) {
        waiters.forEach(waiter -> effects.fail(waiter.future(), new TrothException(reason)));
        waiters.clear();
    }

    /** Fails those that have waited long enough. */
    void giveUp(long nowNanos, Reason reason, Effects effects) {
        while (!waiters.isEmpty() && waiters.element().giveUpNanos() - nowNanos <= 0) {
            effects.fail(waiters.remove().future(), new TrothException(reason));
        }
    }
}
