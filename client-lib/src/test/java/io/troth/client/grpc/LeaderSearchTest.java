package io.troth.client.grpc;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.List;
import org.junit.jupiter.api.Test;

/** Goal: a hint is followed, but only where it may, and never without an end. Method: the search alone. */
class LeaderSearchTest {

    private final LeaderSearch search = new LeaderSearch(List.of("a:1", "b:2", "C:3"), 0);

    @Test
    void triesTheEndpointsInTurnWhenNobodySaysAnything() {
        for (int expected : List.of(1, 2, 0, 1)) {
            assertFalse(search.next(null));
            assertEquals(expected, search.index());
        }
    }

    @Test
    void followsAHintAtOnceInAnyCase() {
        assertTrue(search.next("c:3"));
        assertEquals(2, search.index());
    }

    @Test
    void neverGoesWhereItWasNotConfiguredToGo() {
        assertFalse(search.next("evil:3"));
        assertEquals(1, search.index());
    }

    @Test
    void isNotSentBackAndForthByTwoThatNameEachOther() {
        assertTrue(search.next("b:2"));
        assertFalse(search.next("a:1"));
        assertEquals(2, search.index(), "the third is asked, too");
    }

    @Test
    void leavesOneThatNamesItself() {
        assertFalse(search.next("a:1"));
        assertEquals(1, search.index());
    }
}
