package io.troth.bench.failover;

import io.troth.agent.engine.AgentEngine;
import io.troth.agent.engine.BranchRefusedException;
import io.troth.agent.grpc.LinkSettings;
import io.troth.bench.troth.InProcessAgent;
import io.troth.client.GlobalTransaction;
import io.troth.client.OutcomeToken;
import io.troth.client.OutcomeUnknownException;
import io.troth.client.TrothClient;
import io.troth.client.TrothClientBuilder;
import io.troth.client.context.CallScope;
import io.troth.core.BranchId;
import io.troth.core.ErrorCode;
import io.troth.core.GlobalTxId;
import io.troth.core.Outcome;
import io.troth.core.TrothException;
import io.troth.core.participant.StatementEnd;
import java.time.Duration;
import java.util.ArrayList;
import java.util.EnumMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Queue;
import java.util.TreeMap;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.Phaser;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicLong;
import org.jspecify.annotations.Nullable;

/**
 * Services that run transactions over two databases all the time, three of four on both and the others on one, and keep
 * what they were told. Thread-safe.
 */
final class Traffic implements AutoCloseable {

    private static final Duration SETTLE_LIMIT = Duration.ofSeconds(60);
    private static final List<String> RESOURCES = List.of("memory-0", "memory-1");

    /** What a service does that is refused: it does not ask again at once. */
    private static final long PAUSE_MILLIS = 20;

    /** What a client was told; {@code token} with UNKNOWN only. */
    private record Answer(
            GlobalTxId tx,
            int branches,
            Outcome outcome,
            @Nullable OutcomeToken token) {}

    private final List<RememberingDatabase> databases =
            RESOURCES.stream().map(RememberingDatabase::new).toList();

    private final TrothClient client;
    private final List<InProcessAgent> agents = new ArrayList<>();
    private final Queue<Answer> answers = new ConcurrentLinkedQueue<>();
    private final Map<ErrorCode, AtomicLong> refusals = new ConcurrentHashMap<>();
    private final Map<Outcome, AtomicLong> counts = new EnumMap<>(Outcome.class);
    private final AtomicLong firstCommitNanos = new AtomicLong();
    /** The workers and whoever lets them rest: in odd phases they do. */
    private final Phaser shifts = new Phaser(1);

    private volatile long watchedSinceNanos = Long.MAX_VALUE;
    private volatile boolean resting = true;
    private volatile boolean over;

    /** Connects; nothing runs before {@link #run}. */
    Traffic(List<String> endpoints, int workers) throws InterruptedException {
        TrothClientBuilder builder = TrothClient.builder().name("failover");
        endpoints.forEach(builder::endpoint);
        client = builder.build();
        for (RememberingDatabase database : databases) {
            String resource = RESOURCES.get(databases.indexOf(database));
            agents.add(InProcessAgent.start(Map.of(resource, database), endpoints));
        }
        for (InProcessAgent agent : agents) {
            agent.awaitReady();
        }
        for (int i = 0; i < workers; i++) {
            int number = i;
            shifts.register();
            Thread worker = new Thread(() -> work(number), "worker-" + i);
            worker.setDaemon(true);
            worker.start();
        }
    }

    List<RememberingDatabase> databases() {
        return databases;
    }

    /** Transactions run until {@link #rest}. */
    void run() {
        resting = false;
        shifts.arriveAndAwaitAdvance();
    }

    /** Returns when every transaction has its answer. */
    void rest() {
        resting = true;
        shifts.arriveAndAwaitAdvance();
    }

    /** Looks for the first commit of a transaction that begins from now on. */
    void watch() {
        firstCommitNanos.set(0);
        watchedSinceNanos = System.nanoTime();
    }

    /** When a client heard it, in the time of {@link System#nanoTime}; 0 when none has yet. */
    long firstCommitNanos() {
        return firstCommitNanos.get();
    }

    private void work(int number) {
        int turn = number;
        while (!over) {
            shifts.arriveAndAwaitAdvance();
            while (!resting && !over) {
                boolean answered =
                        transact(turn % 4 == 0 ? List.of(turn % RESOURCES.size()) : List.of(0, 1), turn % 3 > 0);
                turn++;
                if (!answered) {
                    pause();
                }
            }
            shifts.arriveAndAwaitAdvance();
        }
    }

    private static void pause() {
        try {
            TimeUnit.MILLISECONDS.sleep(PAUSE_MILLIS);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
    }

    /** True when it was committed. {@code shared}: the coordinator is to know its branches before it commits. */
    private boolean transact(List<Integer> resources, boolean shared) {
        long begun = System.nanoTime();
        GlobalTxId id = null;
        try (GlobalTransaction tx = client.begin()) {
            id = tx.id();
            if (shared) {
                // Whoever has the token may ask.
                var unused = tx.token();
            }
            join(resources);
            tx.commit();
            answers.add(new Answer(id, resources.size(), Outcome.COMMITTED, null));
            if (begun - watchedSinceNanos >= 0) {
                firstCommitNanos.compareAndSet(0, System.nanoTime());
            }
            return true;
        } catch (OutcomeUnknownException e) {
            answers.add(new Answer(e.tx(), resources.size(), Outcome.UNKNOWN, e.token()));
        } catch (TrothException e) {
            count(e.reason().code());
            if (id != null) {
                answers.add(new Answer(id, resources.size(), Outcome.ROLLED_BACK, null));
            }
        }
        return false;
    }

    private void join(List<Integer> resources) {
        CallScope scope = Objects.requireNonNull(CallScope.current());
        try {
            for (int resource : resources) {
                AgentEngine engine = agents.get(resource).engine();
                BranchId branch = engine.join(scope, RESOURCES.get(resource), LinkSettings.CONNECT_TIMEOUT_MILLIS);
                engine.statementBegins(scope, branch);
                engine.statementEnds(branch, StatementEnd.completed());
            }
        } catch (BranchRefusedException e) {
            throw new TrothException(e.reason());
        }
    }

    private void count(ErrorCode code) {
        refusals.computeIfAbsent(code, key -> new AtomicLong()).incrementAndGet();
    }

    /**
     * Asks again about what was unknown, waits until nothing is in doubt, and compares every answer with the databases.
     * While it rests.
     *
     * @return what is wrong, in words
     */
    List<String> settle() throws InterruptedException {
        List<String> wrong = new ArrayList<>();
        List<Answer> settled = new ArrayList<>();
        for (Answer answer = answers.poll(); answer != null; answer = answers.poll()) {
            counts.computeIfAbsent(answer.outcome(), outcome -> new AtomicLong())
                    .incrementAndGet();
            OutcomeToken token = answer.token();
            settled.add(
                    token == null ? answer : new Answer(answer.tx(), answer.branches(), client.outcome(token), null));
        }
        long deadline = System.nanoTime() + SETTLE_LIMIT.toNanos();
        while (databases.stream().anyMatch(database -> !database.prepared().isEmpty())) {
            if (System.nanoTime() - deadline > 0) {
                wrong.add("branches are still in doubt");
                break;
            }
            Thread.sleep(1);
        }
        for (Answer answer : settled) {
            wrong.addAll(Truth.compare(answer.tx(), answer.branches(), answer.outcome(), databases));
        }
        databases.forEach(database -> wrong.addAll(database.wrong()));
        return wrong;
    }

    /** How many answers there were of each kind, and why what was rolled back or never begun was. */
    String summary() {
        return counts + ", refused or rolled back because of " + new TreeMap<>(refusals);
    }

    @Override
    public void close() {
        over = true;
        shifts.forceTermination();
        client.close();
        agents.forEach(InProcessAgent::close);
    }
}
