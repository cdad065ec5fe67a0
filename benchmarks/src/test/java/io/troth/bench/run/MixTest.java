package io.troth.bench.run;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.troth.bench.contender.Step;
import io.troth.bench.contender.Work;
import java.util.List;
import java.util.SplittableRandom;
import java.util.stream.IntStream;
import java.util.stream.Stream;
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
}
