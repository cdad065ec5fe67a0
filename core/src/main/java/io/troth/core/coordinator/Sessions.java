package io.troth.core.coordinator;

import io.troth.core.EpochId;
import io.troth.core.ErrorCode;
import io.troth.core.Reason;
import io.troth.core.SessionKey;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.TreeSet;
import org.jspecify.annotations.Nullable;

/** Opening, resuming, ageing and closing client sessions (protocol 4). */
final class Sessions {

    private final Leader leader;
    private final Answers answers;
    private final Endings endings;

    Sessions(Leader leader, Answers answers, Endings endings) {
        this.leader = leader;
        this.answers = answers;
        this.endings = endings;
    }

    void open(Event.OpenSession event) {
        int left = leader.limits.sessionsMax() - leader.sessions.open;
        if (left <= 0) {
            answers.refuse(event.request(), ErrorCode.OVERLOADED, "too many client sessions");
            return;
        }
        // However many one client asks for, the next one finds a place.
        if (leader.sessions.countOf(event.request().stream()) > left) {
            answers.refuse(
                    event.request(),
                    ErrorCode.OVERLOADED,
                    "this client has more sessions than are left for all others");
            return;
        }
        ClientSession session =
                new ClientSession(leader.sessions.next, event.key(), event.clientName(), event.commitsInPlace());
        leader.sessions.add(session);
        leader.sessions.attach(session, event.request().stream());
        leader.out.startTimer(new TimerKey.SessionAge(session.number), leader.limits.sessionAgeMaxMillis());
        welcome(event.request(), session);
    }

    void resume(Event.ResumeSession event) {
        ClientSession session = find(event.epoch(), event.session());
        if (session == null || session.closed) {
            answers.refuse(event.request(), ErrorCode.UNKNOWN_SESSION, "session " + event.session() + " is not open");
            return;
        }
        if (!session.key.equals(event.key())) {
            answers.refuse(event.request(), ErrorCode.WRONG_SESSION_KEY, "session " + event.session());
            return;
        }
        if (session.streams.isEmpty()) {
            leader.out.cancelTimer(new TimerKey.SessionGrace(session.number));
        }
        leader.sessions.attach(session, event.request().stream());
        welcome(event.request(), session);
    }

    private void welcome(RequestId request, ClientSession session) {
        int maxOpen = Math.min(leader.limits.openTransactionsPerSessionMax(), leader.limits.sequenceWindowMax());
        leader.out.toClient(
                request.stream(),
                new ClientMessage.SessionOpened(
                        request.correlation(),
                        leader.epoch(),
                        session.number,
                        session.key,
                        maxOpen,
                        session.aged ? 0 : leader.limits.sessionAgeMaxMillis(),
                        session.commitsInPlace,
                        leader.limits.completionLimitMillis()));
        if (!leader.accepting) {
            leader.out.toClient(request.stream(), new ClientMessage.Accepting(false, leader.notAccepting));
        }
    }

    /** The client says goodbye; a wrong key or an unknown session changes nothing. */
    void close(Event.CloseSession event) {
        ClientSession session = find(event.epoch(), event.session());
        if (session == null || session.closed) {
            return;
        }
        if (!session.key.equals(event.key())) {
            leader.out.refused(new Reason(ErrorCode.WRONG_SESSION_KEY, "close of session " + event.session()));
            return;
        }
        close(session);
    }

    /** The client says what has ended on its side; an unknown session or a wrong key changes nothing. */
    void progress(EpochId epoch, long number, SessionKey key, long lowestOpen) {
        ClientSession session = find(epoch, number);
        if (session != null && session.key.equals(key)) {
            progress(session, lowestOpen);
        }
    }

    private void progress(ClientSession session, long lowestOpen) {
        if (session.closed || lowestOpen <= session.lowestOpen) {
            return;
        }
        session.lowestOpen = lowestOpen;
        forget(session.ended.headMap(lowestOpen, false));
        if (!session.open.isEmpty() && session.open.firstKey() < lowestOpen) {
            endings.rollBackUncommitted(
                    List.copyOf(session.open.headMap(lowestOpen, false).values()),
                    ErrorCode.ROLLED_BACK_BY_CLIENT,
                    "ended at the client");
        }
    }

    /** The sessions of a broken client stream wait for the grace to be resumed (protocol 4.3). */
    void disconnected(StreamId stream) {
        TreeSet<Long> numbers = leader.sessions.byStream.get(stream);
        if (numbers == null) {
            return;
        }
        for (long number : new ArrayList<>(numbers)) {
            ClientSession session = leader.sessions.find(number);
            if (session == null) {
                continue;
            }
            leader.sessions.detach(session, stream);
            for (GlobalTransaction open : session.open.values()) {
                open.waiters.removeIf(waiter -> waiter.request().stream().equals(stream));
            }
            if (session.streams.isEmpty()) {
                leader.out.startTimer(new TimerKey.SessionGrace(number), leader.limits.sessionGraceMillis());
            }
        }
    }

    void graceFired(long number) {
        ClientSession session = leader.sessions.find(number);
        if (session != null && !session.closed && session.streams.isEmpty()) {
            close(session);
        }
    }

    void ageFired(long number) {
        ClientSession session = leader.sessions.find(number);
        if (session != null && !session.aged) {
            session.aged = true;
            session.agedHighest = session.highest;
        }
    }

    void acceptingChanged(Event.AcceptingChanged event) {
        leader.refusing = event.refusing();
        leader.accepting = event.accepting();
        leader.notAccepting = event.reason();
        for (StreamId stream : leader.sessions.byStream.keySet()) {
            leader.out.toClient(stream, new ClientMessage.Accepting(event.accepting(), event.reason()));
        }
    }

    private void close(ClientSession session) {
        if (session.streams.isEmpty()) {
            leader.out.cancelTimer(new TimerKey.SessionGrace(session.number));
        }
        if (!session.aged) {
            leader.out.cancelTimer(new TimerKey.SessionAge(session.number));
        }
        leader.sessions.close(session);
        // The log and the agents can tell what is asked about it from here on (protocol 9.1).
        forget(session.ended);
        for (StreamId agent : session.agents) {
            if (leader.agents.find(agent) != null) {
                leader.out.toAgent(agent, new AgentMessage.SessionClosed(leader.epoch(), session.number));
            }
        }
        session.agents.clear();
        endings.rollBackUncommitted(
                List.copyOf(session.open.values()),
                ErrorCode.SESSION_ENDED,
                "session " + session.number + " is closed");
        endings.release(session);
    }

    private void forget(Map<Long, EndedTransaction> results) {
        leader.keptResults -= results.size();
        results.clear();
    }

    private @Nullable ClientSession find(EpochId epoch, long number) {
        return leader.isOwn(epoch) ? leader.sessions.find(number) : null;
    }
}
