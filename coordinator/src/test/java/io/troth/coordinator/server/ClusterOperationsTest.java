package io.troth.coordinator.server;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertInstanceOf;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.troth.coordinator.admin.ClusterView;
import io.troth.coordinator.admin.OwnMember;
import io.troth.core.Build;
import io.troth.core.ClusterId;
import io.troth.core.ErrorCode;
import io.troth.core.Reason;
import io.troth.core.TrothException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import org.awaitility.Awaitility;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

/**
 * Goal: what would leave a cluster that decides nothing is refused, and nobody waits for a member that has gone. Method: a
 * leader whose Raft does what the test says, with followers that fall silent at any time.
 */
class ClusterOperationsTest {

    private static final int ELECTION_MILLIS = 50;
    private static final long SILENT = 2 * ELECTION_MILLIS + 1;
    private static final long GONE = 3 * 2 * ELECTION_MILLIS + 1;

    private final SimulatedMember member = new SimulatedMember("a");
    private final AtomicInteger drained = new AtomicInteger();
    private final ClusterOperations operations =
            new ClusterOperations(member, drained::incrementAndGet, ELECTION_MILLIS);

    @AfterEach
    void close() {
        operations.close();
    }

    /** The leader of a cluster, and what it is asked; a change is done when the test says so. */
    private static final class SimulatedMember implements OwnMember {
        private final String own;
        private final List<String> asked = new CopyOnWriteArrayList<>();
        /** How long each follower has not answered, by name. */
        private final Map<String, Long> silentMillis = new ConcurrentHashMap<>();

        private final Map<String, Long> matchedIndex = new ConcurrentHashMap<>();
        private final AtomicInteger looks = new AtomicInteger();
        private volatile ClusterView.Role role = ClusterView.Role.LEADER;
        private volatile long term = 7;
        private volatile CompletableFuture<Void> change = new CompletableFuture<>();

        SimulatedMember(String own) {
            this.own = own;
        }

        void has(String node, long index) {
            silentMillis.put(node, 0L);
            matchedIndex.put(node, index);
        }

        @Override
        public ClusterView view() {
            looks.incrementAndGet();
            boolean leads = role == ClusterView.Role.LEADER;
            List<ClusterView.Member> members = new ArrayList<>();
            members.add(new ClusterView.Member(own, own + ":1", null, null));
            new TreeMap<>(silentMillis)
                    .forEach((node, millis) -> members.add(new ClusterView.Member(
                            node,
                            node + ":1",
                            null,
                            leads ? new ClusterView.Contact(matchedIndex.get(node), millis) : null)));
            return new ClusterView(new ClusterId(1), own, Build.VERSION, role, term, leads ? own : null, 9, 9, members);
        }

        private CompletableFuture<Void> ask(String what) {
            asked.add(what);
            return change;
        }

        @Override
        public CompletableFuture<Void> transferLeadership(String node) {
            return ask("transfer to " + node);
        }

        @Override
        public void stepDown(long ofTerm) {
            asked.add("step down from term " + ofTerm);
        }

        @Override
        public CompletableFuture<Void> add(String node, String address, @Nullable String endpoint) {
            return ask("add " + node);
        }

        @Override
        public CompletableFuture<Void> remove(String node) {
            return ask("remove " + node);
        }
    }

    private static TrothException refusal(CompletableFuture<Void> change) {
        ExecutionException failed = assertThrows(ExecutionException.class, () -> change.get(60, TimeUnit.SECONDS));
        return assertInstanceOf(TrothException.class, failed.getCause());
    }

    private void assertRefused(ErrorCode code, String detail, CompletableFuture<Void> change) {
        TrothException refused = refusal(change);
        assertEquals(code, refused.code());
        assertEquals(detail, refused.reason().detail());
        assertEquals(List.of(), member.asked);
    }

    private void awaitAsked(String what) {
        Awaitility.await().atMost(Duration.ofSeconds(60)).until(() -> member.asked.contains(what));
    }

    @Test
    void aChangeAfterWhichNoMajorityWouldBeThereIsRefused() throws Exception {
        member.has("b", 9);
        member.has("c", 9);
        member.silentMillis.put("c", SILENT);
        assertRefused(
                ErrorCode.NO_MAJORITY,
                "1 of 2 members would be there; these do not answer now: [c]",
                operations.remove("b", "test"));
        member.silentMillis.put("b", SILENT);
        assertRefused(
                ErrorCode.NO_MAJORITY,
                "2 of 4 members would be there; these do not answer now: [b, c]",
                operations.add("d", "d:1", null, "test"));
        member.silentMillis.put("b", SILENT - 1);
        member.change.complete(null);
        operations.add("d", "d:1", null, "test").get(60, TimeUnit.SECONDS);
        operations.remove("c", "test").get(60, TimeUnit.SECONDS);
        assertEquals(List.of("add d", "remove c"), member.asked);
    }

    @Test
    void theLastMemberIsNotRemoved() {
        assertRefused(ErrorCode.LAST_MEMBER, "a is the only one", operations.remove("a", "test"));
    }

    @Test
    void oneChangeAtATime() throws Exception {
        member.has("b", 9);
        member.has("c", 9);
        CompletableFuture<Void> first = operations.remove("c", "test");
        awaitAsked("remove c");
        TrothException refused = refusal(operations.add("d", "d:1", null, "test"));
        assertEquals(ErrorCode.CHANGE_UNDER_WAY, refused.code());
        assertEquals("not done yet: member c is removed", refused.reason().detail());
        assertFalse(first.isDone());
        member.change.complete(null);
        first.get(60, TimeUnit.SECONDS);
        operations.add("d", "d:1", null, "test").get(60, TimeUnit.SECONDS);
        assertEquals(List.of("remove c", "add d"), member.asked);
    }

    @Test
    void stepsDownWhateverATransferFailsWithAfterTheDrain() {
        member.has("b", 9);
        for (RuntimeException failure : List.of(
                new TrothException(Reason.of(ErrorCode.NOT_LEADER)), new IllegalStateException("Raft is gone"))) {
            member.asked.clear();
            member.change = CompletableFuture.failedFuture(failure);
            TrothException refused = refusal(operations.transfer("b", "test"));
            assertEquals(ErrorCode.MEMBER_UNREACHABLE, refused.code());
            assertEquals(List.of("transfer to b", "step down from term 7"), member.asked);
        }
    }

    @Test
    void aTransferToAMemberThatGoesIsGivenUp() {
        member.has("b", 9);
        member.has("c", 9);
        CompletableFuture<Void> transfer = operations.transfer("b", "test");
        awaitAsked("transfer to b");
        member.silentMillis.put("b", GONE);
        TrothException refused = refusal(transfer);
        assertEquals(ErrorCode.MEMBER_UNREACHABLE, refused.code());
        assertTrue(refused.getMessage().contains("b has gone"), refused::getMessage);
        assertEquals(1, drained.get());
        assertEquals(List.of("transfer to b", "step down from term 7"), member.asked);
    }

    @Test
    void aTransferThatFailsDeposesNoLaterLeadership() {
        member.has("b", 9);
        CompletableFuture<Void> transfer = operations.transfer("b", "test");
        awaitAsked("transfer to b");
        // Raft has given the transfer up, and this member was elected once more.
        member.term = 8;
        member.change.completeExceptionally(new IllegalStateException("Raft is gone"));
        assertEquals(ErrorCode.MEMBER_UNREACHABLE, refusal(transfer).code());
        assertEquals(List.of("transfer to b", "step down from term 7"), member.asked);
    }

    private CompletableFuture<Void> stops() {
        return CompletableFuture.runAsync(operations::handOverToAnybody, task -> new Thread(task, "stops").start());
    }

    @Test
    void whoeverStopsHandsOverToWhoHasMostAndIsThere() throws Exception {
        member.has("b", 9);
        member.has("c", 8);
        member.has("d", 7);
        member.silentMillis.put("b", SILENT);
        CompletableFuture<Void> stops = stops();
        awaitAsked("transfer to c");
        // It asks for votes, and this one, which has heard of it, does not lead any more.
        member.term = 8;
        member.role = ClusterView.Role.FOLLOWER;
        int before = member.looks.get();
        Awaitility.await().atMost(Duration.ofSeconds(60)).until(() -> member.looks.get() > before + 2);
        assertFalse(stops.isDone());
        member.change.complete(null);
        stops.get(60, TimeUnit.SECONDS);
        assertEquals(List.of("transfer to c"), member.asked);
    }

    @Test
    void whoeverStopsLastWaitsForNobody() throws Exception {
        member.has("b", 9);
        member.silentMillis.put("b", SILENT);
        stops().get(60, TimeUnit.SECONDS);
        assertEquals(List.of(), member.asked);
        // They stop at the same time: it has gone before it could lead.
        member.silentMillis.put("b", 0L);
        CompletableFuture<Void> stops = stops();
        awaitAsked("transfer to b");
        member.silentMillis.put("b", GONE);
        stops.get(60, TimeUnit.SECONDS);
        // The same, when Raft notices first.
        member.silentMillis.put("b", 0L);
        stops = stops();
        Awaitility.await().atMost(Duration.ofSeconds(60)).until(() -> member.asked.size() == 2);
        member.role = ClusterView.Role.FOLLOWER;
        stops.get(60, TimeUnit.SECONDS);
        assertFalse(member.change.isDone());
    }
}
