package io.troth.coordinator.server;

import static org.junit.jupiter.api.Assertions.assertEquals;

import ch.qos.logback.classic.Level;
import io.troth.coordinator.HeardLog;
import io.troth.coordinator.admin.ClusterView;
import io.troth.core.ClusterId;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.atomic.AtomicLong;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;
import org.junit.jupiter.api.parallel.Isolated;

/** Goal: who reads the leader's log learns of each member that goes or comes, once. Method: views of this test. */
@Isolated // Hears what the leader of every cluster in this JVM logs.
class MemberWatchTest {

    private static final ClusterView.Contact THERE = new ClusterView.Contact(7, 1_500);
    private static final ClusterView.Contact AWAY = new ClusterView.Contact(7, 3_001);

    @RegisterExtension
    final HeardLog heard = new HeardLog(MemberWatch.class.getName(), Level.INFO);

    private final AtomicLong nanos = new AtomicLong();
    private final MemberWatch watch = new MemberWatch(500, nanos::get);

    private static ClusterView.Member member(String node, ClusterView.Contact contact) {
        return new ClusterView.Member(node, node + ".example:7720", null, contact);
    }

    private void look(ClusterView.Contact ofB, ClusterView.Contact ofC) {
        look(Duration.ofSeconds(1), ofB, ofC);
    }

    private void look(Duration after, ClusterView.Contact ofB, ClusterView.Contact ofC) {
        nanos.addAndGet(after.toNanos());
        watch.look(new ClusterView(
                new ClusterId(1),
                "a",
                "1",
                ofB == null ? ClusterView.Role.FOLLOWER : ClusterView.Role.LEADER,
                3,
                "a",
                9,
                9,
                List.of(member("a", null), member("b", ofB), member("c", ofC))));
    }

    private List<String> said() {
        return heard.takeTexts();
    }

    @Test
    void saysOnceWhoDoesNotAnswerAndOnceWhoDoesAgain() {
        look(THERE, THERE);
        assertEquals(List.of(), said());
        look(THERE, AWAY);
        look(THERE, AWAY);
        assertEquals(
                List.of("member c at c.example:7720 does not answer; 2 of 3 members are left. Start it, or look at the"
                        + " network"),
                said());
        look(AWAY, AWAY);
        assertEquals(
                List.of("member b at b.example:7720 does not answer; 1 of 3 members are left. Start it, or look at the"
                        + " network"),
                said());
        look(AWAY, THERE);
        assertEquals(List.of("member c answers again"), said());
        // Only a leader knows, and the next time it leads it begins anew.
        look(null, null);
        look(THERE, THERE);
        assertEquals(List.of(), said());
    }

    @Test
    void aLeaderThatStoodStillItselfSaysNothingOfTheOthers() {
        look(THERE, THERE);
        look(Duration.ofMillis(3_001), AWAY, AWAY);
        assertEquals(List.of(), said());
        // Who is away indeed still is at the next look.
        look(THERE, AWAY);
        assertEquals(
                List.of("member c at c.example:7720 does not answer; 2 of 3 members are left. Start it, or look at the"
                        + " network"),
                said());
    }
}
