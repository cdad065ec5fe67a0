package io.troth.coordinator.log;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.StandardOpenOption;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.zip.CRC32C;

/** Small text files of {@code key=value} lines that are either whole and on disk, or not there. Pure I/O, any thread. */
public final class DurableFiles {

    private static final int BYTES_MAX = 4_096;
    private static final String CHECKSUM = "crc32c";

    private DurableFiles() {}

    /** Replaces the file in one step and returns when the file and its name are on disk. */
    public static void replace(Path directory, String name, Map<String, String> values) throws IOException {
        StringBuilder text = new StringBuilder();
        values.forEach(
                (key, value) -> text.append(key).append('=').append(value).append('\n'));
        String checksum = checksum(text.toString());
        text.append(CHECKSUM).append('=').append(checksum).append('\n');
        Path fresh = directory.resolve(name + ".new");
        try (FileChannel channel = FileChannel.open(
                fresh, StandardOpenOption.CREATE, StandardOpenOption.WRITE, StandardOpenOption.TRUNCATE_EXISTING)) {
            ByteBuffer bytes = ByteBuffer.wrap(text.toString().getBytes(StandardCharsets.UTF_8));
            while (bytes.hasRemaining()) {
                channel.write(bytes);
            }
            channel.force(true);
        }
        Files.move(fresh, directory.resolve(name), StandardCopyOption.ATOMIC_MOVE, StandardCopyOption.REPLACE_EXISTING);
        force(directory);
    }

    /** Makes the names in a directory durable. */
    public static void force(Path directory) throws IOException {
        try (FileChannel channel = FileChannel.open(directory, StandardOpenOption.READ)) {
            channel.force(true);
        }
    }

    /**
     * The lines of a file that {@link #replace} wrote.
     *
     * @throws DamagedRecordException when the file is anything else
     */
    public static Map<String, String> read(Path file) throws IOException {
        if (Files.size(file) > BYTES_MAX) {
            throw new DamagedRecordException("the file is too long");
        }
        String text = new String(Files.readAllBytes(file), StandardCharsets.UTF_8);
        int last = text.lastIndexOf(CHECKSUM + "=");
        String expected = last < 0 ? "" : CHECKSUM + "=" + checksum(text.substring(0, last)) + "\n";
        if (last < 0 || !text.substring(last).equals(expected)) {
            throw new DamagedRecordException("wrong checksum");
        }
        Map<String, String> values = new LinkedHashMap<>();
        for (String line : text.substring(0, last).lines().toList()) {
            int equals = line.indexOf('=');
            if (equals < 0) {
                throw new DamagedRecordException("not a line of key=value");
            }
            values.put(line.substring(0, equals), line.substring(equals + 1));
        }
        return values;
    }

    /** The value of a key; throws when it is missing. */
    public static String value(Map<String, String> values, String key) {
        String value = values.get(key);
        if (value == null) {
            throw new DamagedRecordException(key + " is missing");
        }
        return value;
    }

    private static String checksum(String text) {
        CRC32C crc = new CRC32C();
        crc.update(text.getBytes(StandardCharsets.UTF_8));
        return Long.toHexString(crc.getValue());
    }
}
