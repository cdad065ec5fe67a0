package io.troth.coordinator.log.rocksdb;

import static io.troth.coordinator.log.Records.commit;
import static io.troth.coordinator.log.Records.end;
import static io.troth.coordinator.log.Records.epoch;
import static io.troth.coordinator.log.Records.heuristic;
import static io.troth.coordinator.log.Records.horizon;
import static io.troth.coordinator.log.Records.tx;
import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.troth.coordinator.engine.Recovered;
import io.troth.coordinator.log.Incarnation;
import io.troth.coordinator.log.LogReport;
import io.troth.coordinator.log.RecordKind;
import io.troth.coordinator.log.RecordingListener;
import io.troth.core.Decision;
import io.troth.core.Proof;
import io.troth.core.coordinator.CoordinatorLimits;
import io.troth.core.coordinator.CoordinatorStateMachine;
import io.troth.core.coordinator.LogEntry;
import io.troth.core.coordinator.LogRecord;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.EnumSet;
import java.util.HexFormat;
import java.util.List;
import java.util.Set;
import java.util.stream.Stream;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/**
 * Goal: a log that an earlier version wrote is read by every later one. Method: each zip in {@code stored-logs} is a data
 * directory as a version left it, killed and not stopped; beside it stands, as text, what it holds, what recovery gives,
 * and what the core makes of that. The zips are never made anew: {@code -Dtroth.rewrite=true} makes those that are missing,
 * and writes the texts.
 */
class StoredFormatTest {

    private static final Path STORED = Path.of("src", "test", "resources", "stored-logs");
    private static final boolean REWRITE = Boolean.getBoolean("troth.rewrite");

    @TempDir
    Path temp;

    static List<String> names() throws IOException {
        try (Stream<Path> files = Files.list(STORED)) {
            return files.map(file -> file.getFileName().toString())
                    .filter(name -> name.endsWith(".zip"))
                    .map(name -> name.substring(0, name.length() - ".zip".length()))
                    .sorted()
                    .toList();
        }
    }

    @BeforeAll
    static void makeWhatIsMissing(@TempDir Path scratch) throws IOException {
        if (REWRITE && !Files.exists(STORED.resolve("format-1-purged.zip"))) {
            storePurged(scratch);
        }
    }

    @ParameterizedTest
    @MethodSource("names")
    void opensAndReplaysAsItDidThen(String name) throws IOException {
        Path data = temp.resolve("data");
        Logs.unzip(STORED.resolve(name + ".zip"), data);
        Path expected = STORED.resolve(name + ".txt");
        String found = describe(data);
        if (REWRITE) {
            Files.writeString(expected, found);
        }
        assertEquals(Files.readString(expected), found);
    }

    @ParameterizedTest
    @MethodSource("names")
    void aLeaderGoesOnWithIt(String name) throws IOException {
        Path data = temp.resolve("data");
        Logs.unzip(STORED.resolve(name + ".zip"), data);
        try (RocksDbDecisionLog log = Logs.open(data)) {
            long next = log.recover(entry -> {}).highestEpoch() + 1;
            RecordingListener heard = new RecordingListener();
            log.start(next, heard);
            log.append(epoch(next), true);
            Logs.eventually().until(() -> heard.entries().size() == 1);
        }
        assertTrue(inspect(data, new ArrayList<>()).isGood());
    }

    @Test
    void everyKindOfRecordIsKept() throws IOException {
        Set<RecordKind> kinds = EnumSet.noneOf(RecordKind.class);
        List<String> names = names();
        assertFalse(names.isEmpty());
        for (String name : names) {
            Logs.unzip(STORED.resolve(name + ".zip"), temp.resolve(name));
            kinds.addAll(
                    inspect(temp.resolve(name), new ArrayList<>()).records().keySet());
        }
        assertEquals(EnumSet.allOf(RecordKind.class), kinds);
    }

    /** What the log holds, what recovery gives, and what the core makes of it; recovered twice, which must agree. */
    private String describe(Path data) throws IOException {
        List<String> lines = new ArrayList<>();
        LogReport report = inspect(data, lines);
        lines.add(report.isGood() ? "good" : "damaged: " + report.damages());
        List<LogEntry> entries = new ArrayList<>();
        Recovered recovered = recover(data, entries);
        lines.add("recovery: Recovered[cluster=" + Incarnation.read(data).cluster() + ", highestEpoch="
                + recovered.highestEpoch() + ", durableBatch=" + recovered.durableBatch() + "]");
        entries.forEach(entry -> lines.add("  epoch " + entry.epochNumber() + ": " + text(entry.record())));
        CoordinatorStateMachine machine = replay(entries);
        List<LogEntry> again = new ArrayList<>();
        recover(data, again);
        assertArrayEquals(machine.encode(), replay(again).encode(), "the same log gives another state");
        lines.add("core: " + machine.view().unended() + " unended");
        machine.transactions(100).forEach(transaction -> lines.add("  " + transaction));
        return String.join("\n", lines) + "\n";
    }

    private LogReport inspect(Path data, List<String> lines) throws IOException {
        return LogInspection.inspect(
                data,
                Files.createTempDirectory(temp, "scratch"),
                (place, stored) -> lines.add(place + ": epoch " + stored.epochNumber() + ", batch " + stored.batch()
                        + ": " + stored.kind() + " " + text(stored.record())));
    }

    /** A proof does not print what is in it. */
    private static String text(LogRecord record) {
        String text = record.toString();
        if (record instanceof LogRecord.Commit commit) {
            for (LogRecord.YesBranch branch : commit.branches()) {
                Proof proof = branch.proof();
                text += proof == null ? "" : " proof " + HexFormat.of().formatHex(proof.toByteArray());
            }
        }
        return text;
    }

    private static Recovered recover(Path data, List<LogEntry> entries) {
        try (RocksDbDecisionLog log = Logs.open(data)) {
            return log.recover(entries::add);
        }
    }

    private static CoordinatorStateMachine replay(List<LogEntry> entries) {
        CoordinatorStateMachine machine = new CoordinatorStateMachine(0, CoordinatorLimits.DEFAULTS);
        entries.forEach(machine::apply);
        return machine;
    }

    /** What is done with a log before it is closed. */
    private interface Act {
        void on(RocksDbDecisionLog log) throws IOException;
    }

    /** Two leaderships, a purge in the first, and a COMMIT that an operator has closed. */
    private static void storePurged(Path scratch) throws IOException {
        Path alive = scratch.resolve("alive");
        Path killed = scratch.resolve("killed");
        List<LogRecord> first = List.of(commit(tx(1, 1, 1)), end(tx(1, 1, 1)), commit(tx(1, 2, 1)), horizon(1, 1));
        lead(alive, 1, first, log -> {
            log.purge(horizon(1, 1));
            Logs.eventually().until(() -> log.find(tx(1, 1, 1)) == null);
        });
        List<LogRecord> second = List.of(
                new LogRecord.Heuristic(tx(1, 2, 1), null, Decision.COMMIT, "ticket 4712"),
                end(tx(1, 2, 1)),
                commit(tx(2, 1, 1)),
                heuristic(tx(2, 1, 1)),
                new LogRecord.Distrust(1));
        lead(alive, 2, second, log -> Logs.copy(alive, killed));
        Logs.zip(killed, STORED.resolve("format-1-purged.zip"));
    }

    /** Each record in a batch of its own. */
    private static void lead(Path directory, long epoch, List<LogRecord> records, Act then) throws IOException {
        try (RocksDbDecisionLog log = RocksDbDecisionLog.open(Logs.settings(directory, 1), Logs.environment())) {
            RecordingListener heard = new RecordingListener();
            log.recover(entry -> {});
            log.start(epoch, heard);
            log.append(epoch(epoch), true);
            for (LogRecord record : records) {
                log.append(record, !(record instanceof LogRecord.End) && !(record instanceof LogRecord.Horizon));
            }
            Logs.eventually().until(() -> heard.entries().size() == 1 + records.size());
            then.on(log);
        }
    }
}
