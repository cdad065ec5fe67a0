package io.troth.client.internal;

import io.troth.client.context.CallScope;
import io.troth.client.context.NanoClock;
import io.troth.core.ClusterId;
import io.troth.core.ErrorCode;
import io.troth.core.GlobalTxId;
import io.troth.core.Reason;
import io.troth.core.TransactionContext;
import io.troth.proto.v1.Accepting;
import io.troth.proto.v1.ClientEntry;
import io.troth.proto.v1.CloseSession;
import io.troth.proto.v1.OpenSession;
import io.troth.proto.v1.Progress;
import io.troth.proto.v1.ResumeSession;
import io.troth.proto.v1.SessionOpened;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.function.BiConsumer;
import org.jspecify.annotations.Nullable;

/**
 * The client sessions of this process: the current one, where transactions begin, and older ones whose transactions
 * have not all ended. Guarded by the engine's lock.
 */
final class SessionTable {

    private final EngineState state;
    private final NanoClock clock;
    private final String clientName;

    /** Hears of a session's end: its transactions without a commit request are certainly rolled back. */
    private final BiConsumer<ClientSession, Reason> ended;

    private final List<ClientSession> sessions = new ArrayList<>();

    /** Those that the leader has closed, as long as commits of theirs wait for an answer. */
    private final List<ClientSession> closed = new ArrayList<>();

    private final Map<Long, ClientSession> resuming = new HashMap<>();
    private @Nullable ClientSession current;
    private long openCorrelation;
    private long openSentNanos;

    SessionTable(EngineState state, NanoClock clock, String clientName, BiConsumer<ClientSession, Reason> ended) {
        this.state = state;
        this.clock = clock;
        this.clientName = clientName;
        this.ended = ended;
    }

    /** The session in which a transaction can begin now; null when there is none. */
    @Nullable
    ClientSession usable() {
        ClientSession session = current;
        return state.linkUp && !state.leaving && session != null && session.accepts(clock.nanos()) ? session : null;
    }

    /** Begins a transaction; no message is needed (protocol 2). */
    OpenTransaction begin(ClientSession session, long timeoutMillis) {
        ClusterId cluster = Objects.requireNonNull(state.cluster, "a session comes from a cluster");
        TransactionContext context = new TransactionContext(
                cluster, session.nextId(), session.key(), TransactionContext.ROOT_CALL, timeoutMillis);
        CallScope scope = new CallScope(context, clock, session.commitsInPlace());
        OpenTransaction transaction = new OpenTransaction(scope, session);
        session.add(transaction);
        if (session.owesProgress()) {
            tellProgress(session);
        }
        return transaction;
    }

    /** Whether work may still run under the transaction in this client. */
    boolean isOpen(GlobalTxId tx) {
        for (ClientSession session : sessions) {
            if (session.isOpen(tx)) {
                return true;
            }
        }
        return false;
    }

    /** The transactions that have not ended, in all sessions, also in those that the leader has closed. */
    int openCount() {
        closed.removeIf(session -> session.openCount() == 0);
        int count = 0;
        for (ClientSession session : sessions) {
            count += session.openCount();
        }
        for (ClientSession session : closed) {
            count += session.openCount();
        }
        return count;
    }

    /** The leader's limit on open transactions. */
    int maxOpen() {
        ClientSession session = current;
        return session == null ? Integer.MAX_VALUE : session.maxOpen();
    }

    /** Asks for a session unless one is on its way. */
    void open() {
        if (state.linkUp && !state.draining && openCorrelation == 0 && resuming.isEmpty()) {
            openSentNanos = clock.nanos();
            openCorrelation = state.send(ClientEntry.newBuilder()
                    .setOpenSession(
                            OpenSession.newBuilder().setClientName(clientName).setCommitsInPlace(true)));
        }
    }

    /** A stream is up. Within the same epoch the sessions are taken over to it; a new epoch has closed them. */
    void streamUp(boolean sameEpoch) {
        openCorrelation = 0;
        resuming.clear();
        for (ClientSession session : List.copyOf(sessions)) {
            if (sameEpoch) {
                long correlation = state.send(ClientEntry.newBuilder()
                        .setResumeSession(ResumeSession.newBuilder().setSession(WireCodec.toWire(session))));
                resuming.put(correlation, session);
            } else {
                close(session, new Reason(ErrorCode.LEADER_CHANGED, "the coordinator leads a new epoch"));
            }
        }
        open();
    }

    /** The stream is gone: whether the leader still holds the sessions shows at the next one. */
    void streamDown() {
        openCorrelation = 0;
        resuming.clear();
        sessions.forEach(session -> session.setResumed(false));
    }

    /** A session is open or resumed. Returns false when nobody asked. */
    boolean opened(long correlation, SessionOpened opened) {
        ClientSession resumed = resuming.remove(correlation);
        if (resumed != null) {
            resumed.setResumed(true);
            // What was told last may have been lost with the stream.
            tellProgress(resumed);
        } else if (correlation == openCorrelation) {
            openCorrelation = 0;
            ClientSession session = new ClientSession(
                    state.shard,
                    WireCodec.fromWire(opened.getSession().getEpoch()),
                    opened.getSession().getSession(),
                    WireCodec.fromWire(opened.getSession().getKey()),
                    new ClientSession.Terms(
                            opened.getMaxOpen(),
                            opened.getMaxAgeMillis(),
                            opened.getCommitsInPlace(),
                            opened.getCompletionLimitMillis(),
                            openSentNanos));
            sessions.add(session);
            current = session;
        } else {
            return false;
        }
        if (usable() == null) {
            open();
        }
        return true;
    }

    /** True when the refused entry asked for a session. */
    boolean refusedOpen(long correlation) {
        if (correlation != openCorrelation) {
            return false;
        }
        openCorrelation = 0;
        return true;
    }

    /** True when the refused entry wanted to resume a session; the session is closed then. */
    boolean refusedResume(long correlation, Reason reason) {
        ClientSession session = resuming.remove(correlation);
        if (session == null) {
            return false;
        }
        close(session, new Reason(ErrorCode.SESSION_ENDED, "the stream was broken for too long; " + reason));
        if (usable() == null) {
            open();
        }
        return true;
    }

    /**
     * Renews a worn session and shares what is open in it, tells progress that no other entry has carried, and closes sessions
     * that are done with.
     */
    void tend(Effects effects) {
        if (!state.linkUp) {
            return;
        }
        ClientSession session = current;
        if (session == null || session.isWorn(clock.nanos())) {
            open();
        }
        for (ClientSession each : List.copyOf(sessions)) {
            if (each.isWorn(clock.nanos())) {
                share(each, effects);
            }
            if (each != current && isDone(each)) {
                sayDone(each);
            } else if (each.hasProgress() && each.isResumed()) {
                tellProgress(each);
            }
        }
    }

    /** Takes note of whether new transactions may begin. A leader that stops waits for those of which it has heard. */
    void accepting(Accepting told, Effects effects) {
        state.accepting(told);
        if (state.draining) {
            sessions.forEach(session -> share(session, effects));
        }
    }

    /** The leader starts no transaction of an old session any more, so it is to have heard of those that last long. */
    private static void share(ClientSession session, Effects effects) {
        session.forEachOpen(transaction -> {
            if (transaction.isOpen()) {
                effects.then(transaction.scope()::share);
            }
        });
    }

    private void tellProgress(ClientSession session) {
        state.tell(ClientEntry.newBuilder()
                .setProgress(Progress.newBuilder()
                        .setSession(WireCodec.toWire(session))
                        .setLowestOpen(session.reportLowestOpen())));
    }

    private static boolean isDone(ClientSession session) {
        return session.openCount() == 0 && session.isResumed();
    }

    private void sayDone(ClientSession session) {
        state.tell(ClientEntry.newBuilder()
                .setCloseSession(CloseSession.newBuilder().setSession(WireCodec.toWire(session))));
        sessions.remove(session);
        if (current == session) {
            current = null;
        }
    }

    /** Where the leader stops: closes every session in which nothing is open any more, so that it need not wait. */
    void leave() {
        if (state.draining && state.linkUp) {
            for (ClientSession each : List.copyOf(sessions)) {
                if (isDone(each)) {
                    sayDone(each);
                }
            }
        }
    }

    /** Everything that has not ended, in all sessions. */
    List<ClientSession> all() {
        return List.copyOf(sessions);
    }

    /** Tells the leader that this client is gone. */
    void closeAll(Reason reason) {
        for (ClientSession session : List.copyOf(sessions)) {
            if (state.linkUp) {
                state.tell(ClientEntry.newBuilder()
                        .setCloseSession(CloseSession.newBuilder().setSession(WireCodec.toWire(session))));
            }
            close(session, reason);
        }
    }

    private void close(ClientSession session, Reason reason) {
        sessions.remove(session);
        closed.add(session);
        if (current == session) {
            current = null;
        }
        ended.accept(session, reason);
    }
}
