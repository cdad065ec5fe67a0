package io.troth.chaos.sim;

import io.troth.chaos.sim.check.BranchFacts;
import io.troth.chaos.sim.check.Checker;
import io.troth.chaos.sim.check.History;
import io.troth.chaos.sim.check.LockChecker;
import io.troth.chaos.sim.database.Flavour;
import io.troth.chaos.sim.log.LogStore;
import io.troth.chaos.sim.log.SimulatedGroup;
import io.troth.chaos.sim.log.SimulatedStore;
import io.troth.chaos.sim.resource.DatabaseServer;
import io.troth.chaos.sim.world.Broken;
import io.troth.chaos.sim.world.Fault;
import io.troth.chaos.sim.world.Plan;
import io.troth.chaos.sim.world.Sights;
import io.troth.chaos.sim.world.SimProcess;
import io.troth.chaos.sim.world.World;
import io.troth.core.BranchId;
import io.troth.core.BranchList;
import io.troth.core.ClusterId;
import io.troth.core.GlobalTxId;
import io.troth.core.TransactionContext;
import io.troth.core.coordinator.CoordinatorLimits;
import io.troth.core.coordinator.LeaderView;
import io.troth.core.participant.AgentLimits;
import java.util.ArrayList;
import java.util.Collections;
import java.util.EnumSet;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import java.util.function.Consumer;
import java.util.function.LongSupplier;
import org.jspecify.annotations.Nullable;

/**
 * One run of the whole system. First a phase in which things go wrong, with the properties of safety checked all the
 * time; then a quiet one, at whose end everything must be over (protocol 12, Termination). One thread.
 */
final class Run {

    static final ClusterId CLUSTER = new ClusterId(7);

    private static final long MILLI = 1_000_000;
    private static final long SECOND = 1_000 * MILLI;
    private static final int TIMEOUT_MILLIS = 10_000;
    /** Faults that keep a resource away from a leader for longer than a restart takes. */
    private static final Set<Fault> LONG_ABSENCES = EnumSet.of(
            Fault.AGENT_PAUSE,
            Fault.COORDINATOR_PAUSE,
            Fault.LEADER_DEPOSED,
            Fault.PARTITION,
            Fault.PARTITION_ONE_WAY,
            Fault.SLOW_NETWORK);
    /** One seed of so many has a replicated log; none of them has an operator, who would restore it. */
    private static final int REPLICATED_ONE_IN = 4;
    /** By then everything must be over. */
    private static final long QUIET_NANOS = 120 * SECOND;

    final World world;
    final Ledger ledger;
    final InPlaceWatch inPlace = new InPlaceWatch();
    final LogStore store;
    final Scout scout;
    final Workload workload;
    final CoordinatorLimits limits;
    /** Clients that overstep them cannot always be told what became of it. */
    final boolean hasSmallLimits;

    final AgentLimits agentLimits = new AgentLimits(1_000, 8, 100, 1_000, 5_000, 11, 30_000, 500, 10_000);
    final List<SimulatedCoordinator> coordinators = new ArrayList<>();
    final List<SimulatedAgent> agents = new ArrayList<>();
    final List<SimulatedClient> clients = new ArrayList<>();
    final List<DatabaseServer> databases = new ArrayList<>();

    /** Whether outcomes are forgotten within the run. */
    private final boolean forgetsSoon;

    private SimulatedCoordinator leader;
    private int begun;
    private long quietNanos;
    private boolean over;

    Run(Plan plan, Sights sights, @Nullable List<String> trace) {
        world = new World(plan, sights, trace);
        ledger = new Ledger(world, this::retentionNanos);
        scout = new Scout(world);
        boolean replicated = plan.seed() % REPLICATED_ONE_IN == 2;
        store = replicated ? new SimulatedGroup(world, ledger) : new SimulatedStore(world, ledger);
        forgetsSoon = Collections.disjoint(plan.chosen(), LONG_ABSENCES)
                && world.random().nextInt(3) > 0;
        hasSmallLimits = world.random().nextInt(3) == 0;
        limits = limits();
        List<String> names = new ArrayList<>(List.of("accounts", "audit", "stock"));
        int resources = 1 + world.random().nextInt(names.size());
        for (String name : names.subList(0, resources)) {
            databases.add(database(name));
        }
        workload = new Workload(world.random(), names.subList(0, resources), plan.mix());
        for (int i = 1; i <= (replicated ? 3 : 2); i++) {
            coordinators.add(new SimulatedCoordinator(this, world.process("c" + i)));
        }
        leader = coordinators.get(0);
        int count = Math.max(plan.agents(), resources);
        Homes homes = new Homes(plan);
        for (int i = 0; i < count; i++) {
            List<DatabaseServer> own = world.random().nextInt(4) == 0 || homes.offerAll()
                    ? databases
                    : List.of(databases.get(i % resources));
            agents.add(new SimulatedAgent(this, world.process("a" + (i + 1)), own));
        }
        for (int i = 0; i < plan.clients(); i++) {
            clients.add(homes.client(this, i));
        }
    }

    private DatabaseServer database(String name) {
        List<Flavour> kinds = DatabaseServer.FIT;
        Flavour flavour = kinds.get(world.random().nextInt(kinds.size()));
        world.saw("database " + flavour);
        return new DatabaseServer(world, name, flavour, ledger);
    }

    /** Whether something is wrong with a branch's end that is not the protocol's fault. */
    boolean excusesHeuristic(GlobalTxId tx, BranchId branch) {
        boolean excused = ledger.excusesHeuristic(tx, branch)
                || databases.stream().anyMatch(database -> database.excusesHeuristic(branch));
        if (excused) {
            world.saw("heuristic that has its reason");
        }
        return excused;
    }

    /** Small numbers, so that the bounds are reached, or ordinary ones. */
    private CoordinatorLimits limits() {
        boolean small = hasSmallLimits;
        // Longer than anything here is away: a leader must hear of every resource before it forgets (protocol 9.4).
        long retention = forgetsSoon ? 12_000 : 60_000;
        long age = world.random().nextBoolean() ? 4_000 : 3_600_000;
        return small
                ? new CoordinatorLimits(
                        8, 6, 8, 4, 40, 50, TIMEOUT_MILLIS, 1_000, 1_000, 10_000, 1_000, 5_000, age, retention)
                : new CoordinatorLimits(
                        1_000,
                        100,
                        100,
                        8,
                        100,
                        50,
                        TIMEOUT_MILLIS,
                        1_000,
                        1_000,
                        10_000,
                        1_000,
                        5_000,
                        age,
                        retention);
    }

    /** The outcome retention by the fastest clock there is. */
    private long retentionNanos() {
        return limits.outcomeRetentionMillis() * MILLI * (world.plan().clocksDiffer() ? 5 : 6) / 6;
    }

    /** Whether outcomes are forgotten within the run. */
    boolean forgetsSoon() {
        return forgetsSoon;
    }

    int timeoutMillis() {
        return TIMEOUT_MILLIS;
    }

    /** Whether one more transaction may begin; counts it. */
    boolean takesTransaction() {
        return world.isFaulty() && begun < world.plan().transactions() && ++begun > 0;
    }

    // Who finds whom.

    SimulatedCoordinator leader() {
        return leader;
    }

    /** Whom a client or an agent finds when it dials: usually the one that leads. */
    SimulatedCoordinator anyCoordinator() {
        SimulatedCoordinator other = another();
        return other.process().isUp() && world.random().nextInt(3) == 0 ? other : leader;
    }

    /** One that does not lead. */
    private SimulatedCoordinator another() {
        List<SimulatedCoordinator> others =
                coordinators.stream().filter(each -> each != leader).toList();
        return others.size() == 1 ? others.get(0) : others.get(world.random().nextInt(others.size()));
    }

    boolean reaches(SimProcess from, SimProcess to) {
        return to.isUp() && world.network().reaches(from, to) && world.network().reaches(to, from);
    }

    /** A call's context: a number of its own, and the time that is left. */
    TransactionContext nested(TransactionContext context, long remainingMillis) {
        return new TransactionContext(
                context.cluster(),
                context.tx(),
                context.key(),
                1 + world.random().nextLong(Long.MAX_VALUE),
                remainingMillis);
    }

    /** Calls a service that has the resource; null comes back for a call that ended without a list. */
    void call(SimProcess caller, Call call, Consumer<Call.@Nullable Reply> replies) {
        String resource = call.script().statements().get(0).resource();
        List<SimulatedAgent> serves =
                agents.stream().filter(agent -> offers(agent, call.script())).toList();
        if (serves.isEmpty()) {
            throw new Broken("nobody serves " + resource);
        }
        // All calls of one T go to the same instance, usually (protocol 5.6).
        int usual = Math.floorMod(call.context().tx().sequence(), serves.size());
        SimulatedAgent to =
                serves.get(world.random().nextInt(6) == 0 ? world.random().nextInt(serves.size()) : usual);
        boolean[] answered = new boolean[1];
        Consumer<Call.@Nullable Reply> once = reply -> {
            if (!answered[0]) {
                answered[0] = true;
                replies.accept(reply);
            }
        };
        int times = world.fault(Fault.CALL_TWICE) ? 2 : 1;
        for (int i = 0; i < times; i++) {
            SimulatedAgent target = i == 0 || world.faultRandom().nextBoolean()
                    ? to
                    : serves.get(world.faultRandom().nextInt(serves.size()));
            // Something on the way may send it twice, and the second one much later.
            long late = i > 0 && world.faultRandom().nextBoolean()
                    ? world.faultRandom().nextLong(3 * SECOND)
                    : 0;
            world.after(late, caller, () -> "", () -> send(caller, target, call, once));
        }
        world.after((call.context().remainingMillis() + 1_000) * MILLI, caller, () -> "", () -> once.accept(null));
    }

    static boolean offers(SimulatedAgent agent, Call.Script script) {
        return script.statements().stream()
                .allMatch(statement -> agent.resources().contains(statement.resource()));
    }

    private void send(SimProcess caller, SimulatedAgent target, Call call, Consumer<Call.@Nullable Reply> replies) {
        SimProcess process = target.process();
        if (!process.isUp() || !world.network().reaches(caller, process)) {
            // The connection is refused, or times out: nobody knows.
            world.after(world.shortDelay(), caller, () -> "", () -> replies.accept(null));
            return;
        }
        if (world.fault(Fault.CALL_LOST)) {
            return;
        }
        Runnable death = () -> world.after(world.shortDelay(), caller, () -> "", () -> replies.accept(null));
        target.onDeath(death);
        world.after(world.shortDelay(), process, () -> "is called: " + call, () -> {
            SimulatedService service = target.service();
            if (service != null) {
                // As it travels: in the real header and trailer.
                TransactionContext context =
                        TransactionContext.parse(call.context().encode());
                service.serve(new Call(context, call.script()), reply -> {
                    target.survived(death);
                    boolean lost =
                            world.fault(Fault.REPLY_LOST) || !world.network().reaches(process, caller);
                    world.after(
                            lost ? 500 * MILLI : world.shortDelay(),
                            caller,
                            () -> "call " + call.context().call() + " returns from " + process + ": " + reply.list(),
                            () -> replies.accept(
                                    lost
                                            ? null
                                            : new Call.Reply(
                                                    BranchList.parse(
                                                            reply.list().encode()),
                                                    reply.done())));
                });
            }
        });
    }

    // The end of processes.

    void coordinatorDied(SimulatedCoordinator coordinator) {
        if (over || coordinator != leader) {
            return;
        }
        scout.leaderChanges();
        world.after(downNanos(), () -> "a coordinator is to start", this::startLeader);
    }

    /** Starts a leader where none is, on either node. */
    void startLeader() {
        if (leader.process().isUp()) {
            return;
        }
        SimulatedCoordinator next = coordinators.get(world.random().nextInt(coordinators.size()));
        leader = next.process().isUp() ? leader : next;
        if (world.fault(Fault.BIT_ROT) && store.decay()) {
            boolean started = leader.start(false);
            Broken.unless(!started, () -> "Damage: a log with a flipped bit was taken");
            world.saw("damaged log refused");
            store.restore();
        }
        boolean started = leader.start(false);
        Broken.unless(started, () -> "the coordinator refuses to start");
    }

    /** Another leader takes over, and the old one does not know; false when there is nobody to do it. */
    boolean depose() {
        SimulatedCoordinator next = another();
        if (!leader.process().isUp() || next.process().isUp()) {
            return false;
        }
        leader = next;
        scout.leaderChanges();
        boolean started = next.start(true);
        Broken.unless(started, () -> "the coordinator refuses to start");
        world.saw("leader deposed and unaware");
        return true;
    }

    /** Brings the log back from a backup, as an operator does it: first everything is stopped. */
    void restoreLog(LongSupplier backup) {
        coordinators.forEach(each -> each.process().crash());
        long distrusted = backup.getAsLong();
        ledger.distrusts(distrusted);
        world.note(() -> "the log is restored; up to epoch " + distrusted + " absence means nothing");
        world.saw("log restored");
    }

    /** Whether what the log does not say about T means nothing. */
    boolean isDistrusted(GlobalTxId tx) {
        return ledger.isDistrusted(tx);
    }

    void agentDied(SimulatedAgent agent) {
        if (!over) {
            world.after(downNanos(), () -> "an agent is to start", agent::start);
        }
    }

    void clientDied(SimulatedClient client) {
        if (!over) {
            world.after(downNanos(), () -> "a client is to start", client::start);
        }
    }

    private long downNanos() {
        return world.random().nextLong(world.isFaulty() ? 2 * SECOND : SECOND / 2);
    }

    // The phases.

    /** Runs it all. Throws {@link Broken} when a property does not hold. */
    void run() {
        startLeader();
        agents.forEach(SimulatedAgent::start);
        clients.forEach(SimulatedClient::start);
        if (world.plan().seed() % 4 == 0) {
            lookLater();
        }
        Enemy enemy = new Enemy(this);
        Operator operator = new Operator(this);
        operator.start();
        enemy.start();
        world.run(world.plan().millis() * MILLI);
        world.becomeQuiet();
        quietNanos = world.nanos();
        enemy.stop();
        operator.stop();
        long end = world.nanos() + QUIET_NANOS;
        String unfinished = unfinished();
        while (unfinished != null) {
            String what = unfinished;
            Broken.unless(world.nanos() < end, () -> "Termination: " + what);
            world.run(world.nanos() + 2 * SECOND);
            unfinished = unfinished();
        }
        if (forgetsSoon) {
            world.run(world.nanos() + 40 * SECOND);
        }
        clients.forEach(client -> NewWork.commits(world, client));
        clients.forEach(SimulatedClient::close);
        world.run(world.nanos() + 16 * SECOND);
        Leftovers.vanish(world, this);
        checkEnd();
        over = true;
    }

    /** Looks at the state of leader and agents from time to time. */
    private void lookLater() {
        world.after(world.random().nextLong(SECOND), () -> "", () -> {
            if (world.isFaulty()) {
                leader.check();
                agents.forEach(SimulatedAgent::checkCodec);
                lookLater();
            }
        });
    }

    private @Nullable String unfinished() {
        for (SimulatedClient client : clients) {
            String waits = client.unfinished();
            if (waits != null) {
                return waits;
            }
        }
        String branch = ledger.unfinished();
        if (branch != null) {
            return branch;
        }
        for (SimulatedAgent agent : agents) {
            String holds = agent.unfinished();
            if (holds != null) {
                return holds;
            }
        }
        LeaderView view = leader.view();
        if (view == null || !view.ready()) {
            return "the leader does not answer";
        }
        boolean idle = view.open().values().stream().allMatch(count -> count == 0) && view.unended() == 0;
        return idle ? null : "the leader still holds " + view;
    }

    private void checkHistory() {
        List<BranchFacts> branches = new ArrayList<>();
        Map<String, Map<String, List<Long>>> rows = new TreeMap<>();
        for (DatabaseServer database : databases) {
            for (BranchFacts facts : database.server().branches()) {
                boolean isForced = ledger.isForced(facts.tx(), facts.branch());
                branches.add(isForced ? facts.endedByForce() : facts);
            }
            rows.put(database.name(), database.rows());
        }
        History history = new History(branches, ledger.listed(), ledger.answers(), rows, quietNanos);
        for (Checker checker : Checker.all(0, lockLimits())) {
            List<String> complaints = checker.complaints(history);
            Broken.unless(complaints.isEmpty(), () -> String.join("; ", complaints));
        }
    }

    /** The protocol's limits, and as long as whoever must keep them is held up by what goes wrong in this run. */
    private LockChecker.Limits lockLimits() {
        Set<Fault> kinds = world.plan().chosen();
        long more = 2 * SECOND;
        more += world.plan().clocksDiffer() ? TIMEOUT_MILLIS * MILLI / 4 : 0;
        more += kinds.contains(Fault.AGENT_PAUSE) ? Enemy.OUTAGE_NANOS_MAX : 0;
        more += kinds.contains(Fault.DATABASE_SLOW) ? 6 * SECOND : 0;
        // A server may go on with a request whose client is gone.
        more += kinds.stream().anyMatch(DatabaseServer.GOES_ON_ALONE::contains) ? 5 * SECOND : 0;
        LockChecker.Limits own = LockChecker.Limits.OWN;
        return new LockChecker.Limits(own.afterDeadlineNanos() + more, own.afterFaultsNanos());
    }

    private void checkEnd() {
        String unfinished = unfinished();
        Broken.unless(unfinished == null, () -> "Termination: it was over, and now " + unfinished);
        LeaderView view = leader.view();
        Broken.unless(
                view != null && view.sessions() == 0, () -> "Bounded memory: the leader still has sessions: " + view);
        long total = 0;
        Set<Long> appended = new HashSet<>();
        for (DatabaseServer database : databases) {
            for (var row : database.rows().entrySet()) {
                if (row.getKey().startsWith("account")) {
                    total += row.getValue().get(0);
                } else {
                    row.getValue()
                            .forEach(value -> Broken.unless(
                                    appended.add(value), () -> "Exactly the seen work: " + value + " is there twice"));
                }
            }
        }
        long sum = total;
        Broken.unless(
                sum == 0 || ledger.hasExcuses(), () -> "Agreement: the balances add up to " + sum + " instead of 0");
        checkHistory();
        if (view != null) {
            new Replay(store, ledger, limits).check(leader.process(), view);
        }
    }
}
