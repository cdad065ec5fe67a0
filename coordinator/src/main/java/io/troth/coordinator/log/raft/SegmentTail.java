package io.troth.coordinator.log.raft;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.SeekableByteChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.zip.CRC32C;
import org.apache.ratis.proto.RaftProtos.LogEntryProto;
import org.apache.ratis.thirdparty.com.google.protobuf.CodedInputStream;
import org.apache.ratis.thirdparty.com.google.protobuf.CodedOutputStream;
import org.jspecify.annotations.Nullable;

/**
 * The bytes of a file of Raft's log behind the last entry that Ratis reads there. An entry is {@code length(varint)
 * content checksum(4)}, and space that was taken in advance is zero.
 *
 * <p>When an entry seems to go on behind the end of the file, Ratis takes it for one that was never finished, and cuts the
 * file there. So does a start after the machine has lost its power. But one flipped bit in the length of an entry that was
 * acknowledged looks the same, and Ratis forgets it, and all behind it, without a word. The two are told apart by what
 * lies there: of an entry that was never finished there is only the beginning; what was flipped is still a whole entry but
 * for its length, or has whole ones behind it.
 *
 * <p>When it ends within the space that was taken in advance, as nearly all do, Ratis takes what a lost power leaves of it
 * for damage. A disk writes whole sectors, in any order: what was never forced lacks some, which are still zero. A flipped
 * bit leaves none.
 */
final class SegmentTail {

    private static final int CHECKSUM = 4;
    private static final int LENGTH_MAX = 4;
    /** What a disk writes at once, or a part of it. */
    private static final int SECTOR = 512;
    /** How the content of every entry but those of term 0 begins: the number of its term. */
    private static final byte TERM = LogEntryProto.TERM_FIELD_NUMBER << 3;

    private final String where;
    private final byte[] bytes;
    /** Behind the last byte that is not zero. */
    private final int end;
    /** Behind the rest of the sector in which all this begins. */
    private final int nextSector;

    /** @param from where the last entry ends that Ratis reads, or the header */
    SegmentTail(Path file, long from) throws IOException {
        where = file.getFileName() + ", byte " + from + ": ";
        bytes = read(file, from);
        nextSector = SECTOR - (int) (from % SECTOR);
        int used = bytes.length;
        while (used > 0 && bytes[used - 1] == 0) {
            used--;
        }
        end = used;
    }

    /**
     * Looks for what Ratis would drop although it was in the log.
     *
     * @param last the index of the last entry that Ratis reads; -1 for none
     * @return what is wrong; null when nothing is, or nothing that a crash cannot leave
     */
    @Nullable
    String damage(long last) {
        if (end == 0) {
            return null;
        }
        if (isEntryButForItsLength()) {
            return where + "the length of an entry is damaged";
        }
        long next = laterEntry(last);
        if (next >= 0) {
            return where + "nothing can be read from here on, but entry " + next + " is there";
        }
        return bytes[0] != 0 || isZero(0, nextSector) ? null : where + "there is no entry, but something behind it";
    }

    /** Whether an entry begins here that lacks a sector, when there is no {@link #damage}: then it was never forced. */
    boolean isTorn() {
        if (isZero(0, nextSector)) {
            return end > 0;
        }
        CodedInputStream in = CodedInputStream.newInstance(bytes);
        int length;
        try {
            length = in.readRawVarint32();
        } catch (IOException e) {
            // The file ends within the length.
            return bytes.length < LENGTH_MAX;
        }
        int content = in.getTotalBytesRead();
        if (length < 0 || length > bytes.length - content - CHECKSUM) {
            return false;
        }
        int all = content + length + CHECKSUM;
        for (int at = nextSector; at < all; at += SECTOR) {
            int its = Math.min(SECTOR, all - at);
            // The last bytes of a checksum are zero by chance, too, but not with the right ones before them.
            if (isZero(at, its) && (its >= CHECKSUM || isChecksum(length, content, content, CHECKSUM - its))) {
                return true;
            }
        }
        return false;
    }

    private boolean isZero(int at, int count) {
        int through = Math.min(at + count, end);
        for (int i = at; i < through; i++) {
            if (bytes[i] != 0) {
                return false;
            }
        }
        return true;
    }

    private static byte[] read(Path file, long from) throws IOException {
        try (SeekableByteChannel channel = Files.newByteChannel(file)) {
            ByteBuffer rest = ByteBuffer.allocate(Math.toIntExact(Math.max(0, channel.size() - from)));
            channel.position(from);
            while (rest.hasRemaining() && channel.read(rest) >= 0) {
                // Until all of it is there.
            }
            return rest.array();
        }
    }

    /** Whether everything is one entry, of the length that its checksum was made with. */
    private boolean isEntryButForItsLength() {
        // The checksum may end with zeros.
        for (int all = end; all < end + CHECKSUM && all <= bytes.length; all++) {
            for (int prefix = 1; prefix <= LENGTH_MAX; prefix++) {
                int length = all - CHECKSUM - prefix;
                if (length > 0
                        && CodedOutputStream.computeUInt32SizeNoTag(length) == prefix
                        && isChecksum(length, prefix, prefix, CHECKSUM)) {
                    return true;
                }
            }
        }
        return false;
    }

    /** The index of a whole entry that comes later, the first one when the header is damaged; -1 when there is none. */
    private long laterEntry(long last) {
        for (int at = 0; at < end; at++) {
            long index = entryAt(at);
            if (index > last) {
                return index;
            }
        }
        return -1;
    }

    /** The index of the whole entry that begins here; -1 when none does. */
    private long entryAt(int at) {
        try {
            CodedInputStream in = CodedInputStream.newInstance(bytes, at, bytes.length - at);
            int length = in.readRawVarint32();
            int content = at + in.getTotalBytesRead();
            if (length <= 0
                    || length > bytes.length - content - CHECKSUM
                    || bytes[content] != TERM
                    || !isChecksum(length, content - at, content, CHECKSUM)) {
                return -1;
            }
            return LogEntryProto.parseFrom(CodedInputStream.newInstance(bytes, content, length))
                    .getIndex();
        } catch (IOException e) {
            // No number, or not that of an entry, or the end of the file.
            return -1;
        }
    }

    /** Whether the checksum behind the content is, with its first bytes, that of this length and of the content. */
    private boolean isChecksum(int length, int prefix, int content, int first) {
        byte[] number = new byte[prefix];
        try {
            CodedOutputStream out = CodedOutputStream.newInstance(number);
            out.writeUInt32NoTag(length);
        } catch (IOException e) {
            // Not the shortest way to write this number: no entry has such a length.
            return false;
        }
        CRC32C crc = new CRC32C();
        crc.update(number);
        crc.update(bytes, content, length);
        int rest = (CHECKSUM - first) * Byte.SIZE;
        return (int) crc.getValue() >>> rest == ByteBuffer.wrap(bytes).getInt(content + length) >>> rest;
    }
}
