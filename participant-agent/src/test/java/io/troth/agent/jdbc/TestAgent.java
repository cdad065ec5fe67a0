package io.troth.agent.jdbc;

import io.troth.agent.database.Branches;
import io.troth.agent.engine.AgentEngine;
import io.troth.agent.engine.AgentListener;
import io.troth.agent.engine.AgentTimers;
import io.troth.agent.engine.ScheduledTimers;
import io.troth.agent.engine.SimulatedCoordinatorLink;
import io.troth.agent.engine.StepListener;
import io.troth.agent.xa.ResourceDriver;
import io.troth.client.context.CallScope;
import io.troth.client.context.NanoClock;
import io.troth.core.BranchId;
import io.troth.core.EpochId;
import io.troth.core.GlobalTxId;
import io.troth.core.SessionKey;
import io.troth.core.TransactionContext;
import io.troth.core.coordinator.AgentMessage;
import io.troth.core.coordinator.OnePhaseFate;
import io.troth.core.coordinator.PhaseTwoResult;
import io.troth.core.participant.AgentLimits;
import io.troth.core.participant.AgentNotice;
import io.troth.core.participant.AgentTimerKey;
import io.troth.core.participant.CoordinatorMessage;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Random;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.ThreadFactory;
import java.util.concurrent.atomic.AtomicLong;
import java.util.function.Predicate;
import org.awaitility.Awaitility;

/** An agent with the real engine and one real database; the test is the coordinator and the client. */
final class TestAgent implements AutoCloseable {

    static final String RESOURCE = "accounts";
    static final EpochId EPOCH = new EpochId(1, 0xfeedL);

    private static final AtomicLong CALLS = new AtomicLong(1);

    static final ThreadFactory DAEMONS = task -> {
        Thread thread = new Thread(task, "test-agent");
        thread.setDaemon(true);
        return thread;
    };

    final JdbcBranchDatabase database;
    final AgentEngine engine;
    final ResourceDataSource dataSource;
    final SimulatedCoordinatorLink link = new SimulatedCoordinatorLink();
    final List<AgentNotice> notices = new CopyOnWriteArrayList<>();
    final List<RuntimeException> failures = new CopyOnWriteArrayList<>();
    private final HurriedTimers timers = new HurriedTimers();

    TestAgent(ResourceDriver driver, PoolSettings settings) throws Exception {
        this(driver, settings, StepListener.NONE);
    }

    TestAgent(ResourceDriver driver, PoolSettings settings, StepListener steps) throws Exception {
        database = new JdbcBranchDatabase(RESOURCE, driver, settings, DAEMONS);
        database.selfTest();
        engine = new AgentEngine(new AgentEngine.Parts(
                new Random().nextLong(),
                Map.of(RESOURCE, database),
                link,
                timers,
                new AgentListener() {
                    @Override
                    public void heard(AgentNotice notice) {
                        notices.add(notice);
                    }

                    @Override
                    public void failed(RuntimeException cause) {
                        failures.add(cause);
                    }
                },
                steps,
                AgentLimits.DEFAULTS));
        dataSource = new ResourceDataSource(database, engine, false, 0);
        engine.start(null, null);
        link.welcome(Branches.CLUSTER, EPOCH);
    }

    /** Real timers that can be told that it is time. */
    private static final class HurriedTimers implements AgentTimers {

        private final ScheduledTimers real = new ScheduledTimers();
        private final Map<AgentTimerKey, Runnable> tasks = new ConcurrentHashMap<>();

        @Override
        public void start(AgentTimerKey key, long delayMillis, Runnable task) {
            tasks.put(key, task);
            real.start(key, delayMillis, task);
        }

        @Override
        public void cancel(AgentTimerKey key) {
            tasks.remove(key);
            real.cancel(key);
        }

        void hurry(AgentTimerKey key) {
            real.start(key, 0, Objects.requireNonNull(tasks.get(key), "not running"));
        }

        @Override
        public void close() {
            real.close();
        }
    }

    /** The transaction's time is over, however long it had. */
    void reachDeadline(GlobalTxId tx) {
        timers.hurry(new AgentTimerKey.Deadline(tx));
    }

    /** A new call of a transaction. */
    static CallScope call(GlobalTxId tx, long remainingMillis) {
        return new CallScope(
                new TransactionContext(
                        Branches.CLUSTER, tx, new SessionKey(1, 2), CALLS.getAndIncrement(), remainingMillis),
                NanoClock.SYSTEM);
    }

    static CallScope call(GlobalTxId tx) {
        return call(tx, 60_000);
    }

    /** The branch that the call worked on. */
    static BranchId branchOf(CallScope scope) {
        return scope.list().branches().get(0).branch();
    }

    <M extends CoordinatorMessage> M await(Class<M> type, Predicate<M> which) {
        return Awaitility.await()
                .atMost(Duration.ofSeconds(60))
                .pollInterval(Duration.ofMillis(5))
                .until(
                        () -> link.sent.stream()
                                .filter(type::isInstance)
                                .map(type::cast)
                                .filter(which)
                                .findFirst()
                                .orElse(null),
                        found -> found != null);
    }

    /** Waits for the two lists of prepared branches that the first welcome asks for: it names the cluster, and an epoch. */
    void awaitFirstLists() {
        Awaitility.await()
                .atMost(Duration.ofSeconds(60))
                .pollInterval(Duration.ofMillis(5))
                .until(() -> link.sent.stream()
                                .filter(CoordinatorMessage.ScanReport.class::isInstance)
                                .count()
                        == 2);
    }

    /** Asks for the vote, as after a commit request that counted so many calls. */
    CoordinatorMessage.BranchVote prepare(GlobalTxId tx, BranchId branch, int calls) {
        link.order(EPOCH, new AgentMessage.Prepare(tx, branch, calls));
        return await(CoordinatorMessage.BranchVote.class, vote -> vote.branch().equals(branch));
    }

    PhaseTwoResult commit(GlobalTxId tx, BranchId branch, io.troth.core.Proof proof) {
        link.order(EPOCH, new AgentMessage.CommitBranch(tx, branch, RESOURCE, proof, true));
        return await(CoordinatorMessage.BranchDone.class, done -> done.branch().equals(branch))
                .result();
    }

    OnePhaseFate commitOnePhase(GlobalTxId tx, BranchId branch, int calls) {
        link.order(EPOCH, new AgentMessage.CommitOnePhase(tx, branch, calls));
        return await(
                        CoordinatorMessage.OnePhaseResult.class,
                        result -> result.branch().equals(branch))
                .fate();
    }

    void rollback(GlobalTxId tx, BranchId branch) {
        link.order(EPOCH, new AgentMessage.RollbackBranch(tx, branch, RESOURCE));
    }

    /** Waits until nothing of the pool is in use. */
    void awaitIdle() {
        Awaitility.await()
                .atMost(Duration.ofSeconds(60))
                .pollInterval(Duration.ofMillis(5))
                .until(() -> database.stats().branches().active() == 0);
    }

    @Override
    public void close() {
        engine.close();
        database.close();
    }
}
