package io.troth.client.internal;

import io.troth.proto.v1.ClientEntry;
import io.troth.proto.v1.ClientReply;
import io.troth.proto.v1.CoordinatorState;
import java.util.List;

/**
 * The one stream to a coordinator, reconnected for ever. What is sent while no stream is up, or is still waiting when
 * it breaks, is lost: the engine sends it again when the next stream is up.
 */
interface CoordinatorLink {

    /** Hears what happens on the stream; called on the loop's thread, one call at a time. */
    interface Listener {

        /** A new stream is up, and this is who answers. Returns false to try elsewhere. */
        boolean up(CoordinatorState state);

        /** A batch of replies. */
        void replies(List<ClientReply> replies);

        /** The stream that was up is gone. Nothing that was sent on it will be answered any more. */
        void down();
    }

    /** Starts to connect. The listener hears of the first stream later, never within this call. */
    void start(Listener listener);

    /** Hands an entry over to the stream. Thread-safe, never blocks. */
    void send(ClientEntry entry);

    /** Gives the stream up and tries the next endpoint: the coordinator there cannot serve. Thread-safe. */
    void tryElsewhere(String why);

    /** What went wrong at the last attempt, for messages. */
    String problem();

    /** Ends the stream after what was handed over has been sent, and then the loop. */
    void close();
}
