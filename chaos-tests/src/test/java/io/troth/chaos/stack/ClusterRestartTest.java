package io.troth.chaos.stack;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.troth.chaos.cluster.CoordinatorCluster;
import io.troth.chaos.cluster.CoordinatorCluster.Lead;
import io.troth.core.Reason;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;
import org.awaitility.Awaitility;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.condition.EnabledIfSystemProperty;

/**
 * Goal: members can be restarted in turn without a transfer that fails, and a leader that is cut off from the others decides
 * nothing. Method: transfers run all the time, through members that reach each other through proxies; at the end every
 * answer is compared with the books of both banks.
 */
@EnabledIfSystemProperty(named = "troth.clusterFaults", matches = "true")
@Timeout(value = 5, unit = TimeUnit.MINUTES)
class ClusterRestartTest {

    private static final Duration LIMIT = Duration.ofSeconds(60);
    private static final String COMMITTED_INDEX = "troth_member_committed_index";
    private static final String APPLIED_INDEX = "troth_member_applied_index";

    private static ClusterStack stack;
    private ClusterTransfers transfers;

    @BeforeAll
    static void start() throws Exception {
        stack = new ClusterStack("ClusterRestart", true);
    }

    @AfterAll
    static void end() {
        stack.close();
    }

    @BeforeEach
    void run() {
        transfers = new ClusterTransfers(stack);
        transfers.awaitCommits();
    }

    @AfterEach
    void rest() {
        transfers.close();
    }

    private static void awaitApplied(String node, long index) {
        Awaitility.await(node + " has what was decided")
                .atMost(LIMIT)
                .until(() -> stack.members().metric(node, APPLIED_INDEX) >= index);
    }

    /** Each that is stopped leads, and hands over. */
    @Test
    void noTransferFailsWhenMembersAreRestartedInTurn() throws Exception {
        CoordinatorCluster members = stack.members();
        for (int restarts = 0; restarts < 2; restarts++) {
            Lead leader = members.lead();
            long last = members.metric(leader.node(), COMMITTED_INDEX);
            members.process(leader.node()).child().terminate();
            assertEquals(0, members.process(leader.node()).child().awaitExit(LIMIT));
            assertNotEquals(
                    leader.node(), members.awaitLeadAbove(leader.epoch()).node());
            transfers.awaitCommits();
            members.restart(leader.node());
            members.awaitFollows(leader.node());
            awaitApplied(leader.node(), last);
        }
        transfers.assertTruth();
        assertEquals(List.of(), transfers.failures());
    }

    @Test
    void aLeaderThatIsCutOffDecidesNothingAndSaysSo() throws Exception {
        CoordinatorCluster members = stack.members();
        Lead leader = members.lead();
        members.cutOff(leader.node());
        Lead next = members.awaitLeadAbove(leader.epoch());
        assertNotEquals(leader.node(), next.node());
        members.awaitNotLeading(leader.node());
        long decided = members.metric(leader.node(), COMMITTED_INDEX);
        transfers.awaitCommits();
        assertTrue(members.readyz(leader.node()).startsWith("503 NOT_LEADER"), members.readyz(leader.node()));
        assertEquals(decided, members.metric(leader.node(), COMMITTED_INDEX));

        members.heal(leader.node());
        members.awaitFollows(leader.node());
        long now = members.metric(members.lead().node(), COMMITTED_INDEX);
        awaitApplied(leader.node(), now);
        transfers.awaitCommits();
        transfers.assertTruth();
        List<Reason> unsafe = new ArrayList<>(transfers.failures());
        unsafe.removeIf(reason -> reason.code().retryable());
        assertEquals(List.of(), unsafe);
    }
}
