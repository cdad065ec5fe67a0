package io.troth.coordinator.log.raft;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import org.junit.jupiter.api.Test;

/** Goal: nobody takes the leadership from the member that was named, however many transfers were asked for. */
class TransfersTest {

    private final Transfers transfers = new Transfers();
    private final CompletableFuture<Void> first = new CompletableFuture<>();
    private final List<String> done = new ArrayList<>();

    @Test
    void waitsForNothingWhenNoneIsUnderWay() {
        transfers.whenOver(() -> done.add("over"));
        assertEquals(List.of("over"), done);
    }

    @Test
    void waitsForTheOneUnderWayAlsoWhenAnotherWasRefused() {
        CompletableFuture<Void> one = transfers.ask(() -> first);
        CompletableFuture<Void> two =
                transfers.ask(() -> CompletableFuture.failedFuture(new IOException("a transfer is under way already")));
        CompletableFuture<Void> three = transfers.ask(() -> {
            throw new IOException("not sent");
        });
        assertTrue(two.isCompletedExceptionally() && three.isCompletedExceptionally());

        transfers.whenOver(() -> done.add("over"));
        assertEquals(List.of(), done);
        first.complete(null);
        assertTrue(one.isDone());
        assertEquals(List.of("over"), done);
    }

    @Test
    void goesOnAfterOneThatFailed() {
        CompletableFuture<Void> one = transfers.ask(() -> first);
        transfers.whenOver(() -> done.add("over"));
        first.completeExceptionally(new IOException("nobody answers"));
        assertTrue(one.isCompletedExceptionally());
        assertEquals(List.of("over"), done);
    }
}
