package io.troth.coordinator.log.raft;

import static io.troth.coordinator.log.Records.commit;
import static io.troth.coordinator.log.Records.end;
import static io.troth.coordinator.log.Records.epoch;
import static io.troth.coordinator.log.Records.heuristic;
import static io.troth.coordinator.log.Records.horizon;
import static io.troth.coordinator.log.Records.tx;
import static io.troth.coordinator.log.raft.Members.eventually;
import static org.junit.jupiter.api.Assertions.assertEquals;

import io.troth.coordinator.engine.DecisionLog;
import io.troth.coordinator.log.RecordingListener;
import io.troth.coordinator.log.ReplicatedEntry;
import io.troth.coordinator.log.rocksdb.Logs;
import io.troth.core.coordinator.LogRecord;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import org.apache.ratis.proto.RaftProtos.LogEntryProto;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/**
 * Goal: what a member of an earlier version has left, with what Raft keeps of it, is read by every later one. Method: {@code
 * member-1.zip} is a data directory as a version left it, killed and not stopped: checkpoints, and a log in which is every
 * kind of record; beside it stands, as text, what is in it. It is never made anew: {@code -Dtroth.rewrite=true} makes it when
 * it is missing, and writes the text.
 */
class StoredMemberTest {

    private static final Path STORED = Path.of("src", "test", "resources", "stored-members");
    private static final Path ZIP = STORED.resolve("member-1.zip");
    private static final boolean REWRITE = Boolean.getBoolean("troth.rewrite");

    /** The last copies of the store are older than the end of the log. */
    private static final int ENTRIES_PER_CHECKPOINT = 6;

    @TempDir
    Path temp;

    @BeforeAll
    static void makeWhatIsMissing(@TempDir Path scratch) throws IOException {
        if (REWRITE && !Files.exists(ZIP)) {
            store(scratch);
        }
    }

    @Test
    void goesOnFromWhatItWasThen() throws Exception {
        Path data = temp.resolve("data");
        Logs.unzip(ZIP, data);
        String node = MemberFile.read(data).id().node();
        RaftSettings settings = new RaftSettings(
                Logs.settings(data, 1_024),
                node,
                Map.of(node, "127.0.0.1:" + FreePorts.next()),
                Map.of(),
                null,
                500,
                100_000,
                2,
                100);
        List<String> lines = new ArrayList<>();
        RaftFiles files = RaftFiles.of(settings);
        lines.add("checkpoint: " + Checkpoints.newest(files.checkpoints()).position());
        files.read(entry -> lines.add("entry " + entry.getTerm() + "." + entry.getIndex() + ": " + text(entry)));
        CompletableFuture<DecisionLog> led = new CompletableFuture<>();
        RaftMember member = RaftMember.open(settings, Logs.environment(), new Led(led));
        try {
            DecisionLog log = led.get(60, TimeUnit.SECONDS);
            long next = log.recover(entry -> lines.add("epoch " + entry.epochNumber() + ": " + entry.record()))
                    .nextEpoch();
            lines.add("ended: " + log.find(tx(1, 1, 2)));
            RecordingListener heard = new RecordingListener();
            log.start(next, heard);
            log.append(epoch(next), true);
            eventually().until(() -> heard.entries().size() == 1);
        } finally {
            member.close();
        }
        Path text = STORED.resolve("member-1.txt");
        String found = String.join("\n", lines) + "\n";
        if (REWRITE) {
            Files.writeString(text, found);
        }
        assertEquals(Files.readString(text), found);
    }

    private static String text(LogEntryProto entry) {
        return entry.hasStateMachineLogEntry()
                ? ReplicatedEntry.decode(
                                entry.getStateMachineLogEntry().getLogData().toByteArray())
                        .toString()
                : entry.getLogEntryBodyCase().name();
    }

    private record Led(CompletableFuture<DecisionLog> log) implements LeadershipListener {
        @Override
        public void leads(DecisionLog leads) {
            log.complete(leads);
        }

        @Override
        public void leaderChanged(@Nullable String node) {}

        @Override
        public void failed(Throwable cause) {
            log.completeExceptionally(cause);
        }
    }

    private static void store(Path scratch) throws IOException {
        Members members = new Members(scratch.resolve("alive"), 1, ENTRIES_PER_CHECKPOINT);
        members.keepAliveMillis = 600_000;
        members.startAll();
        DecisionLog log = members.awaitLead().log();
        long own = log.recover(entry -> {}).nextEpoch();
        RecordingListener heard = new RecordingListener();
        log.start(own, heard);
        append(log, heard, epoch(own));
        append(log, heard, commit(tx(own, 1, 1)));
        append(log, heard, end(tx(own, 1, 1)));
        append(log, heard, horizon(own, 0));
        log.purge(horizon(own, 0));
        for (long sequence = 2; sequence <= 2 + ENTRIES_PER_CHECKPOINT; sequence++) {
            append(log, heard, commit(tx(own, 1, sequence)));
        }
        append(log, heard, end(tx(own, 1, 2)));
        append(log, heard, heuristic(tx(own, 1, 3)));
        append(log, heard, new LogRecord.Distrust(9));
        Path killed = scratch.resolve("killed");
        members.copyTo(killed);
        Files.createDirectories(STORED);
        Logs.zip(members.directory(members.nodes().get(0)), ZIP);
        members.close();
    }

    private static void append(DecisionLog log, RecordingListener heard, LogRecord record) {
        log.append(record, true);
        eventually().until(() -> heard.records().contains(record));
    }
}
