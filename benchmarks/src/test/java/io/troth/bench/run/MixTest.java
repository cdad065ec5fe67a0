package io.troth.bench.run;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.troth.bench.contender.Step;
import io.troth.bench.contender.Work;
import java.util.List;
import java.util.SplittableRandom;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/** What the checks of a run stand on: money only moves, and pools and rows are taken in an order without circles. */
class MixTest {

    private static final int TRANSACTIONS = 1_000;

    private static Stream<String> names() {
        return Mix.names().stream();
    }

    @ParameterizedTest
    @MethodSource("names")
    void moneyOnlyMovesAndLocksAreTakenInOrder(String name) {
        Mix mix = Mix.named(name);
        SplittableRandom random = new SplittableRandom(1);
        for (int number = 1; number <= TRANSACTIONS; number++) {
            Work work = mix.next(number, random);
            List<Step> steps = work.steps();
            assertEquals(0, steps.stream().mapToLong(Step::amount).sum(), work::toString);
            for (int i = 1; i < steps.size(); i++) {
                Step before = steps.get(i - 1);
                Step step = steps.get(i);
                assertTrue(
                        before.resource() < step.resource()
                                || (before.resource() == step.resource() && before.account() < step.account()),
                        work::toString);
            }
            assertTrue(steps.stream().allMatch(step -> step.account() < mix.hotAccounts()), work::toString);
            assertEquals(
                    mix.writers(),
                    IntStream.of(work.resources())
                            .filter(resource -> !work.isReadOnly(resource))
                            .count(),
                    work::toString);
        }
    }

    @ParameterizedTest
    @MethodSource("names")
    void whoAcknowledgesAndDoesNothingIsSeen(String name) {
        Mix mix = Mix.named(name);
        SplittableRandom random = new SplittableRandom(1);
        Ledger all = new Ledger(mix.databases());
        for (int number = 1; number <= TRANSACTIONS; number++) {
            Work work = mix.next(number, random);
            Ledger ledger = new Ledger(mix.databases());
            ledger.succeeded(work);
            assertEquals(mix.writers() > 0, demandsChange(ledger), work::toString);
            all.succeeded(work);
        }
        assertEquals(mix.writers() > 0, demandsChange(all), name);
    }

    private static boolean demandsChange(Ledger ledger) {
        return IntStream.range(0, ledger.databases())
                .anyMatch(database -> ledger.least(database) > 0 || ledger.most(database) < 0);
    }

    @Test
    void whatFailedMayHaveHappenedOrNot() {
        Ledger ledger = new Ledger(2);
        Work down = new Work(1, List.of(new Step(0, 4, -1), new Step(1, 9, 1)));
        Work moves = new Work(2, List.of(new Step(0, 0, -1), new Step(0, 2, 1)));
        ledger.succeeded(down);
        ledger.failed(down);
        ledger.failed(moves);

        assertEquals(List.of(-10L, -3L), List.of(ledger.least(0), ledger.most(0)));
        assertEquals(List.of(10L, 20L), List.of(ledger.least(1), ledger.most(1)));
    }
}
