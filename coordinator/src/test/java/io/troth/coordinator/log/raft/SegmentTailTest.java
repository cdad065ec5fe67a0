package io.troth.coordinator.log.raft;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.function.IntFunction;
import org.apache.ratis.proto.RaftProtos.LogEntryProto;
import org.apache.ratis.proto.RaftProtos.StateMachineLogEntryProto;
import org.apache.ratis.server.raftlog.segmented.SegmentedRaftLogOutputStream;
import org.apache.ratis.thirdparty.com.google.protobuf.ByteString;
import org.apache.ratis.thirdparty.com.google.protobuf.CodedOutputStream;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/**
 * Goal: no damage of a file of Raft's log makes an entry disappear without a word, and what a crash leaves is no damage.
 * Method: a file that Ratis has written, with each of its bits flipped, and cut at each of its bytes.
 */
class SegmentTailTest {

    /** The lengths of the contents take one and two bytes. */
    private static final int[] SIZES = {10, 130, 3};

    private static final int HEADER = 8;

    /** What a disk writes at once. */
    private static final int SECTOR = 512;

    /** The second entry begins 3 bytes or more before a sector's end, and ends 1, 3, 4 or more bytes into another one. */
    private static final int[][] TWO = {{485, 500}, {485, 502}, {485, 503}, {470, 1_200}, {488, 1_200}, {470, 5}};

    @TempDir
    Path temp;

    private RaftFiles files;
    private Path log;
    private byte[] whole;

    @BeforeEach
    void make() throws IOException {
        files = new RaftFiles(temp, temp.resolve("group"));
        log = temp.resolve("group").resolve("current").resolve("log_inprogress_7");
        Files.createDirectories(log.getParent());
        write(SIZES);
    }

    private void write(int... sizes) throws IOException {
        try (SegmentedRaftLogOutputStream out =
                new SegmentedRaftLogOutputStream(log.toFile(), false, 1 << 20, 1 << 12, ByteBuffer.allocate(1 << 16))) {
            for (int i = 0; i < sizes.length; i++) {
                out.write(entry(i, sizes[i]));
            }
        }
        whole = Files.readAllBytes(log);
    }

    private static LogEntryProto entry(int number, int size) {
        byte[] content = new byte[size];
        Arrays.fill(content, (byte) (0x41 + number));
        return LogEntryProto.newBuilder()
                .setTerm(3)
                .setIndex(7 + number)
                .setStateMachineLogEntry(
                        StateMachineLogEntryProto.newBuilder().setLogData(ByteString.copyFrom(content)))
                .build();
    }

    /** As much as an entry with so much in it takes of its file. */
    private static int bytes(int size) {
        int content = entry(0, size).getSerializedSize();
        return CodedOutputStream.computeUInt32SizeNoTag(content) + content + Integer.BYTES;
    }

    private int read(byte[] bytes) throws IOException {
        Files.write(log, bytes);
        List<LogEntryProto> entries = new ArrayList<>();
        files.read(entries::add);
        return entries.size();
    }

    /** Every bit of the file, with this much space behind it that was taken in advance. */
    private void flipEveryBit(int space) {
        flip(space, at -> List.of(0, 1, 2, 3, 4, 5, 6, 7));
    }

    private void flip(int space, IntFunction<List<Integer>> bits) {
        for (int at = 0; at < whole.length; at++) {
            for (int bit : bits.apply(at)) {
                byte[] bytes = Arrays.copyOf(whole, whole.length + space);
                bytes[at] ^= (byte) (1 << bit);
                assertThrows(IOException.class, () -> read(bytes), "byte " + at + ", bit " + bit);
            }
        }
    }

    @Test
    void noFlippedBitMakesAnEntryDisappear() throws IOException {
        assertEquals(SIZES.length, read(whole));
        flipEveryBit(0);
        flipEveryBit(100);
    }

    @Test
    void aHeaderThatWasLostIsNoEmptyFile() throws IOException {
        byte[] bytes = whole.clone();
        Arrays.fill(bytes, 0, HEADER, (byte) 0);
        IOException thrown = assertThrows(IOException.class, () -> read(bytes));
        assertTrue(thrown.getMessage().contains("entry 7 is there"), thrown::getMessage);
        assertEquals(0, read(new byte[HEADER + 100]), "nothing was written yet");
    }

    @Test
    void anEntryThatWasNeverFinishedIsLeftOut() throws IOException {
        int before = SIZES.length - 1;
        for (int cut = whole.length - 1; cut > 0; cut--) {
            int entries = read(Arrays.copyOf(whole, cut));
            assertTrue(entries == before || entries == before - 1, "cut at " + cut + ": " + entries);
            before = entries;
        }
        assertEquals(0, before);
    }

    @Test
    void anEntryWithoutSomeOfItsSectorsIsLeftOut() throws IOException {
        for (int[] sizes : TWO) {
            write(sizes);
            int from = whole.length - bytes(sizes[1]);
            int first = from / SECTOR;
            int sectors = (whole.length - 1) / SECTOR - first + 1;
            assertEquals(sizes.length, read(Arrays.copyOf(whole, whole.length + 3 * SECTOR)));
            for (int written = 0; written < (1 << sectors) - 1; written++) {
                byte[] bytes = Arrays.copyOf(whole, whole.length + 3 * SECTOR);
                for (int i = 0; i < sectors; i++) {
                    if ((written >> i & 1) == 0) {
                        Arrays.fill(bytes, Math.max(from, (first + i) * SECTOR), (first + i + 1) * SECTOR, (byte) 0);
                    }
                }
                assertEquals(1, read(bytes), "sizes " + Arrays.toString(sizes) + ", sectors " + written);
                assertEquals(1, read(Arrays.copyOf(bytes, whole.length - 1)), "and the file is shorter");
            }
        }
    }

    @Test
    void aFlippedBitIsNoMissingSector() throws IOException {
        write(485, 503);
        flip(3 * SECTOR, at -> List.of(at % Byte.SIZE));
        // The sector has only the first byte of the second entry, which is zero now; and the last one of its checksum.
        write(487, 498 + 128 - (bytes(498) - 6) % 128);
        assertEquals(0x80, whole[SECTOR - 1] & 0xff);
        whole[SECTOR - 1] = 0;
        assertThrows(IOException.class, () -> read(Arrays.copyOf(whole, 3 * SECTOR)));
    }

    @Test
    void anEntryBehindMissingSectorsWasPerhapsAcknowledged() throws IOException {
        write(470, 1_200, 700);
        byte[] bytes = whole.clone();
        Arrays.fill(bytes, SECTOR, 2 * SECTOR, (byte) 0);
        assertThrows(IOException.class, () -> read(bytes));
    }

    @Test
    void aClosedFileIsHeldAgainstItsName() throws IOException {
        Path closed = log.resolveSibling("log_7-" + (7 + SIZES.length - 1));
        Files.move(log, closed);
        log = closed;
        assertEquals(SIZES.length, read(whole));
        flipEveryBit(0);
    }
}
