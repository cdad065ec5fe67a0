package io.troth.core;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;

import io.troth.core.coordinator.Action;
import io.troth.core.coordinator.AgentHello;
import io.troth.core.coordinator.AgentHello.AgentResource;
import io.troth.core.coordinator.AgentMessage;
import io.troth.core.coordinator.CommitContent;
import io.troth.core.coordinator.CoordinatorLimits;
import io.troth.core.coordinator.CoordinatorStateMachine;
import io.troth.core.coordinator.Event;
import io.troth.core.coordinator.Event.CommitRequested.BranchVote;
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

    private static final EpochId EPOCH = new EpochId(3, 0x33);
    private static final SessionKey KEY = new SessionKey(1, 2);
    private static final GlobalTxId TX = new GlobalTxId(0, EPOCH, 1, 1);
    private static final BranchId BRANCH = new BranchId(1, 1);
    private static final LogRecord.YesBranch YES =
            new LogRecord.YesBranch(BRANCH, "accounts", Proof.of(new byte[] {1}));

    @Test
    void onlyAllBytesOfALeaderAreRead() {
        readsOnly(committing(true).encode(), StateBytesTest::leader);
    }

    /** Whether the votes came with the Commit is kept until COMMIT is applied: it says who sends the decision. */
    @Test
    void whoTellsTheBranchesIsReadBack() {
        CoordinatorStateMachine byClient = committing(true);
        CoordinatorStateMachine byLeader = committing(false);
        assertEquals(byLeader.encode().length, byClient.encode().length);
        assertFalse(Arrays.equals(byLeader.encodeFolded(), byClient.encodeFolded()));
        assertEquals(0, ordersWhenApplied(leader(byClient.encode())));
        assertEquals(1, ordersWhenApplied(leader(byLeader.encode())));
    }

    private static CoordinatorStateMachine leader(byte[] bytes) {
        return CoordinatorStateMachine.decode(bytes, CoordinatorLimits.DEFAULTS);
    }

    /** A leader that has handed a COMMIT to the log. */
    private static CoordinatorStateMachine committing(boolean votesWithCommit) {
        CoordinatorStateMachine leader = new CoordinatorStateMachine(0, CoordinatorLimits.DEFAULTS);
        StreamId agent = new StreamId(1);
        StreamId client = new StreamId(2);
        leader.step(new Event.LeadershipStarted(EPOCH, 0));
        leader.apply(new LogEntry(3, new LogRecord.Epoch(EPOCH)));
        AgentResource resource = new AgentResource("accounts", "postgresql", "db", "troth", null);
        leader.step(new Event.AgentConnected(agent, new AgentHello(1, null, 0, List.of(resource))));
        leader.step(new Event.OpenSession(new RequestId(client, 1), KEY, "client", true));
        List<BranchVote> votes = votesWithCommit ? List.of(new BranchVote(Vote.YES, YES.proof(), null)) : List.of();
        CommitContent content = new CommitContent(List.of(new BranchWork(BRANCH, YES.resource(), 1)), false);
        leader.step(new Event.CommitRequested(new RequestId(client, 2), TX, KEY, 1, content, votes, false, 60_000));
        if (!votesWithCommit) {
            leader.step(new Event.VoteReceived(agent, TX, BRANCH, Vote.YES, YES.proof(), null));
        }
        return leader;
    }

    private static long ordersWhenApplied(CoordinatorStateMachine leader) {
        return leader.apply(new LogEntry(3, new LogRecord.Commit(TX, List.of(YES)))).stream()
                .filter(action -> action instanceof Action.SendToAgent send
                        && send.message() instanceof AgentMessage.CommitBranch)
                .count();
    }

    @Test
    void onlyAllBytesOfAnAgentAreRead() {
        AgentStateMachine agent = new AgentStateMachine(1, List.of("accounts"), AgentLimits.DEFAULTS);
        agent.step(new AgentEvent.ClusterHeard(new ClusterId(7)));
        agent.step(new AgentEvent.Ordered(EPOCH, new AgentMessage.Welcome(EPOCH)));
        agent.step(new AgentEvent.CallJoins(1, new ClusterId(7), TX, KEY, 1, 1, "accounts", 60_000, true));
        agent.step(new AgentEvent.CommitInPlace(TX, BRANCH));
        assertEquals(BranchState.ONE_PHASE, agent.stateOf(BRANCH));
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
