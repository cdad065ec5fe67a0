package io.troth.chaos.stack;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.troth.client.GlobalTransaction;
import io.troth.client.Transaction;
import io.troth.client.TransactionOptions;
import io.troth.client.TrothClient;
import io.troth.client.context.CallScope;
import io.troth.core.BranchId;
import io.troth.core.Outcome;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import java.util.stream.Collectors;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.parallel.Isolated;

/**
 * Goal: a commit that waits costs no thread. Method: the coordinator process is stopped, {@value #COMMITS} commits are
 * asked for, and the threads that the client has added are counted; then the coordinator goes on, and each gets its
 * answer. The branches are made up, so that no database is needed: the coordinator knows no such agent and rolls back.
 */
@Isolated
class OpenCommitsTest {

    private static final int COMMITS = 10_000;
    private static final int CLIENT_THREADS_MAX = 4;
    private static final long ANSWER_SECONDS = 90;

    @Test
    void holdsTenThousandCommitsOnAFewThreads() throws Exception {
        Set<String> threadsBefore = threads();
        try (Stack stack = Stack.startAlone("OpenCommits")) {
            TrothClient client = stack.client();
            List<GlobalTransaction> open = new ArrayList<>();
            for (int i = 1; i <= COMMITS; i++) {
                GlobalTransaction tx = client.beginAsync(TransactionOptions.DEFAULTS)
                        .toCompletableFuture()
                        .get(ANSWER_SECONDS, TimeUnit.SECONDS);
                Transaction.Binding binding = tx.bind();
                CallScope.current().addBranch(new BranchId(1, i), Banks.A);
                binding.close();
                open.add(tx);
            }
            stack.coordinator().child().suspend();
            List<CompletableFuture<Outcome>> answers =
                    open.stream().map(tx -> Answers.of(tx.commitAsync())).toList();
            Set<String> added = threads();
            added.removeAll(threadsBefore);
            assertTrue(added.size() <= CLIENT_THREADS_MAX, added::toString);
            assertEquals(0, answers.stream().filter(CompletableFuture::isDone).count());

            stack.coordinator().child().proceed();
            CompletableFuture.allOf(answers.toArray(CompletableFuture[]::new)).get(ANSWER_SECONDS, TimeUnit.SECONDS);
            assertTrue(answers.stream().allMatch(answer -> answer.join() == Outcome.ROLLED_BACK));
        }
    }

    /** The client's own, and those of gRPC under it. */
    private static Set<String> threads() {
        return Thread.getAllStackTraces().keySet().stream()
                .filter(Thread::isAlive)
                .filter(thread -> thread.getName().startsWith("troth-")
                        || thread.getName().startsWith("grpc-"))
                .map(thread -> thread.getName() + "#" + thread.getId())
                .collect(Collectors.toSet());
    }
}
