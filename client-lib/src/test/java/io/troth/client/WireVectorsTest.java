package io.troth.client;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;

import io.troth.core.BranchId;
import io.troth.core.BranchList;
import io.troth.core.BranchWork;
import io.troth.core.ClusterId;
import io.troth.core.EpochId;
import io.troth.core.GlobalTxId;
import io.troth.core.SessionKey;
import io.troth.core.TransactionContext;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.function.Function;
import org.junit.jupiter.api.Test;

/**
 * Goal: header and trailer stay what other languages have learnt to write and read. Method: golden files in the proto
 * module, {@code good} lines are read and written back unchanged, {@code bad} lines are refused. Lines are only ever
 * added to the files.
 */
class WireVectorsTest {

    private static final Path VECTORS = Path.of("..", "proto", "src", "test", "resources", "vectors");

    @Test
    void readsAndWritesEveryHeader() throws IOException {
        check("troth-transaction.txt", text -> TransactionContext.parse(text).encode());
    }

    @Test
    void readsAndWritesEveryTrailer() throws IOException {
        check("troth-branches.txt", text -> BranchList.parse(text).encode());
    }

    @Test
    void writesTheFirstHeaderFromItsParts() throws IOException {
        TransactionContext context = new TransactionContext(
                new ClusterId(0x0123456789abcdefL),
                new GlobalTxId(0, new EpochId(3, 0xfedcba9876543210L), 17, 4711),
                new SessionKey(0x0011223344556677L, 0x8899aabbccddeeffL),
                1,
                59_999);
        assertEquals(lines("troth-transaction.txt", "good ").get(0), context.encode());
    }

    @Test
    void writesTheFirstTrailerFromItsParts() throws IOException {
        BranchList list = new BranchList(
                true,
                List.of(
                        new BranchWork(new BranchId(0xAL, 2), "right", 1),
                        new BranchWork(new BranchId(0xAL, 1), "left", 3)));
        assertEquals(lines("troth-branches.txt", "good ").get(0), list.encode());
    }

    private static void check(String file, Function<String, String> roundTrip) throws IOException {
        List<String> good = lines(file, "good ");
        List<String> bad = lines(file, "bad ");
        assertFalse(good.isEmpty() || bad.isEmpty());
        good.forEach(text -> assertEquals(text, roundTrip.apply(text)));
        bad.forEach(text -> assertThrows(IllegalArgumentException.class, () -> roundTrip.apply(text), text));
    }

    private static List<String> lines(String file, String prefix) throws IOException {
        return Files.readAllLines(VECTORS.resolve(file)).stream()
                .filter(line -> line.startsWith(prefix))
                .map(line -> line.substring(prefix.length()))
                .toList();
    }
}
