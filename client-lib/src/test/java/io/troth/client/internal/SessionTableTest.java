package io.troth.client.internal;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotNull;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.troth.proto.v1.ClientEntry;
import io.troth.proto.v1.CoordinatorState;
import io.troth.proto.v1.EpochId;
import io.troth.proto.v1.SessionKey;
import io.troth.proto.v1.SessionOpened;
import io.troth.proto.v1.SessionRef;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/**
 * Goal: no transaction begins that the leader would refuse as too far from the oldest, which it only knows from what it was
 * told (protocol 4.2). Method: the table alone, over a link that keeps what is sent.
 */
class SessionTableTest {

    private static final EpochId EPOCH =
            EpochId.newBuilder().setNumber(1).setNonce(31).build();

    private final List<ClientEntry> sent = new ArrayList<>();
    private final EngineState state = new EngineState(new Recorder(), false);
    private final SessionTable sessions = new SessionTable(state, () -> 0, "", (session, reason) -> {});

    private final class Recorder extends SilentLink {
        @Override
        public void send(ClientEntry entry) {
            sent.add(entry);
        }
    }

    @BeforeEach
    void open() {
        streamUp(false);
        assertTrue(sessions.opened(last().getCorrelationId(), session()));
    }

    private void streamUp(boolean sameEpoch) {
        assertTrue(state.accept(
                CoordinatorState.newBuilder().setClusterId(7).setEpoch(EPOCH).build()));
        sessions.streamUp(sameEpoch);
    }

    private static SessionOpened session() {
        return SessionOpened.newBuilder()
                .setSession(SessionRef.newBuilder()
                        .setEpoch(EPOCH)
                        .setSession(1)
                        .setKey(SessionKey.newBuilder().setHigh(1).setLow(2)))
                .setMaxOpen(10_000)
                .setMaxAgeMillis(3_600_000)
                .build();
    }

    private ClientEntry last() {
        return sent.get(sent.size() - 1);
    }

    /** The lowest open sequence as the leader knows it. */
    private long told() {
        return sent.stream()
                .filter(ClientEntry::hasProgress)
                .mapToLong(entry -> entry.getProgress().getLowestOpen())
                .max()
                .orElse(1);
    }

    private OpenTransaction begin() {
        ClientSession usable = sessions.usable();
        assertNotNull(usable);
        OpenTransaction begun = sessions.begin(usable, 60_000);
        long ahead = begun.id().sequence() - told();
        assertTrue(ahead < ClientSession.WINDOW, begun.id() + " is " + ahead + " ahead of what was told");
        return begun;
    }

    private static void end(OpenTransaction transaction) {
        transaction.session().end(transaction);
    }

    @Test
    void tellsHowFarItIsWhenNothingElseDoes() {
        for (int i = 0; i < 25_000; i++) {
            end(begin());
        }
        long messages = sent.stream().filter(ClientEntry::hasProgress).count();
        assertTrue(messages <= 5, messages + " messages for 25,000 transactions without one");
    }

    @Test
    void beginsNothingBeyondTheWindowBeforeTheLeaderHasHeardThatTheOldestHasEnded() {
        OpenTransaction oldest = begin();
        for (int i = 1; i < ClientSession.WINDOW; i++) {
            end(begin());
        }
        assertNull(sessions.usable());
        end(oldest);
        assertNull(sessions.usable());
        sessions.tend(new Effects());
        assertEquals(ClientSession.WINDOW + 1, told());
        end(begin());
    }

    /** What was told last may have been lost with the stream. */
    @Test
    void tellsItAgainWithTheNextStream() {
        end(begin());
        sessions.tend(new Effects());
        assertEquals(2, told());
        sessions.streamDown();
        sent.clear();
        streamUp(true);
        assertTrue(last().hasResumeSession());
        assertTrue(sessions.opened(last().getCorrelationId(), session()));
        sessions.tend(new Effects());
        assertEquals(2, told());
    }

    /** Whoever asks for a limit on what is open asks for one on what this client remembers, too. */
    @Test
    void countsACommitThatWaitsForItsAnswerAlsoWhenTheLeaderHasClosedItsSession() {
        OpenTransaction committing = begin();
        streamUp(false);
        assertEquals(1, sessions.openCount());
        end(committing);
        assertEquals(0, sessions.openCount());
    }
}
