package io.troth.chaos.db;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.troth.chaos.process.ChildProcess;
import io.troth.chaos.process.Children;
import io.troth.core.BranchId;
import io.troth.core.ClusterId;
import io.troth.core.EpochId;
import io.troth.core.GlobalTxId;
import io.troth.core.XidCodec;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Base64;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Goal: the server is durable, keeps prepared work over a kill, and its list is read correctly. */
class PostgresServerTest {

    @TempDir
    Path directory;

    @Test
    void keepsPreparedWorkOverAKillAndListsIt() {
        GlobalTxId tx = new GlobalTxId(0, new EpochId(3, 0x1234), 7, 9);
        ClusterId cluster = new ClusterId(42);
        BranchId branch = new BranchId(11, 12);
        String ours = XidCodec.FORMAT_ID + "_" + Base64.getEncoder().encodeToString(XidCodec.gtrid(cluster, tx)) + "_"
                + Base64.getEncoder().encodeToString(XidCodec.bqual(branch));
        try (Children children = new Children(directory);
                PostgresServer server = PostgresServer.start(
                        "pg",
                        children,
                        PostgresBinaries.in(Path.of(System.getProperty("java.io.tmpdir"))),
                        directory.resolve("data"))) {
            server.execute("CREATE TABLE t (n int)");
            server.execute("BEGIN", "INSERT INTO t VALUES (1)", "PREPARE TRANSACTION '" + ours + "'");
            server.execute("BEGIN", "INSERT INTO t VALUES (2)", "PREPARE TRANSACTION 'somebody else'");
            assertEquals(ChildProcess.EXIT_KILLED, server.kill());
            server.restart();
            List<PreparedTransaction> prepared = server.prepared();
            assertEquals(2, prepared.size());
            assertEquals(tx, prepared.get(0).tx());
            assertNull(prepared.get(1).tx());
            server.execute("COMMIT PREPARED '" + ours + "'", "ROLLBACK PREPARED 'somebody else'");
            assertEquals(1, server.queryLong("SELECT sum(n) FROM t"));
        }
    }

    @Test
    void leavesNothingInSharedMemoryAlsoAfterAKill() throws IOException {
        Path data = directory.resolve("data");
        List<Path> files;
        String segment;
        try (Children children = new Children(directory);
                PostgresServer server = PostgresServer.start(
                        "pg", children, PostgresBinaries.in(Path.of(System.getProperty("java.io.tmpdir"))), data)) {
            server.kill();
            server.restart();
            try (Stream<String> maps = Files.lines(Path.of("/proc", Long.toString(server.pid()), "maps"))) {
                files = maps.filter(line -> line.contains("/dev/shm/"))
                        .map(line -> Path.of(line.substring(line.indexOf("/dev/shm/"))))
                        .distinct()
                        .toList();
            }
            // Its seventh line: the key and the id of the segment.
            List<String> lines = Files.readAllLines(data.resolve("postmaster.pid"));
            segment = List.of(lines.get(6).strip().split(" +")).get(1);
            assertTrue(segments().contains(segment));
        }
        assertFalse(files.isEmpty());
        assertEquals(List.of(), files.stream().filter(Files::exists).toList());
        assertFalse(segments().contains(segment), "segment " + segment);
    }

    /** The ids of all System V segments. */
    private static List<String> segments() throws IOException {
        try (Stream<String> lines = Files.lines(Path.of("/proc/sysvipc/shm"))) {
            return lines.map(line -> List.of(line.strip().split(" +")).get(1)).toList();
        }
    }
}
