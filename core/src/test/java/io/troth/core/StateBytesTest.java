package io.troth.core;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;

import io.troth.core.coordinator.AgentHello;
import io.troth.core.coordinator.AgentHello.AgentResource;
import io.troth.core.coordinator.AgentMessage;
import io.troth.core.coordinator.CoordinatorLimits;
import io.troth.core.coordinator.CoordinatorStateMachine;
import io.troth.core.coordinator.Event;
import io.troth.core.coordinator.LogEntry;
import io.troth.core.coordinator.LogRecord;
import io.troth.core.coordinator.RequestId;
import io.troth.core.coordinator.StateReader;
import io.troth.core.coordinator.StateWriter;
import io.troth.core.coordinator.StreamId;
import io.troth.core.participant.AgentEvent;
import io.troth.core.participant.AgentLimits;
import io.troth.core.participant.AgentStateMachine;
import io.troth.core.participant.BranchState;
import java.util.Arrays;
import java.util.List;
import java.util.function.Consumer;
import org.junit.jupiter.api.Test;

/** Goal: bytes that are not those of a state are refused, whatever is wrong with them, and every value is read back. */
class StateBytesTest {

    @Test
    void onlyAllBytesOfALeaderAreRead() {
        CoordinatorStateMachine leader = new CoordinatorStateMachine(0, CoordinatorLimits.DEFAULTS);
        EpochId epoch = new EpochId(3, 0x33);
        leader.step(new Event.LeadershipStarted(epoch, 0));
        leader.apply(new LogEntry(3, new LogRecord.Epoch(epoch)));
        AgentResource resource = new AgentResource("accounts", "postgresql", "db", "troth", null);
        leader.step(new Event.AgentConnected(new StreamId(1), new AgentHello(1, null, 0, List.of(resource))));
        leader.step(new Event.OpenSession(new RequestId(new StreamId(2), 1), new SessionKey(1, 2), "client", true));
        readsOnly(leader.encode(), bytes -> CoordinatorStateMachine.decode(bytes, CoordinatorLimits.DEFAULTS));
    }

    @Test
    void onlyAllBytesOfAnAgentAreRead() {
        AgentStateMachine agent = new AgentStateMachine(1, List.of("accounts"), AgentLimits.DEFAULTS);
        EpochId epoch = new EpochId(3, 0x33);
        agent.step(new AgentEvent.ClusterHeard(new ClusterId(7)));
        agent.step(new AgentEvent.Ordered(epoch, new AgentMessage.Welcome(epoch)));
        GlobalTxId tx = new GlobalTxId(0, epoch, 1, 1);
        agent.step(new AgentEvent.CallJoins(
                1, new ClusterId(7), tx, new SessionKey(1, 2), 1, 1, "accounts", 60_000, true));
        agent.step(new AgentEvent.CommitInPlace(tx, new BranchId(1, 1)));
        assertEquals(BranchState.ONE_PHASE, agent.stateOf(new BranchId(1, 1)));
        readsOnly(agent.encode(), bytes -> AgentStateMachine.decode(bytes, AgentLimits.DEFAULTS));
    }

    private static void readsOnly(byte[] bytes, Consumer<byte[]> reader) {
        reader.accept(bytes);
        for (int length = 0; length < bytes.length; length++) {
            byte[] tooFew = Arrays.copyOf(bytes, length);
            assertThrows(IllegalArgumentException.class, () -> reader.accept(tooFew), "of " + length + " bytes");
        }
        assertThrows(IllegalArgumentException.class, () -> reader.accept(Arrays.copyOf(bytes, bytes.length + 1)));
        byte[] otherVersion = bytes.clone();
        otherVersion[0]++;
        assertThrows(IllegalArgumentException.class, () -> reader.accept(otherVersion));
    }

    @Test
    void valuesAreReadBack() {
        StateWriter out = new StateWriter(false);
        out.int32(0x8102_0304);
        out.int64(0x8102_0304_0506_0708L);
        out.text("\u1234\u00ffx");
        out.octet(0xff);
        StateReader in = new StateReader(out.toByteArray());
        assertEquals(0x8102_0304, in.int32());
        assertEquals(0x8102_0304_0506_0708L, in.int64());
        assertEquals("\u1234\u00ffx", in.text());
        assertEquals(0xff, in.octet());
        in.end();
    }

    @Test
    void anImpossibleCountConstantOrFlagIsRefused() {
        assertEquals(2, new StateReader(new byte[] {0, 0, 0, 2, 1, 1}).count());
        assertThrows(IllegalArgumentException.class, () -> new StateReader(new byte[] {0, 0, 0, 2, 1}).count());
        assertThrows(IllegalArgumentException.class, () -> new StateReader(new byte[] {-1, 0, 0, 2, 1}).count());
        StateWriter out = new StateWriter(false);
        out.constant(Vote.READ_ONLY);
        assertEquals(Vote.READ_ONLY, new StateReader(out.toByteArray()).constant(Vote.values()));
        assertThrows(IllegalArgumentException.class, () -> new StateReader(new byte[] {3}).constant(Vote.values()));
        assertThrows(IllegalArgumentException.class, () -> new StateReader(new byte[] {2}).bool());
    }
}
