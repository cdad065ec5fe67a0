package io.troth.chaos.stack;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.troth.chaos.cluster.CoordinatorCluster.Lead;
import io.troth.chaos.process.ChildProcess;
import io.troth.core.Outcome;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.condition.EnabledIfSystemProperty;

/**
 * Goal: no fault of the members of a cluster makes an answer false. Method: transfers run all the time, while members are
 * killed at once, stand still, or find their log damaged; at the end every answer is compared with the books of both banks,
 * and asked for again.
 */
@EnabledIfSystemProperty(named = "troth.clusterFaults", matches = "true")
class ClusterFaultsTest {

    private static final Duration LIMIT = Duration.ofSeconds(90);

    private ClusterTransfers transfers;

    @Test
    @Timeout(value = 10, unit = TimeUnit.MINUTES)
    void noAnswerIsFalseWhateverHappensToTheMembers() throws Exception {
        try (ClusterStack stack = new ClusterStack("ClusterFaults");
                ClusterTransfers running = new ClusterTransfers(stack)) {
            transfers = running;
            transfers.awaitCommits();
            allAreKilledAtOnce(stack);
            theLeaderStandsStill(stack);
            theLeaderIsLeftAlone(stack);
            aLogIsDamaged(stack);
            transfers.assertTruth();
        }
    }

    private void allAreKilledAtOnce(ClusterStack stack) {
        Lead before = stack.lead();
        List<String> all = new ArrayList<>(stack.others(""));
        all.forEach(node ->
                assertEquals(ChildProcess.EXIT_KILLED, stack.process(node).kill()));
        all.forEach(stack::restart);
        assertTrue(stack.awaitLeadAbove(before.epoch()).epoch() > before.epoch());
        transfers.awaitCommits();
    }

    /** Long enough that another one leads: it must not go on as if nothing had been. */
    private void theLeaderStandsStill(ClusterStack stack) {
        Lead before = stack.lead();
        stack.process(before.node()).child().suspend();
        Lead after = stack.awaitLeadAbove(before.epoch());
        assertNotEquals(before.node(), after.node());
        transfers.awaitCommits();
        stack.process(before.node()).child().proceed();
        stack.awaitNotLeading(before.node());
        transfers.awaitCommits();
    }

    /** Both others stand still: nothing is decided until one of them goes on. */
    private void theLeaderIsLeftAlone(ClusterStack stack) throws Exception {
        Lead before = stack.lead();
        List<String> others = stack.others(before.node());
        others.forEach(node -> stack.process(node).child().suspend());
        CompletableFuture<Outcome> alone =
                CompletableFuture.supplyAsync(transfers::transfer, task -> new Thread(task, "transfer-alone").start());
        stack.awaitNotLeading(before.node());
        assertTrue(!alone.isDone() || alone.get() != Outcome.COMMITTED, "decided without a majority");
        others.forEach(node -> stack.process(node).child().proceed());
        assertTrue(stack.awaitLeadAbove(before.epoch()).epoch() > before.epoch());
        Outcome unused = alone.get(LIMIT.toSeconds(), TimeUnit.SECONDS);
        transfers.awaitCommits();
    }

    /** One bit of what a follower has on its disk: it refuses to start, and the others do without it. */
    private void aLogIsDamaged(ClusterStack stack) throws IOException {
        String node = stack.others(stack.lead().node()).get(0);
        stack.process(node).kill();
        Path log = anyLogFile(stack.data(node));
        byte[] good = Files.readAllBytes(log);
        byte[] bad = good.clone();
        bad[60] ^= 1;
        Files.write(log, bad);
        stack.restart(node);
        int exit = stack.process(node).child().awaitExit(LIMIT);
        assertTrue(exit != 0 && exit != ChildProcess.EXIT_KILLED, "exit code " + exit);
        transfers.awaitCommits();

        Files.write(log, good);
        stack.restart(node);
        stack.awaitNotLeading(node);
        transfers.awaitCommits();
    }

    private static Path anyLogFile(Path data) throws IOException {
        try (Stream<Path> files = Files.walk(data.resolve("raft"))) {
            return files.filter(file -> file.getFileName().toString().startsWith("log_"))
                    .sorted()
                    .findFirst()
                    .orElseThrow();
        }
    }
}
