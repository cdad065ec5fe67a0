package io.troth.coordinator.log.raft;

import static io.troth.coordinator.log.Records.commit;
import static io.troth.coordinator.log.Records.end;
import static io.troth.coordinator.log.Records.epoch;
import static io.troth.coordinator.log.Records.horizon;
import static io.troth.coordinator.log.Records.tx;
import static io.troth.coordinator.log.raft.Members.eventually;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertInstanceOf;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.troth.coordinator.engine.LeadershipLostException;
import io.troth.coordinator.engine.Recovered;
import io.troth.coordinator.log.LogRefusal;
import io.troth.coordinator.log.LogRefusedException;
import io.troth.coordinator.log.RecordingListener;
import io.troth.coordinator.log.ReplicatedEntry;
import io.troth.core.coordinator.LogEntry;
import io.troth.core.coordinator.LogRecord;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicReference;
import java.util.function.LongFunction;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.apache.ratis.util.FileUtils;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/**
 * Goal: what several members add to the contract: leaders that change, members that come late, lost disks. Method: three
 * members in this JVM, whose leader is changed by hand; all of them must end with the same content.
 */
class RaftMemberTest {

    @TempDir
    Path temp;

    private Members members;
    private RecordingListener heard = new RecordingListener();
    private long epochNumber;

    private void start(long snapshotEntries) {
        members = new Members(temp.resolve("first"), 3, snapshotEntries);
        members.startAll();
    }

    @AfterEach
    void close() {
        members.close();
    }

    /** Whoever leads begins an epoch. */
    private Members.Lead lead() {
        return begin(members.awaitLead());
    }

    private Members.Lead begin(Members.Lead lead) {
        Recovered recovered = lead.log().recover(entry -> {});
        epochNumber = recovered.nextEpoch();
        heard = new RecordingListener();
        lead.log().start(epochNumber, heard);
        force(lead, epoch(epochNumber));
        return lead;
    }

    private void force(Members.Lead lead, LogRecord... records) {
        for (LogRecord record : records) {
            lead.log().append(record, true);
        }
        LogRecord last = records[records.length - 1];
        eventually().until(() -> heard.records().contains(last));
    }

    /** Where little time is left to vote in, whoever led may be voted for again; then it is asked once more, as by an operator. */
    private Members.Lead transfer(Members.Lead from, String to) throws Exception {
        Members.Lead leader = from;
        for (int left = 5; !leader.node().equals(to); left--) {
            try {
                members.member(leader.node()).transferLeadership(to).get(60, TimeUnit.SECONDS);
                leader = members.awaitLead(lead -> lead.node().equals(to));
            } catch (ExecutionException e) {
                if (left == 0 || !(e.getCause() instanceof LeadershipLostException)) {
                    throw e;
                }
                leader = members.awaitLead();
            }
        }
        return leader;
    }

    private List<String> contentOf(String node) {
        return members.member(node).machine().store().content();
    }

    private long indexOf(String node) {
        return members.member(node).machine().store().position().index();
    }

    /** All of these come to the same content. */
    private void agree(List<String> nodes) {
        long highest = nodes.stream().mapToLong(this::indexOf).max().orElseThrow();
        nodes.forEach(node -> eventually().until(() -> indexOf(node) >= highest));
        eventually().until(() -> nodes.stream().map(this::contentOf).distinct().count() == 1);
    }

    /** The log of this leader, which then has nothing to say but that it leads. */
    private List<LogRecord> replayedBy(Members.Lead lead) {
        List<LogEntry> replayed = new ArrayList<>();
        long next = lead.log().recover(replayed::add).nextEpoch();
        lead.log().start(next, new RecordingListener());
        return replayed.stream().map(LogEntry::record).toList();
    }

    @Test
    void anAppendOfADeposedLeaderIsUnknownAndHasNoEffectUnderALaterTermOfItsOwn() throws Exception {
        start(100_000);
        Members.Lead first = lead();
        long firstEpoch = epochNumber;
        AtomicReference<Runnable> held = new AtomicReference<>();
        CompletableFuture<Void> late = new CompletableFuture<>();
        members.interference = (raft, entry) -> {
            members.interference = EntrySender::send;
            held.set(() -> {
                CompletableFuture<Void> unused = raft.send(entry).whenComplete((done, cause) -> {
                    if (cause == null) {
                        late.complete(null);
                    } else {
                        late.completeExceptionally(cause);
                    }
                });
            });
            return new CompletableFuture<>();
        };
        // Not a COMMIT: its transaction's epoch would be seen to be another one in any case.
        first.log().append(new LogRecord.Distrust(1_000), true);
        eventually().until(() -> held.get() != null);
        RecordingListener deposed = heard;

        Members.Lead second = begin(transfer(first, members.others(first.node()).get(0)));
        eventually().until(() -> deposed.failure() != null);
        assertInstanceOf(LeadershipLostException.class, deposed.failure());
        assertThrows(LeadershipLostException.class, () -> first.log().find(tx(firstEpoch, 1, 1)));

        Members.Lead third = begin(transfer(second, first.node()));
        held.get().run();
        Throwable fenced = assertThrows(Exception.class, () -> late.get(60, TimeUnit.SECONDS));
        assertTrue(String.valueOf(fenced.getCause()).contains("fenced"), String.valueOf(fenced));
        force(third, commit(tx(epochNumber, 1, 1)));
        assertEquals(List.of(epoch(epochNumber), commit(tx(epochNumber, 1, 1))), heard.records());
        assertEquals(List.of(epoch(firstEpoch)), deposed.records());
        assertTrue(epochNumber < 1_000, "epoch " + epochNumber);
        agree(members.nodes());
        assertFalse(contentOf(third.node()).toString().contains("Distrust"), contentOf(third.node())::toString);
        assertEquals(List.of(), members.failures);
    }

    @Test
    void aLeadershipThatIsOverBeforeItBeganIsReportedAndNeverLed() throws Exception {
        start(100_000);
        Members.Lead recovered = members.awaitLead();
        long next = recovered.log().recover(entry -> {}).nextEpoch();
        Members.Lead unused =
                transfer(recovered, members.others(recovered.node()).get(0));
        recovered.log().start(next, heard);
        assertInstanceOf(LeadershipLostException.class, heard.failure());
        recovered.log().append(epoch(next), true);
        Members.Lead unrecovered = unused;
        Members.Lead third = transfer(unrecovered, recovered.node());
        assertThrows(LeadershipLostException.class, () -> unrecovered.log().recover(entry -> {}));
        assertEquals(List.of(), replayedBy(third));
    }

    @Test
    void aLeaderThatDoesNotKnowWhatBecameOfAnEntryGivesItsTermUp() {
        start(100_000);
        Members.Lead leader = lead();
        long before = epochNumber;
        RecordingListener first = heard;
        members.interference = (raft, entry) -> {
            members.interference = EntrySender::send;
            return CompletableFuture.failedFuture(new IOException("nobody knows"));
        };
        leader.log().append(commit(tx(before, 1, 1)), true);
        eventually().until(() -> first.failure() != null);
        assertInstanceOf(LeadershipLostException.class, first.failure());

        eventually().until(() -> !members.isLeader(leader.node()));
        members.elect(leader.node());
        Members.Lead next =
                begin(members.awaitLead(lead -> lead.log().term() > leader.log().term()));
        assertTrue(epochNumber > before, epochNumber + " after " + before);
        assertNull(next.log().find(tx(before, 1, 1)));
        assertEquals(List.of(epoch(before)), first.records());
    }

    /** Without a majority, and long before Raft would notice that by itself. */
    @Test
    void aLeaderThatDoesNotKnowWhatBecameOfAnEntryGivesItsTermUpThoughNobodyCanTakeIt() {
        members = new Members(temp.resolve("first"), 3, 100_000, 600_000);
        members.keepAliveMillis = 600_000;
        members.startAll();
        Members.Lead leader = lead();
        members.others(leader.node()).forEach(members::stop);
        members.interference = (raft, entry) -> CompletableFuture.failedFuture(new IOException("nobody knows"));
        leader.log().append(commit(tx(epochNumber, 1, 1)), true);
        eventually().until(() -> !members.isLeader(leader.node()));
        assertInstanceOf(LeadershipLostException.class, heard.failure());
        eventually().until(() -> members.leaderKnownTo(leader.node()).isEmpty());

        members.interference = EntrySender::send;
        members.others(leader.node()).forEach(members::start);
        members.elect(leader.node());
        Members.Lead next =
                begin(members.awaitLead(lead -> lead.log().term() > leader.log().term()));
        force(next, commit(tx(epochNumber, 1, 1)));
    }

    @Test
    void aLeaderWithoutAMajorityDecidesNothingAndStepsDown() {
        members = new Members(temp.resolve("first"), 3, 100_000, 1_000);
        members.startAll();
        Members.Lead leader = lead();
        members.others(leader.node()).forEach(members::stop);
        leader.log().append(commit(tx(epochNumber, 1, 1)), true);
        eventually().until(() -> heard.failure() != null);
        assertInstanceOf(LeadershipLostException.class, heard.failure());
        assertEquals(List.of(epoch(epochNumber)), heard.records());
        eventually().until(() -> members.leaderKnownTo(leader.node()).isEmpty());
    }

    @Test
    void aLeaderThatDiesUnderLoadLosesNothingThatWasAcknowledged() throws Exception {
        start(100_000);
        Members.Lead leader = lead();
        long first = epochNumber;
        RecordingListener firstHeard = heard;
        for (long sequence = 1; sequence <= 5_000; sequence++) {
            leader.log().append(commit(tx(first, 1, sequence)), true);
        }
        eventually().until(() -> firstHeard.entries().size() > 100);
        members.kill(leader.node());
        List<LogRecord> acknowledged = firstHeard.records();

        List<LogRecord> replayed = replayedBy(members.awaitLead());
        assertTrue(replayed.containsAll(acknowledged), acknowledged.size() + " of which not all are in the log");
        agree(members.others(leader.node()));
        members.start(leader.node());
        agree(members.nodes());
    }

    @Test
    void whenAllDieAtOnceNothingIsLostThatWasAcknowledged() throws Exception {
        start(100_000);
        Members.Lead leader = lead();
        for (long sequence = 1; sequence <= 5_000; sequence++) {
            leader.log().append(commit(tx(epochNumber, 1, sequence)), true);
        }
        eventually().until(() -> heard.entries().size() > 100);
        Set<LogRecord> acknowledged = Set.copyOf(heard.records());
        members.copyTo(temp.resolve("second"));
        members.stopAll();

        members.startAll();
        List<LogRecord> replayed = replayedBy(members.awaitLead());
        assertTrue(replayed.containsAll(acknowledged), acknowledged.size() + " of which not all are in the log");
        agree(members.nodes());
    }

    @Test
    void manyRecordsShareAnEntry() {
        start(100_000);
        Members.Lead leader = lead();
        long before = indexOf(leader.node());
        for (long sequence = 1; sequence <= 3_000; sequence++) {
            leader.log().append(commit(tx(epochNumber, 1, sequence)), true);
        }
        eventually().until(() -> heard.entries().size() == 3_001);
        long entries = indexOf(leader.node()) - before;
        assertTrue(entries <= 3_000 / 8, entries + " entries for 3000 records");
        assertTrue(heard.batchSizes().stream().allMatch(size -> size <= 1_024), heard.batchSizes()::toString);
    }

    @Test
    void aMemberGoesOnFromItsCheckpointAndTheEntriesBehindIt() throws Exception {
        start(20);
        Members.Lead leader = lead();
        for (long sequence = 1; sequence <= 60; sequence++) {
            force(leader, commit(tx(epochNumber, 1, sequence)));
        }
        leader.log().append(end(tx(epochNumber, 1, 1)), false);
        force(leader, horizon(epochNumber, 1));
        leader.log().purge(horizon(epochNumber, 1));
        force(leader, commit(tx(epochNumber, 2, 1)));
        agree(members.nodes());
        List<String> content = contentOf(leader.node());
        for (String node : members.nodes()) {
            eventually().until(() -> checkpoints(node).size() == 2);
        }

        members.copyTo(temp.resolve("second"));
        members.stopAll();
        members.startAll();
        Members.Lead next = members.awaitLead();
        assertTrue(replayedBy(next).contains(commit(tx(epochNumber, 1, 2))));
        assertNull(next.log().find(tx(epochNumber, 1, 1)));
        assertEquals(commit(tx(epochNumber, 1, 2)), next.log().find(tx(epochNumber, 1, 2)));
        agree(members.nodes());
        assertEquals(content, contentOf(next.node()));
        assertEquals(List.of(), members.failures);
    }

    @Test
    void aMemberWithoutAnyEntryJoinsByACheckpointAndCanLeadThen() throws Exception {
        start(20);
        Members.Lead leader = lead();
        force(leader, commit(tx(epochNumber, 1, 1)));
        long first = epochNumber;
        // A term has files of its own, which go when everybody has what is in them.
        leader = begin(transfer(leader, members.others(leader.node()).get(0)));
        for (long sequence = 1; sequence <= 60; sequence++) {
            force(leader, commit(tx(epochNumber, 1, sequence)));
        }
        String late = members.others(leader.node()).get(0);
        for (String node : members.nodes()) {
            // What is not in the log any more can only be had as a copy of the store.
            eventually().until(() -> firstIndex(node) > 0);
        }
        members.stop(late);
        FileUtils.deleteFully(members.directory(late));
        force(leader, commit(tx(epochNumber, 2, 1)));
        RaftMember leading = members.member(leader.node());
        leading.remove(late).get(60, TimeUnit.SECONDS);
        members.start(late);
        // The leader goes on deciding meanwhile.
        CompletableFuture<Void> added = leading.add(late, members.address(late), null);
        long decided = 1;
        do {
            force(leader, commit(tx(epochNumber, 2, ++decided)));
        } while (!added.isDone());
        added.get(60, TimeUnit.SECONDS);
        agree(members.nodes());
        assertFalse(checkpoints(late).isEmpty());

        Members.Lead joined = transfer(leader, late);
        assertEquals(commit(tx(first, 1, 1)), joined.log().find(tx(first, 1, 1)));
        long before = epochNumber;
        begin(joined);
        assertTrue(epochNumber > before);
        force(joined, commit(tx(epochNumber, 1, 1)));
        agree(members.nodes());

        members.stop(late);
        members.start(late);
        agree(members.nodes());
        assertEquals(List.of(), members.failures);
    }

    /** Somebody leads, and begins with this entry, made for its term, instead of its EPOCH; returns when a member has failed. */
    private Members.Lead leadsWith(LongFunction<byte[]> entryOfTerm) {
        start(100_000);
        Members.Lead leader = members.awaitLead();
        leader.log().recover(entry -> {});
        RaftDecisionLog log = leader.log();
        byte[] sent = entryOfTerm.apply(log.term());
        members.interference = (raft, entry) -> raft.send(sent);
        log.start(log.term(), heard);
        log.append(epoch(log.term()), true);
        eventually().until(() -> !members.failures.isEmpty());
        return leader;
    }

    @Test
    void aMemberThatCannotApplyAnEntryStops() {
        Members.Lead leader = leadsWith(term -> new ReplicatedEntry(term, List.of(commit(tx(1, 1, 1))), null).encode());
        members.stop(leader.node());
        // Every member that has it: the leader, and the next one, if it has not failed as a follower.
        eventually().pollInterval(Duration.ofMillis(200)).ignoreExceptions().until(() -> {
            if (members.failures.size() < 2) {
                members.nominate(leader.node());
            }
            return members.failures.size() >= 2;
        });
        assertTrue(members.failures.toString().contains("L3"), members.failures::toString);
        eventually().until(() -> heard.failure() != null);
        assertEquals(List.of(), heard.records());
    }

    @Test
    void aMemberStopsAtAnEntryOfALaterVersion() {
        leadsWith(term -> Members.later(new ReplicatedEntry(term, List.of(epoch(term)), null).encode()));
        LogRefusedException refused = assertInstanceOf(
                LogRefusedException.class, members.failures.iterator().next());
        assertEquals(LogRefusal.FORMAT_UNKNOWN, refused.refusal());
        assertTrue(refused.getMessage().contains("an entry of version 2, this program reads version 1"));
        assertEquals(List.of(), heard.records());
    }

    @Test
    void aMemberStopsWhenRaftStopsWithoutAWord() {
        start(100_000);
        Members.Lead leader = members.awaitLead();
        long own = leader.log().recover(entry -> {}).nextEpoch();
        leader.log().start(own, new RecordingListener() {
            @Override
            public synchronized void applied(List<LogEntry> entries, long durableBatch) {
                throw new OutOfMemoryError("for the test");
            }
        });
        leader.log().append(epoch(own), true);
        eventually().until(() -> !members.failures.isEmpty());
    }

    @Test
    void aMemberThatCannotCopyItsStoreStops() throws Exception {
        start(100_000);
        Members.Lead leader = lead();
        Path temporary = RaftFiles.of(members.settings(leader.node())).group().resolve("tmp");
        // Where the copy is made there is a file now.
        Files.delete(temporary);
        Files.createFile(temporary);
        CompletableFuture<Void> unused = members.member(leader.node()).checkpoint();
        eventually().until(() -> !members.failures.isEmpty());
        assertTrue(members.failures.toString().contains("no checkpoint of"), members.failures::toString);
    }

    @Test
    void anEntryThatIsRefusedDuringATransferDoesNotTakeThePlaceFromTheMemberThatIsNamed() throws Exception {
        start(100_000);
        Members.Lead leader = lead();
        RecordingListener refused = heard;
        long before = epochNumber;
        String next = members.others(leader.node()).get(0);
        members.stop(next);
        force(leader, commit(tx(epochNumber, 1, 1)));
        CompletableFuture<Void> transfer = members.member(leader.node()).transferLeadership(next);
        leader.log().append(commit(tx(epochNumber, 1, 2)), true);
        eventually().until(() -> refused.failure() != null);
        members.start(next);
        transfer.get(60, TimeUnit.SECONDS);
        Members.Lead named = begin(members.awaitLead(lead -> lead.node().equals(next)));
        assertEquals(commit(tx(before, 1, 1)), named.log().find(tx(before, 1, 1)));
        assertNull(named.log().find(tx(before, 1, 2)));
    }

    @Test
    void everyMemberHearsWhoLeads() throws Exception {
        start(100_000);
        Members.Lead first = members.awaitLead();
        String next = members.others(first.node()).get(1);
        transfer(first, next);
        for (String node : members.nodes()) {
            eventually().until(() -> members.leaderKnownTo(node).equals(next));
        }
        assertNotEquals(first.node(), next);
    }

    private List<Path> checkpoints(String node) throws IOException {
        return files(node, "sm", "checkpoint.");
    }

    /** The first index of the log that a member still has. */
    private long firstIndex(String node) throws IOException {
        return files(node, "current", "log_").stream()
                .map(file -> file.getFileName().toString().replaceAll("^log_(inprogress_)?([0-9]+).*", "$2"))
                .mapToLong(Long::parseLong)
                .min()
                .orElse(0);
    }

    /** Only names are read: what they stand for may be gone before it can be looked at. */
    private List<Path> files(String node, String directory, String start) throws IOException {
        Path live = RaftFiles.of(members.settings(node)).group().resolve(directory);
        try (Stream<Path> all = Files.list(live)) {
            return all.filter(file -> file.getFileName().toString().startsWith(start))
                    .collect(Collectors.toList());
        }
    }
}
