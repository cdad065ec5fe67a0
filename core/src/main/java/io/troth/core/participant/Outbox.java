package io.troth.core.participant;

import io.troth.core.GlobalTxId;
import io.troth.core.Reason;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;

/** Collects the actions of one step, in order. What is said to the leader is dropped when nobody would hear it. */
final class Outbox {

    private List<AgentAction> actions = new ArrayList<>();
    private boolean connected;

    /** Whether there is a stream to a ready leader: from now on {@link #send} keeps or drops. */
    void connected(boolean isConnected) {
        connected = isConnected;
    }

    void add(AgentAction action) {
        actions.add(action);
    }

    void send(CoordinatorMessage message) {
        if (connected) {
            actions.add(new AgentAction.Send(message));
        }
    }

    void tell(AgentNotice notice) {
        actions.add(new AgentAction.Notify(notice));
    }

    void alarm(Reason reason, @Nullable GlobalTxId tx) {
        tell(new AgentNotice.Alarm(reason, tx));
    }

    /** The actions so far; the outbox is empty afterwards. */
    List<AgentAction> take() {
        List<AgentAction> taken = actions;
        actions = new ArrayList<>();
        return taken;
    }
}
