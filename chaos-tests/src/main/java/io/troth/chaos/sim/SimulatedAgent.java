package io.troth.chaos.sim;

import io.troth.agent.engine.AgentEngine;
import io.troth.agent.engine.AgentListener;
import io.troth.agent.engine.AgentTimers;
import io.troth.agent.engine.BranchDatabase;
import io.troth.agent.engine.CoordinatorLink;
import io.troth.agent.engine.LinkListener;
import io.troth.agent.engine.StepListener;
import io.troth.chaos.sim.database.SimulatedBranchDatabase;
import io.troth.chaos.sim.resource.DatabaseServer;
import io.troth.chaos.sim.steps.BranchSteps;
import io.troth.chaos.sim.world.Broken;
import io.troth.chaos.sim.world.Connection;
import io.troth.chaos.sim.world.Crash;
import io.troth.chaos.sim.world.Fault;
import io.troth.chaos.sim.world.SimProcess;
import io.troth.chaos.sim.world.World;
import io.troth.core.BranchId;
import io.troth.core.ErrorCode;
import io.troth.core.GlobalTxId;
import io.troth.core.Reason;
import io.troth.core.Vote;
import io.troth.core.coordinator.Event;
import io.troth.core.participant.AgentEvent;
import io.troth.core.participant.AgentNotice;
import io.troth.core.participant.AgentStateMachine;
import io.troth.core.participant.AgentTimerKey;
import io.troth.core.participant.BranchState;
import io.troth.core.participant.CoordinatorMessage;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import org.jspecify.annotations.Nullable;

/**
 * One agent process: the real engine on simulated ports, and the service that lives in the same process. Each life is
 * another instance. One thread.
 */
final class SimulatedAgent implements CoordinatorLink, AgentTimers, AgentListener {

    private static final long MILLI = 1_000_000;
    private static final long REDIAL_NANOS_MIN = 50 * MILLI;
    private static final long REDIAL_NANOS_MAX = 1_000 * MILLI;

    private final Run run;
    private final World world;
    private final SimProcess process;
    private final List<DatabaseServer> servers;
    private final Map<AgentTimerKey, World.Task> timers = new LinkedHashMap<>();
    private Map<String, SimulatedBranchDatabase> databases = Map.of();
    private @Nullable AgentEngine engine;
    private @Nullable SimulatedService service;
    private @Nullable LinkListener listener;
    private Connection.@Nullable End stream;
    private @Nullable SimulatedCoordinator peer;
    private boolean linkClosed;
    private BranchSteps steps;
    /** The client that lives in the same process. */
    private @Nullable SimulatedClient client;
    /** Callers that wait. */
    private final Set<Runnable> deaths = new LinkedHashSet<>();

    SimulatedAgent(Run run, SimProcess process, List<DatabaseServer> servers) {
        this.run = run;
        this.world = run.world;
        this.process = process;
        this.servers = List.copyOf(servers);
        this.steps = new BranchSteps(world.sights());
    }

    SimProcess process() {
        return process;
    }

    /** The resources it offers. */
    List<String> resources() {
        return servers.stream().map(DatabaseServer::name).toList();
    }

    void start() {
        process.start(this::died);
        Map<String, SimulatedBranchDatabase> opened = new TreeMap<>();
        servers.forEach(server -> opened.put(server.name(), server.open(process)));
        databases = opened;
        Map<String, BranchDatabase> ports = new TreeMap<>(opened);
        AgentEngine fresh = new AgentEngine(new AgentEngine.Parts(
                world.random().nextLong(), ports, this, this, this, this::reached, run.agentLimits));
        engine = fresh;
        steps = new BranchSteps(world.sights());
        service = new SimulatedService(run, process, fresh, opened);
        linkClosed = false;
        fresh.start(world.random().nextBoolean() ? Run.CLUSTER : null, null);
        if (client != null) {
            client.lives();
        }
    }

    /** A client is in this process: it starts and dies with the agent. */
    void houses(SimulatedClient lodger) {
        client = lodger;
    }

    private void died() {
        databases.values().forEach(SimulatedBranchDatabase::close);
        databases = Map.of();
        timers.clear();
        engine = null;
        service = null;
        listener = null;
        stream = null;
        peer = null;
        List<Runnable> hooks = List.copyOf(deaths);
        deaths.clear();
        hooks.forEach(Runnable::run);
        if (client != null) {
            client.died();
        }
        run.agentDied(this);
    }

    /** Calls the hook when this life ends. */
    void onDeath(Runnable hook) {
        deaths.add(hook);
    }

    /** Calls it no more. */
    void survived(Runnable hook) {
        deaths.remove(hook);
    }

    /** Serves a call; null when the process is down. */
    @Nullable
    SimulatedService service() {
        return service;
    }

    /** What it still holds; null when it holds nothing. */
    @Nullable
    String unfinished() {
        AgentEngine runs = engine;
        if (runs == null) {
            return process + " is down";
        }
        if (!runs.isReady()) {
            return process + " has no coordinator";
        }
        int held = runs.look(AgentStateMachine::unfinished);
        if (held > 0) {
            return process + " still holds " + held + " branches";
        }
        SimulatedService serves = service;
        return serves == null ? null : serves.unfinished();
    }

    /** Whether it has voted for the branch and waits for the outcome. */
    boolean waitsFor(BranchId branch) {
        AgentEngine runs = engine;
        return runs != null && runs.look(machine -> machine.stateOf(branch)) == BranchState.PREPARED;
    }

    /** The state in bytes gives the same state again. */
    void checkCodec() {
        AgentEngine runs = engine;
        if (runs != null) {
            byte[] bytes = runs.look(AgentStateMachine::encode);
            byte[] again = AgentStateMachine.decode(bytes, run.agentLimits).encode();
            Broken.unless(Arrays.equals(bytes, again), () -> "decode(encode(agent)) is another agent");
        }
    }

    // The link.

    @Override
    public void start(LinkListener hears) {
        listener = hears;
        dialLater(0);
    }

    private void dialLater(long nanos) {
        if (!linkClosed) {
            world.after(nanos + world.shortDelay(), process, () -> "dials", this::dial);
        }
    }

    private long redialNanos() {
        // The real one waits longer; here a new stream may be faster than anything else that is under way.
        return world.random().nextInt(3) == 0
                ? world.random().nextLong(REDIAL_NANOS_MIN)
                : world.random().nextLong(REDIAL_NANOS_MIN, REDIAL_NANOS_MAX);
    }

    private void dial() {
        LinkListener hears = listener;
        if (stream != null || linkClosed || hears == null) {
            return;
        }
        SimulatedCoordinator found = run.anyCoordinator();
        if (!run.reaches(process, found.process())) {
            dialLater(redialNanos());
            return;
        }
        Connection connection = world.network().connect(process, found.process());
        Connection.End mine = connection.dialer();
        stream = mine;
        peer = found;
        mine.onBreak(() -> broken(mine, hears));
        var hello = hears.hello();
        mine.send(
                () -> "hears hello of " + process,
                () -> found.hello(connection.server(), hello, batch -> hears(mine, hears, batch)));
    }

    private void hears(Connection.End on, LinkListener hears, LinkListener.Batch batch) {
        if (on.equals(stream)) {
            hears.received(batch);
        }
    }

    private void broken(Connection.End which, LinkListener hears) {
        if (which.equals(stream)) {
            stream = null;
            peer = null;
            hears.broken(Reason.of(ErrorCode.STREAM_BROKEN));
            dialLater(redialNanos());
        }
    }

    @Override
    public void send(CoordinatorMessage message) {
        Connection.End open = stream;
        SimulatedCoordinator to = peer;
        if (open == null || to == null) {
            return;
        }
        if (message instanceof CoordinatorMessage.BranchVote vote) {
            world.saw("vote " + vote.vote());
            if (vote.vote() == Vote.YES) {
                run.ledger.votedYes(vote.tx(), vote.branch());
            } else if (vote.reason() != null && vote.vote() == Vote.NO) {
                world.saw("NO because of " + vote.reason().code());
            }
        }
        int times = world.fault(Fault.MESSAGE_TWICE) ? 2 : 1;
        for (int i = 0; i < times; i++) {
            open.send(() -> "hears of " + process + " " + message, () -> {
                Connection.End there = open.peer();
                to.said(there, stream -> message.accept(new Wire(stream)));
            });
        }
    }

    @Override
    public void refuse(Reason reason) {
        Connection.End open = stream;
        if (open != null && listener != null) {
            world.saw("agent refuses its coordinator " + reason.code());
            stream = null;
            peer = null;
            open.close();
            LinkListener hears = listener;
            world.after(0, process, () -> "", () -> hears.broken(reason));
            dialLater(redialNanos());
        }
    }

    // Timers.

    @Override
    public void start(AgentTimerKey key, long delayMillis, Runnable task) {
        cancel(key);
        timers.put(key, process.after(delayMillis * MILLI, () -> "timer " + key, () -> {
            timers.remove(key);
            task.run();
        }));
    }

    @Override
    public void cancel(AgentTimerKey key) {
        World.Task task = timers.remove(key);
        if (task != null) {
            task.cancel();
        }
    }

    /** Closes the link or the timers: the engine has ended both. */
    @Override
    public void close() {
        linkClosed = true;
        Connection.End open = stream;
        stream = null;
        peer = null;
        if (open != null) {
            open.close();
        }
        timers.values().forEach(World.Task::cancel);
        timers.clear();
    }

    // What the engine tells.

    private void reached(StepListener.Point point, GlobalTxId tx, BranchId branch) {
        if (world.fault(Fault.AGENT_CRASH_AT_POINT)) {
            world.note(() -> process + " is killed at " + point + " of " + branch + " of " + tx);
            world.saw("agent killed at " + point);
            throw process.die();
        }
    }

    @Override
    public void stepping(AgentEvent event) {
        steps.stepping(event);
    }

    @Override
    public void heard(AgentNotice notice) {
        steps.heard(notice);
        if (notice instanceof AgentNotice.Alarm alarm) {
            world.saw("agent's alarm " + alarm.reason().code());
            world.note(() -> process + " notices " + notice);
        } else if (notice instanceof AgentNotice.Heuristic heuristic) {
            Broken.unless(
                    run.excusesHeuristic(heuristic.tx(), heuristic.branch()),
                    () -> "a heuristic that nobody made: " + notice);
        } else if (notice instanceof AgentNotice.LeftAlone) {
            world.saw("branch left alone");
        }
    }

    @Override
    public void failed(RuntimeException cause) {
        if (!(cause.getCause() instanceof Crash)) {
            throw new Broken("the agent's engine failed: " + cause, cause);
        }
    }

    /** What an agent says, as its leader takes it. */
    private record Wire(io.troth.core.coordinator.StreamId stream) implements CoordinatorMessage.Visitor<Event> {

        @Override
        public Event enlist(CoordinatorMessage.Enlist m) {
            return new Event.Enlist(stream, m.tx(), m.key(), m.branch(), m.resource(), m.remainingMillis());
        }

        @Override
        public Event branchVote(CoordinatorMessage.BranchVote m) {
            return new Event.VoteReceived(stream, m.tx(), m.branch(), m.vote(), m.proof(), m.reason());
        }

        @Override
        public Event onePhaseProof(CoordinatorMessage.OnePhaseProof m) {
            return new Event.OnePhaseProof(stream, m.tx(), m.branch(), m.proof());
        }

        @Override
        public Event onePhaseResult(CoordinatorMessage.OnePhaseResult m) {
            return new Event.OnePhaseResult(stream, m.tx(), m.branch(), m.fate(), m.reason());
        }

        @Override
        public Event branchDone(CoordinatorMessage.BranchDone m) {
            return new Event.BranchDone(stream, m.tx(), m.branch(), m.result(), m.detail());
        }

        @Override
        public Event branchInquiry(CoordinatorMessage.BranchInquiry m) {
            return new Event.BranchInquiry(stream, m.tx(), m.branch(), m.resource());
        }

        @Override
        public Event fateReport(CoordinatorMessage.FateReport m) {
            return new Event.FateReported(stream, m.tx(), m.branch(), m.fate());
        }

        @Override
        public Event scanReport(CoordinatorMessage.ScanReport m) {
            return new Event.ScanReported(stream, m.resource(), m.lowestEpoch(), m.lowestSession());
        }
    }
}
