package io.troth.bench.failover;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.troth.chaos.process.Children;
import io.troth.core.BranchId;
import io.troth.core.EpochId;
import io.troth.core.GlobalTxId;
import io.troth.core.Outcome;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** A few leaders are really killed; and what would be wrong is noticed. */
class FailoverTest {

    private static final GlobalTxId TX = new GlobalTxId(0, new EpochId(1, 1), 1, 1);
    private static final BranchId BRANCH = new BranchId(1, 1);

    @TempDir
    Path directory;

    @Test
    void theNextLeaderGoesOn() throws Exception {
        try (Children children = new Children(Files.createDirectory(directory.resolve("output")))) {
            FailoverRun run =
                    new FailoverRun(children, directory, 4, Map.of("cluster.electionTimeout", "300ms"), line -> {});
            FailoverRun.Outcome outcome = run.run(1);
            assertEquals(List.of(), outcome.wrong());
            assertEquals(
                    List.of(Moment.PREPARING),
                    outcome.kills().stream().map(Kill::moment).toList());
            assertTrue(outcome.kills().stream().allMatch(kill -> kill.leaderMillis() > 0 && kill.commitMillis() > 0));
            assertTrue(outcome.answers().contains("COMMITTED="), outcome.answers());
        }
    }

    @Test
    void theDatabaseNoticesWhatMustNeverBeSaid() {
        RememberingDatabase database = new RememberingDatabase("memory");
        database.commitPrepared(TX, BRANCH, null, true, done -> {});
        database.prepare(TX, BRANCH, result -> {});
        database.commitPrepared(TX, BRANCH, null, true, done -> {});
        database.commitPrepared(TX, BRANCH, null, false, done -> {});
        database.rollbackPrepared(TX, BRANCH, null, done -> {});
        assertEquals(
                List.of(
                        "memory: commit of " + TX + ", which is not prepared",
                        "memory: rollback of prepared " + TX + ", which it has committed"),
                database.wrong());
    }

    @Test
    void answersThatAreNotTrueAreFound() {
        RememberingDatabase first = new RememberingDatabase("first");
        RememberingDatabase second = new RememberingDatabase("second");
        assertEquals(List.of(), Truth.compare(TX, 2, Outcome.ROLLED_BACK, List.of(first, second)));
        assertEquals(
                1,
                Truth.compare(TX, 2, Outcome.COMMITTED, List.of(first, second)).size());
        first.prepare(TX, BRANCH, result -> {});
        first.commitPrepared(TX, BRANCH, null, true, done -> {});
        assertEquals(
                1,
                Truth.compare(TX, 2, Outcome.COMMITTED, List.of(first, second)).size());
        second.prepare(TX, BRANCH, result -> {});
        second.commitPrepared(TX, BRANCH, null, true, done -> {});
        assertEquals(List.of(), Truth.compare(TX, 2, Outcome.COMMITTED, List.of(first, second)));
        assertEquals(
                1,
                Truth.compare(TX, 2, Outcome.ROLLED_BACK, List.of(first, second))
                        .size());
        assertEquals(
                1, Truth.compare(TX, 2, Outcome.UNKNOWN, List.of(first, second)).size());
    }

    @Test
    void theTableHasARowForEachMoment() {
        List<Kill> kills = List.of(
                new Kill(Moment.PREPARING, 3, 900, 1_000, 1_500),
                new Kill(Moment.PREPARING, 5, 700, 2_000, 1_200),
                new Kill(Moment.ONE_PHASE, 0, 800, 0, 1_100));
        String table = FailoverReport.table(kills);
        assertTrue(
                table.contains("PREPARING       2         8 |    700    900     900 |   1000   2000    2000"), table);
        assertTrue(table.contains("all             3         8"), table);
        assertEquals(2, FailoverReport.percentile(new double[] {1, 2, 3}, 50));
    }
}
