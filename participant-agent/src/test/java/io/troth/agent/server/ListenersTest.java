package io.troth.agent.server;

import static org.junit.jupiter.api.Assertions.assertEquals;

import io.troth.agent.engine.AgentListener;
import io.troth.core.EpochId;
import io.troth.core.participant.AgentEvent;
import io.troth.core.participant.AgentNotice;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;

/** Goal: an agent that fails tells everybody, although one of them fails with it. */
class ListenersTest {

    private final List<String> heard = new ArrayList<>();

    /** What a thread that cannot be started throws, for one. */
    private static final class Failing implements AgentListener {

        @Override
        public void stepping(AgentEvent event) {
            throw new InternalError("on purpose");
        }

        @Override
        public void heard(AgentNotice notice) {
            throw new InternalError("on purpose");
        }

        @Override
        public void failed(RuntimeException cause) {
            throw new InternalError("on purpose");
        }
    }

    private final class Hearing implements AgentListener {

        @Override
        public void stepping(AgentEvent event) {
            heard.add("stepping");
        }

        @Override
        public void heard(AgentNotice notice) {
            heard.add("heard");
        }

        @Override
        public void failed(RuntimeException cause) {
            heard.add("failed");
        }
    }

    @Test
    void whatOneThrowsHurtsNobodyElse() {
        Listeners listeners = new Listeners(List.of(new Failing(), new Hearing()));
        listeners.stepping(new AgentEvent.DrainStarted());
        listeners.heard(new AgentNotice.Ready(new EpochId(1, 1)));
        listeners.failed(new IllegalStateException("on purpose"));
        assertEquals(List.of("stepping", "heard", "failed"), heard);
    }
}
