package io.troth.bench.peers;

import static org.junit.jupiter.api.Assertions.assertEquals;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Goal: what was forced is counted, what was only written is not, nor what somebody else has forced. */
class FileForcesTest {

    @TempDir
    Path directory;

    @Test
    void countsTheForcesInItsDirectoryOnly() throws IOException {
        Path own = Files.createDirectory(directory.resolve("log"));
        try (FileForces forces = new FileForces(own);
                FileChannel mine = create(own.resolve("log"));
                FileChannel other = create(directory.resolve("log-of-another"))) {
            mine.write(ByteBuffer.wrap(new byte[1]));
            other.force(false);
            assertEquals(0, forces.count());
            mine.force(false);
            mine.force(true);
            assertEquals(2, forces.count());
            mine.force(false);
            assertEquals(3, forces.count());
        }
    }

    private static FileChannel create(Path file) throws IOException {
        return FileChannel.open(file, StandardOpenOption.CREATE, StandardOpenOption.WRITE);
    }
}
