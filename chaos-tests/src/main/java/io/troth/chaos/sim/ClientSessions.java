package io.troth.chaos.sim;

import io.troth.chaos.sim.world.SimProcess;
import io.troth.chaos.sim.world.World;
import io.troth.core.EpochId;
import io.troth.core.ErrorCode;
import io.troth.core.GlobalTxId;
import io.troth.core.SessionKey;
import io.troth.core.coordinator.ClientMessage;
import io.troth.core.coordinator.Event;
import io.troth.core.coordinator.RequestId;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import java.util.function.Consumer;
import java.util.function.Function;
import java.util.function.Predicate;
import java.util.function.Supplier;
import java.util.function.ToLongFunction;
import org.jspecify.annotations.Nullable;

/** The sessions of one client: the one that new transactions begin on, and older ones with open transactions. */
final class ClientSessions {

    /** Says something to the coordinator. */
    @FunctionalInterface
    interface Speaker {
        void say(Supplier<String> what, Function<RequestId, Event> event);
    }

    /** One session. */
    static final class Session {
        private final EpochId epoch;
        private final long id;
        private final SessionKey key;
        private final long endsNanos;
        private final boolean commitsInPlace;
        private long sequence;

        private Session(ClientMessage.SessionOpened opened, long nowNanos) {
            epoch = opened.epoch();
            id = opened.session();
            key = opened.key();
            endsNanos = nowNanos + opened.maxAgeMillis() * 500_000;
            commitsInPlace = opened.commitsInPlace();
        }

        EpochId epoch() {
            return epoch;
        }

        long id() {
            return id;
        }

        SessionKey key() {
            return key;
        }

        /** Whether the leader knows that a T of it may end unheard of. */
        boolean commitsInPlace() {
            return commitsInPlace;
        }

        /** The next transaction of it. */
        GlobalTxId next() {
            return new GlobalTxId(0, epoch, id, ++sequence);
        }
    }

    private static final long PROGRESS_NANOS = 10_000_000_000L;

    private record Name(EpochId epoch, long id) {}

    private final World world;
    private final SimProcess process;
    private final Speaker speaker;
    /** Hears of a session that a leader does not know any more. */
    private final Consumer<Session> ends;

    private final boolean commitsInPlace;
    private final List<Session> old = new ArrayList<>();
    /** Those that it has closed. */
    private final Set<Name> gone = new HashSet<>();

    private @Nullable Session current;
    private boolean usable;
    private boolean opening;
    /** The current session was asked for again, and no new one yet. */
    private boolean resuming;

    private boolean closing;

    ClientSessions(World world, SimProcess process, Speaker speaker, Consumer<Session> ends, boolean commitsInPlace) {
        this.world = world;
        this.process = process;
        this.speaker = speaker;
        this.ends = ends;
        this.commitsInPlace = commitsInPlace;
    }

    /** The session to begin on; null when there is none now. */
    @Nullable
    Session current() {
        Session now = usable ? current : null;
        if (now != null && process.nanoTime() - now.endsNanos >= 0 && !opening) {
            // Half its age is over: the next one is opened, and what runs on this one goes on.
            open();
            world.saw("session renewed");
        }
        return now;
    }

    /** A stream is open: goes on with the sessions there are, or opens the first one. */
    void connected() {
        Session now = current;
        if (now == null || world.random().nextInt(8) == 0) {
            open();
        } else {
            opening = true;
            resuming = true;
            resume(now);
        }
        old.forEach(this::resume);
    }

    private void resume(Session session) {
        speaker.say(
                () -> "resumes session " + session.id,
                request -> new Event.ResumeSession(request, session.epoch, session.id, session.key));
    }

    private void open() {
        if (closing) {
            return;
        }
        opening = true;
        resuming = false;
        SessionKey drawn =
                new SessionKey(world.random().nextLong(), world.random().nextLong());
        speaker.say(
                () -> "opens a session",
                request -> new Event.OpenSession(request, drawn, process.name(), commitsInPlace));
    }

    void disconnected() {
        usable = false;
        opening = false;
        resuming = false;
    }

    /** The process has died. */
    void forget() {
        disconnected();
        current = null;
        old.clear();
    }

    void opened(ClientMessage.SessionOpened opened) {
        if (gone.contains(new Name(opened.epoch(), opened.session()))) {
            // It was resumed, and closed before the answer: beginning on it again would give an id twice.
            return;
        }
        for (Session session : old) {
            if (session.id == opened.session() && session.epoch.equals(opened.epoch())) {
                return;
            }
        }
        opening = false;
        resuming = false;
        if (closing) {
            close(new Session(opened, process.nanoTime()));
            return;
        }
        usable = true;
        Session now = current;
        if (now != null && now.id == opened.session() && now.epoch.equals(opened.epoch())) {
            world.saw("session resumed");
            return;
        }
        if (now != null) {
            old.add(now);
        }
        current = new Session(opened, process.nanoTime());
    }

    /** A request about a session was refused: false when this coordinator is not one to stay with. */
    boolean refused(ClientMessage.Refused refused) {
        if (refused.reason().code() == ErrorCode.UNKNOWN_SESSION) {
            if (resuming) {
                Session former = current;
                current = null;
                if (former != null) {
                    old.add(former);
                    ends.accept(former);
                }
                open();
            }
            return true;
        }
        return false;
    }

    /** Whether the coordinator that is connected leads another epoch than T's. */
    boolean isOfAnotherEpoch(GlobalTxId tx) {
        Session now = usable ? current : null;
        return now != null && !now.epoch.equals(tx.epoch());
    }

    /** The sequence that the next transaction of T's session gets. */
    long nextSequence(GlobalTxId tx) {
        for (Session session : all()) {
            if (session.id == tx.session() && session.epoch.equals(tx.epoch())) {
                return session.sequence + 1;
            }
        }
        return tx.sequence();
    }

    private List<Session> all() {
        List<Session> all = new ArrayList<>(old);
        if (current != null) {
            all.add(current);
        }
        return all;
    }

    /** Some transaction has ended: sometimes tells how far it is, and closes sessions that nobody needs any more. */
    void progress(ToLongFunction<GlobalTxId> lowestOpen, Predicate<Session> isUsed) {
        if (world.random().nextInt(4) == 0) {
            tellProgress(lowestOpen);
        }
        closeUnused(isUsed);
    }

    /** Tells it from time to time in any case; else the leader would wait for Commits that will never come. */
    void keepTelling(ToLongFunction<GlobalTxId> lowestOpen) {
        process.after(PROGRESS_NANOS, () -> "", () -> {
            tellProgress(lowestOpen);
            keepTelling(lowestOpen);
        });
    }

    /** Tells how far it is. */
    private void tellProgress(ToLongFunction<GlobalTxId> lowestOpen) {
        Session now = current;
        if (now != null && usable) {
            long lowest = lowestOpen.applyAsLong(new GlobalTxId(0, now.epoch, now.id, 1));
            speaker.say(
                    () -> "has ended all below " + lowest,
                    request -> new Event.Progress(request.stream(), now.epoch, now.id, now.key, lowest));
        }
    }

    /** Closes the sessions that are not for new transactions and have none left. */
    void closeUnused(Predicate<Session> isUsed) {
        for (Session session : List.copyOf(old)) {
            if (!isUsed.test(session)) {
                close(session);
                old.remove(session);
            }
        }
    }

    private void close(Session session) {
        gone.add(new Name(session.epoch, session.id));
        speaker.say(
                () -> "closes session " + session.id,
                request -> new Event.CloseSession(request.stream(), session.epoch, session.id, session.key));
    }

    void closeAll() {
        closing = true;
        all().forEach(this::close);
        forget();
    }
}
