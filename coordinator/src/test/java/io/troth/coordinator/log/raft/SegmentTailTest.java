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
import org.apache.ratis.proto.RaftProtos.LogEntryProto;
import org.apache.ratis.proto.RaftProtos.StateMachineLogEntryProto;
import org.apache.ratis.server.raftlog.segmented.SegmentedRaftLogOutputStream;
import org.apache.ratis.thirdparty.com.google.protobuf.ByteString;
import org.apache.ratis.thirdparty.com.google.protobuf.InvalidProtocolBufferException;
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

    @TempDir
    Path temp;

    private RaftFiles files;
    private Path log;
    private byte[] whole;

    @BeforeEach
    void write() throws IOException {
        files = new RaftFiles(temp, temp.resolve("group"));
        log = temp.resolve("group").resolve("current").resolve("log_inprogress_7");
        Files.createDirectories(log.getParent());
        try (SegmentedRaftLogOutputStream out =
                new SegmentedRaftLogOutputStream(log.toFile(), false, 1 << 20, 1 << 12, ByteBuffer.allocate(1 << 16))) {
            for (int i = 0; i < SIZES.length; i++) {
                byte[] content = new byte[SIZES[i]];
                Arrays.fill(content, (byte) (0x41 + i));
                out.write(LogEntryProto.newBuilder()
                        .setTerm(3)
                        .setIndex(7 + i)
                        .setStateMachineLogEntry(
                                StateMachineLogEntryProto.newBuilder().setLogData(ByteString.copyFrom(content)))
                        .build());
            }
        }
        whole = Files.readAllBytes(log);
    }

    private int read(byte[] bytes) throws IOException {
        Files.write(log, bytes);
        List<LogEntryProto> entries = new ArrayList<>();
        files.read(entries::add);
        return entries.size();
    }

    /** Every bit of the file, with this much space behind it that was taken in advance. */
    private void flipEveryBit(int space) {
        for (int at = 0; at < whole.length; at++) {
            for (int bit = 0; bit < Byte.SIZE; bit++) {
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
            int entries;
            try {
                entries = read(Arrays.copyOf(whole, cut));
            } catch (InvalidProtocolBufferException e) {
                // In the middle of a length: Ratis itself takes that for damaged.
                assertTrue((whole[cut - 1] & 0x80) != 0, "cut at " + cut);
                continue;
            }
            assertTrue(entries == before || entries == before - 1, "cut at " + cut + ": " + entries);
            before = entries;
        }
        assertEquals(0, before);
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
