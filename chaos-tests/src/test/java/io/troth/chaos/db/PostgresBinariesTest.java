package io.troth.chaos.db;

import static org.junit.jupiter.api.Assertions.assertEquals;

import java.nio.file.Files;
import java.nio.file.Path;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Goal: test classes that run side by side share the programs. Method: threads that all want them, where they are. */
class PostgresBinariesTest {

    private static final int TIMES = 200;

    @TempDir
    Path directory;

    @Test
    void severalThreadsMayAskAtOnce() throws Exception {
        Files.createDirectory(directory.resolve("postgresql"));
        assertEquals(
                TIMES,
                IntStream.range(0, TIMES)
                        .parallel()
                        .mapToObj(i -> PostgresBinaries.in(directory))
                        .filter(new PostgresBinaries(directory.resolve("postgresql"))::equals)
                        .count());
    }
}
