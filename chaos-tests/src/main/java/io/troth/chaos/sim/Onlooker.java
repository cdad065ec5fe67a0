package io.troth.chaos.sim;

import io.troth.chaos.sim.world.World;
import io.troth.core.GlobalTxId;
import io.troth.core.coordinator.ClientMessage;
import io.troth.core.coordinator.CommitContent;
import io.troth.core.coordinator.Event;
import java.util.HashMap;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/** Somebody in a client's process who asks about transactions that need not be its own. One thread. */
final class Onlooker {

    private final World world;
    private final Ledger ledger;
    private final ClientStream stream;
    private final Map<Long, GlobalTxId> asked = new HashMap<>();

    Onlooker(Run run, ClientStream stream) {
        this.world = run.world;
        this.ledger = run.ledger;
        this.stream = stream;
    }

    /** Asks once; {@code content} is that of T's Commit, null when only the id is known. */
    void asks(GlobalTxId tx, @Nullable CommitContent content) {
        if (stream.isUp()) {
            long number = stream.nextCorrelation();
            asked.put(number, tx);
            stream.say(
                    () -> "wonders about " + tx + (content == null ? "" : " and " + content),
                    number,
                    request -> new Event.OutcomeInquiry(request, tx, content));
        }
    }

    void disconnected() {
        asked.clear();
    }

    void hears(ClientMessage.Answer answer) {
        GlobalTxId tx = asked.remove(answer.correlation());
        if (tx != null) {
            world.saw("onlooker hears " + answer.outcome());
            ledger.told(tx, answer.outcome(), false);
        }
    }

    /** True when it was this one's question. */
    boolean isRefused(ClientMessage.Refused refused) {
        return asked.remove(refused.correlation()) != null;
    }

    /** What it still waits for; null when nothing. */
    @Nullable
    String unfinished() {
        return asked.isEmpty() ? null : "nobody answers about " + asked.values();
    }
}
