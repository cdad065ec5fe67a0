package io.troth.agent.metrics;

import io.micrometer.core.instrument.Clock;
import io.micrometer.core.instrument.Counter;
import io.micrometer.core.instrument.Gauge;
import io.micrometer.core.instrument.MeterRegistry;
import io.micrometer.core.instrument.Tags;
import io.micrometer.core.instrument.Timer;
import io.troth.agent.engine.AgentListener;
import io.troth.agent.jdbc.PoolStats;
import io.troth.agent.jdbc.ResourceStats;
import io.troth.client.grpc.TrothServerInterceptor;
import io.troth.core.BranchId;
import io.troth.core.ErrorCode;
import io.troth.core.Vote;
import io.troth.core.participant.AgentNotice;
import io.troth.core.participant.BranchState;
import io.troth.core.participant.PreparedXid;
import java.time.Duration;
import java.util.EnumMap;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Objects;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.function.IntSupplier;
import java.util.function.Supplier;
import java.util.stream.LongStream;
import org.jspecify.annotations.Nullable;

/**
 * The agent's meters (docs/METRICS.md), made of notices, and of what is looked at where it is. One for each agent. Notices
 * come one at a time; a registry may be read at any time, on any thread.
 */
public final class AgentMetrics implements AgentListener, AgentNotice.Visitor {

    /** The states whose duration is a meter. */
    private static final Map<BranchState, String> TIMED = new EnumMap<>(Map.of(
            BranchState.PREPARING, "troth.agent.prepare.duration",
            BranchState.COMMITTING, "troth.agent.commit.duration",
            BranchState.ONE_PHASE, "troth.agent.one.phase.duration"));

    private final MeterRegistry registry;
    private final Clock clock;

    /** By resource. */
    private final Map<String, ResourceState> resources = new ConcurrentHashMap<>();

    /** Branches of all resources that have not finished; as many as the core's limit of branches at most. */
    private final Map<BranchId, Branch> branches = new ConcurrentHashMap<>();

    /** A registry holds what its gauges read only weakly. */
    private final List<Object> gauged = new CopyOnWriteArrayList<>();

    /** Votes that need no reason. */
    private final Map<Vote, Counter> votes = new EnumMap<>(Vote.class);

    private final AtomicInteger ready = new AtomicInteger();
    private boolean everReady;

    /** Where one branch stands, and since when. Notices write it, gauges read it. */
    private static final class Branch {
        final ResourceState resource;
        volatile BranchState state;
        volatile long stateSinceNanos;
        /** Since when it has been unprepared, or in doubt. */
        volatile long kindSinceNanos;

        Branch(ResourceState resource, BranchState state, long now, long kindSinceNanos) {
            this.resource = resource;
            this.state = state;
            this.stateSinceNanos = now;
            this.kindSinceNanos = kindSinceNanos;
        }

        void moves(BranchState to, long now) {
            if (isInDoubt(to) != isInDoubt(state)) {
                kindSinceNanos = now;
            }
            state = to;
            stateSinceNanos = now;
        }
    }

    /**
     * What the gauges of one resource read, in times of the registry's clock; and the meters that every branch touches: to
     * find one in the registry costs more than to count with it.
     */
    private static final class ResourceState {
        /** What the last scan has seen of other instances, and since when it has been seen. */
        final Map<BranchId, Long> othersInDoubt = new ConcurrentHashMap<>();

        final AtomicInteger otherClusters = new AtomicInteger();
        final Map<BranchState, Timer> durations = new EnumMap<>(BranchState.class);
        final Map<String, Counter> finished = new HashMap<>();
    }

    /** Since when each branch of the resource has been unprepared, or in doubt. */
    private LongStream since(ResourceState resource, boolean inDoubt) {
        LongStream own = branches.values().stream()
                .filter(branch -> branch.resource == resource && isInDoubt(branch.state) == inDoubt)
                .mapToLong(branch -> branch.kindSinceNanos);
        return inDoubt
                ? LongStream.concat(
                        own, resource.othersInDoubt.values().stream().mapToLong(Long::longValue))
                : own;
    }

    private static boolean isInDoubt(BranchState state) {
        return switch (state) {
            case ACTIVE, PREPARING, ONE_PHASE, ROLLING_BACK, FINISHED -> false;
            case PREPARED, IN_DOUBT, COMMITTING, ROLLING_BACK_PREPARED -> true;
        };
    }

    public AgentMetrics(MeterRegistry registry) {
        this.registry = registry;
        this.clock = registry.config().clock();
        Gauge.builder("troth.agent.ready", ready, AtomicInteger::get)
                .description("1 while branches may start: the stream leads to a ready coordinator")
                .register(registry);
        registry.counter("troth.agent.reconnects");
        // What is alerted on exists from the start: the first increase of a counter that came with it would be none.
        registry.counter("troth.agent.failures");
        for (ErrorCode code : ErrorCode.values()) {
            registry.counter("troth.agent.alarms", "reason", tag(code));
        }
    }

    /**
     * Makes the meters of a resource, so that they exist before its first branch. Before the agent starts.
     *
     * @param stats read on whatever thread reads the registry
     */
    public void watch(String resource, Supplier<ResourceStats> stats) {
        watchBranches(resource);
        watchPool(resource, "branches", () -> stats.get().branches());
        watchPool(resource, "recovery", () -> stats.get().finishers());
        ResourceState state = state(resource);
        TIMED.keySet().forEach(phase -> duration(state, resource, phase));
        registry.counter("troth.agent.scans", "resource", resource, "result", "read");
        registry.counter("troth.agent.scans", "resource", resource, "result", "failed");
        registry.counter("troth.agent.heuristic", "resource", resource);
        registry.counter("troth.agent.resolved.elsewhere", "resource", resource);
    }

    /**
     * Shows how many results of finished branches are kept. Before the agent starts.
     *
     * @param kept read on whatever thread reads the registry
     */
    public void watchKeptResults(IntSupplier kept, int max) {
        gauged.add(kept);
        Gauge.builder("troth.agent.kept.results", kept, IntSupplier::getAsInt)
                .description("results of finished branches that are kept, and places for those of unfinished ones")
                .register(registry);
        Gauge.builder("troth.agent.kept.results.max", () -> max)
                .description("with so many kept results no new branch starts")
                .register(registry);
    }

    /**
     * Shows how many calls an interceptor remembers. The agent as a process does so for its SQL gateway; a service for each
     * server of its own.
     *
     * @param server a name for it, out of a few that do not change
     */
    public void watchServedCalls(String server, TrothServerInterceptor interceptor) {
        gauged.add(interceptor);
        Tags tags = Tags.of("server", server);
        Gauge.builder("troth.agent.served.calls", interceptor, TrothServerInterceptor::servedCalls)
                .tags(tags)
                .description("calls that are remembered, so that none is served twice")
                .register(registry);
        Gauge.builder("troth.agent.served.calls.max", interceptor, TrothServerInterceptor::servedCallsMax)
                .tags(tags)
                .description("with so many remembered calls no new one is served")
                .register(registry);
    }

    private void watchPool(String resource, String pool, Supplier<PoolStats> stats) {
        gauged.add(stats);
        Tags tags = Tags.of("resource", resource, "pool", pool);
        Gauge.builder("troth.agent.pool.in.use", stats, read -> read.get().active())
                .tags(tags)
                .description("database connections in use")
                .register(registry);
        Gauge.builder("troth.agent.pool.waiting", stats, read -> read.get().waiting())
                .tags(tags)
                .description("threads that wait for a database connection")
                .register(registry);
        Gauge.builder("troth.agent.pool.size.max", stats, read -> read.get().sizeMax())
                .tags(tags)
                .description("the most connections the pool opens")
                .register(registry);
    }

    private void watchBranches(String resource) {
        ResourceState state = state(resource);
        Tags tags = Tags.of("resource", resource);
        Gauge.builder(
                        "troth.agent.unprepared.branches",
                        state,
                        of -> since(of, false).count())
                .tags(tags)
                .description("branches that hold locks and are not prepared")
                .register(registry);
        Gauge.builder("troth.agent.unprepared.oldest.age", state, of -> oldestSeconds(since(of, false)))
                .tags(tags)
                .baseUnit("seconds")
                .description("the age of the oldest unprepared branch; 0 when there is none")
                .register(registry);
        Gauge.builder(
                        "troth.agent.in.doubt.branches",
                        state,
                        of -> since(of, true).count())
                .tags(tags)
                .description("branches that are prepared, of all instances that the last scan has seen")
                .register(registry);
        Gauge.builder("troth.agent.in.doubt.oldest.age", state, of -> oldestSeconds(since(of, true)))
                .tags(tags)
                .baseUnit("seconds")
                .description("how long the oldest of them has been seen here; 0 when there is none")
                .register(registry);
        Gauge.builder("troth.agent.other.cluster.prepared", state.otherClusters, AtomicInteger::get)
                .tags(tags)
                .description("prepared branches of other Troth clusters in the last scan: never touched")
                .register(registry);
    }

    private double oldestSeconds(LongStream since) {
        long now = clock.monotonicTime();
        long oldest = since.map(nanos -> now - nanos).max().orElse(0);
        return oldest / (double) TimeUnit.SECONDS.toNanos(1);
    }

    private Timer timer(String name, String resource) {
        return Timer.builder(name)
                .tag("resource", resource)
                .publishPercentileHistogram()
                .minimumExpectedValue(Duration.ofMillis(1))
                .maximumExpectedValue(Duration.ofSeconds(30))
                .register(registry);
    }

    /** As the coordinator writes them. */
    private static String tag(Enum<?> value) {
        return value.name().toLowerCase(Locale.ROOT);
    }

    private void count(String name, String key, String value) {
        registry.counter(name, key, value).increment();
    }

    private void count(String name, String key, String value, String secondKey, String secondValue) {
        registry.counter(name, key, value, secondKey, secondValue).increment();
    }

    @Override
    public void heard(AgentNotice notice) {
        notice.accept(this);
    }

    @Override
    public void failed(RuntimeException cause) {
        ready.set(0);
        registry.counter("troth.agent.failures").increment();
    }

    @Override
    public void ready(AgentNotice.Ready notice) {
        if (everReady) {
            registry.counter("troth.agent.reconnects").increment();
        }
        everReady = true;
        ready.set(1);
    }

    @Override
    public void notReady(AgentNotice.NotReady notice) {
        ready.set(0);
    }

    @Override
    public void stateChanged(AgentNotice.StateChanged notice) {
        BranchId id = notice.branch();
        long now = clock.monotonicTime();
        boolean finished = notice.to() == BranchState.FINISHED;
        Branch branch = finished ? branches.remove(id) : branches.get(id);
        // The branch knows its resource: one look-up less for each of its moves.
        ResourceState state = branch != null ? branch.resource : state(notice.resource());
        if (branch != null && TIMED.containsKey(branch.state)) {
            duration(state, notice.resource(), branch.state).record(now - branch.stateSinceNanos, TimeUnit.NANOSECONDS);
        }
        if (finished) {
            state.othersInDoubt.remove(id);
            state.finished
                    .computeIfAbsent(
                            end(notice.from(), notice.reason() == null),
                            end -> registry.counter(
                                    "troth.agent.branches.finished", "resource", notice.resource(), "end", end))
                    .increment();
        } else if (branch != null) {
            branch.moves(notice.to(), now);
        } else {
            // One that another instance has left is this one's now, and as old as it was.
            Long since = state.othersInDoubt.remove(id);
            branches.put(id, new Branch(state, notice.to(), now, since == null ? now : since));
        }
    }

    private ResourceState state(String resource) {
        ResourceState known = resources.get(resource);
        return known != null ? known : resources.computeIfAbsent(resource, name -> new ResourceState());
    }

    private Timer duration(ResourceState state, String resource, BranchState phase) {
        return state.durations.computeIfAbsent(
                phase, timed -> timer(Objects.requireNonNull(TIMED.get(timed)), resource));
    }

    private static String end(@Nullable BranchState from, boolean withoutReason) {
        if (from == null) {
            return "rolled_back";
        }
        return switch (from) {
            case COMMITTING -> "committed";
            case ONE_PHASE -> withoutReason ? "one_phase" : "one_phase_failed";
            case PREPARING -> withoutReason ? "read_only" : "rolled_back";
            case ACTIVE, PREPARED, IN_DOUBT, ROLLING_BACK, ROLLING_BACK_PREPARED, FINISHED -> "rolled_back";
        };
    }

    @Override
    public void voted(AgentNotice.Voted notice) {
        if (notice.reason() == null) {
            votes.computeIfAbsent(
                            notice.vote(),
                            vote -> registry.counter("troth.agent.votes", "vote", tag(vote), "reason", ""))
                    .increment();
        } else {
            String reason = tag(notice.reason().code());
            count("troth.agent.votes", "vote", tag(notice.vote()), "reason", reason);
        }
    }

    @Override
    public void refused(AgentNotice.Refused notice) {
        count("troth.agent.refused", "reason", tag(notice.reason().code()));
    }

    @Override
    public void scanned(AgentNotice.Scanned notice) {
        count("troth.agent.scans", "resource", notice.resource(), "result", "read");
        ResourceState state = state(notice.resource());
        state.otherClusters.set(notice.otherClusters());
        long now = clock.monotonicTime();
        Set<BranchId> listed = new HashSet<>();
        for (PreparedXid xid : notice.prepared()) {
            listed.add(xid.branch());
            if (!branches.containsKey(xid.branch())) {
                state.othersInDoubt.putIfAbsent(xid.branch(), now);
            }
        }
        state.othersInDoubt.keySet().retainAll(listed);
    }

    @Override
    public void scanFailed(AgentNotice.ScanFailed notice) {
        count("troth.agent.scans", "resource", notice.resource(), "result", "failed");
    }

    @Override
    public void phaseTwoDelayed(AgentNotice.PhaseTwoDelayed notice) {
        String reason = tag(notice.reason().code());
        count("troth.agent.phase.two.delayed", "resource", notice.resource(), "reason", reason);
    }

    @Override
    public void resolvedElsewhere(AgentNotice.ResolvedElsewhere notice) {
        count("troth.agent.resolved.elsewhere", "resource", notice.resource());
    }

    @Override
    public void heuristic(AgentNotice.Heuristic notice) {
        count("troth.agent.heuristic", "resource", notice.resource());
    }

    @Override
    public void leftAlone(AgentNotice.LeftAlone notice) {
        count("troth.agent.left.alone", "outcome", tag(notice.outcome()));
    }

    @Override
    public void alarm(AgentNotice.Alarm notice) {
        count("troth.agent.alarms", "reason", tag(notice.reason().code()));
    }
}
