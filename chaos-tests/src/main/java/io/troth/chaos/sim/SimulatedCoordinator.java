package io.troth.chaos.sim;

import io.troth.agent.engine.LinkListener;
import io.troth.chaos.sim.log.LeaderLog;
import io.troth.chaos.sim.steps.LeaderSteps;
import io.troth.chaos.sim.world.Broken;
import io.troth.chaos.sim.world.Connection;
import io.troth.chaos.sim.world.Crash;
import io.troth.chaos.sim.world.Fault;
import io.troth.chaos.sim.world.SimProcess;
import io.troth.chaos.sim.world.World;
import io.troth.coordinator.engine.CoordinatorEngine;
import io.troth.coordinator.engine.EngineListener;
import io.troth.coordinator.engine.EnginePorts;
import io.troth.coordinator.engine.StepListener;
import io.troth.coordinator.engine.StreamGateway;
import io.troth.coordinator.log.DamagedRecordException;
import io.troth.core.ClusterId;
import io.troth.core.EpochId;
import io.troth.core.GlobalTxId;
import io.troth.core.ProtocolViolation;
import io.troth.core.Reason;
import io.troth.core.coordinator.AgentHello;
import io.troth.core.coordinator.AgentMessage;
import io.troth.core.coordinator.ClientMessage;
import io.troth.core.coordinator.CoordinatorStateMachine;
import io.troth.core.coordinator.Event;
import io.troth.core.coordinator.LeaderView;
import io.troth.core.coordinator.LogEntry;
import io.troth.core.coordinator.LogRecord;
import io.troth.core.coordinator.Notice;
import io.troth.core.coordinator.StreamId;
import io.troth.core.coordinator.TransactionView;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Set;
import java.util.TreeMap;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionException;
import java.util.function.Consumer;
import java.util.function.Function;
import org.jspecify.annotations.Nullable;

/** One coordinator: the real engine on simulated ports. Lives, dies, and is started again. One thread. */
final class SimulatedCoordinator implements StreamGateway, EngineListener {

    /** One stream. */
    private static final class Peer {
        final Connection.End end;
        final @Nullable Consumer<LinkListener.Batch> agent;
        final @Nullable Consumer<ClientMessage> client;
        final long instance;
        final List<AgentMessage> toAgent = new ArrayList<>();
        final List<ClientMessage> toClient = new ArrayList<>();

        Peer(
                Connection.End end,
                @Nullable Consumer<LinkListener.Batch> agent,
                @Nullable Consumer<ClientMessage> client,
                long instance) {
            this.end = end;
            this.agent = agent;
            this.client = client;
            this.instance = instance;
        }
    }

    private final Run run;
    private final World world;
    private final SimProcess process;
    private final Map<StreamId, Peer> peers = new TreeMap<>();
    /** Never walked through: ends have no order. */
    private final Map<Connection.End, StreamId> streams = new HashMap<>();

    private final Set<StreamId> touched = new LinkedHashSet<>();
    private @Nullable CoordinatorEngine engine;
    private @Nullable LeaderLog log;
    private World.@Nullable Task timer;
    private boolean turnPlanned;
    private OperatorWatch watch = new OperatorWatch();
    private LeaderSteps steps;

    SimulatedCoordinator(Run run, SimProcess process) {
        this.run = run;
        this.world = run.world;
        this.process = process;
        this.steps = new LeaderSteps(world.sights());
    }

    SimProcess process() {
        return process;
    }

    @Nullable
    LeaderLog log() {
        return log;
    }

    /** Starts the process; false when it refuses, because the log is damaged. */
    boolean start(boolean takesOver) {
        process.start(this::died);
        LeaderLog opened = takesOver ? run.store.takeOver(process) : run.store.open(process);
        log = opened;
        watch = new OperatorWatch();
        steps = new LeaderSteps(world.sights());
        boolean crashesAtPoints = world.plan().faults().containsKey(Fault.COORDINATOR_CRASH_AT_POINT);
        CoordinatorEngine fresh = new CoordinatorEngine(
                0,
                run.limits,
                new EnginePorts(
                        opened,
                        this,
                        crashesAtPoints ? this::reached : StepListener.NONE,
                        EngineListener.all(List.of(steps, this)),
                        process::nanoTime,
                        world.random()::nextLong,
                        task -> world.after(world.shortDelay(), process, () -> "looks in the log", task)));
        engine = fresh;
        try {
            fresh.start();
        } catch (DamagedRecordException damaged) {
            world.note(() -> process + " refuses to start: " + damaged.getMessage());
            process.crash();
            return false;
        }
        fresh.wakeWith(() -> {
            if (fresh.equals(engine)) {
                wake();
            }
        });
        wake();
        return true;
    }

    private void died() {
        peers.clear();
        streams.clear();
        touched.clear();
        engine = null;
        log = null;
        timer = null;
        turnPlanned = false;
        run.coordinatorDied(this);
    }

    // Turns.

    private void wake() {
        if (!turnPlanned) {
            turnPlanned = true;
            world.after(world.random().nextLong(50_000), process, () -> "", this::turn);
        }
    }

    private void turn() {
        turnPlanned = false;
        CoordinatorEngine runs = engine;
        if (runs == null) {
            return;
        }
        if (timer != null) {
            timer.cancel();
        }
        boolean busy = true;
        while (busy && process.isUp()) {
            busy = runs.runOnce();
        }
        if (!process.isUp()) {
            return;
        }
        if (runs.isStopped()) {
            if (log != null) {
                log.close();
            }
            process.crash();
            return;
        }
        long nanos = runs.nanosToNextTurn();
        if (nanos != Long.MAX_VALUE) {
            timer = process.after(nanos, () -> "", this::turn);
        }
    }

    private void submit(Event event) {
        if (engine != null) {
            engine.submit(List.of(event), () -> {});
        }
    }

    /** An operator says something to the process, if it runs. */
    void operator(Event event) {
        Runnable taken = () -> {};
        if (event instanceof Event.ResourceHeld held && held.held()) {
            taken = watch.holds(held.resource());
        } else if (event instanceof Event.ResourceHeld released) {
            watch.releases(released.resource());
        }
        if (engine != null) {
            engine.submit(List.of(event), taken);
        }
    }

    /** Looks at the state between two steps of a later turn, if it lives to see it. */
    void look(Consumer<CoordinatorStateMachine> eyes) {
        if (engine != null) {
            var unused = engine.look(machine -> {
                try {
                    eyes.accept(machine);
                } catch (RuntimeException broken) {
                    // The engine would keep it to itself.
                    world.after(0, () -> "", () -> {
                        throw broken;
                    });
                }
                return true;
            });
        }
    }

    /** Lets no new transaction begin, and stops when the running ones have ended. */
    void drain() {
        if (engine != null) {
            var unused = engine.drain(Duration.ofMillis(world.faultRandom().nextInt(5_000)));
        }
    }

    /** What it looks like now; null when it does not answer. */
    @Nullable
    LeaderView view() {
        CoordinatorEngine runs = engine;
        if (runs == null || process.isPaused()) {
            return null;
        }
        LeaderView[] seen = new LeaderView[1];
        var unused = runs.look(machine -> {
            seen[0] = machine.view();
            return true;
        });
        turn();
        return seen[0];
    }

    /**
     * The state in bytes gives the same state again, and what operators see agrees with it. Looked at between two steps
     * of the next turn.
     */
    void check() {
        CoordinatorEngine runs = engine;
        if (runs == null || process.isPaused()) {
            return;
        }
        CompletableFuture<Boolean> looked = runs.look(machine -> {
            byte[] bytes = machine.encode();
            byte[] again = CoordinatorStateMachine.decode(bytes, run.limits).encode();
            Broken.unless(Arrays.equals(bytes, again), () -> "decode(encode(leader)) is another leader");
            LeaderView view = machine.view();
            for (TransactionView each : machine.transactions(Integer.MAX_VALUE)) {
                TransactionView found = machine.find(each.tx());
                // Between the last Done and the END that is applied, one of them may already say ENDED.
                Broken.unless(
                        found != null && found.outcome() == each.outcome(),
                        () -> "two views: " + each + " and " + found);
            }
            Broken.unless(
                    machine.agents(Integer.MAX_VALUE).size() == view.agents(),
                    () -> "the operator sees other agents than " + view);
            Broken.unless(
                    machine.inDoubt(Integer.MAX_VALUE).size() >= view.leftAlone(),
                    () -> "the operator sees fewer branches than " + view);
            return true;
        });
        turn();
        try {
            boolean unused = looked.getNow(true);
        } catch (CompletionException e) {
            // Only what a check says counts: an engine that has just stopped answers nobody.
            if (e.getCause() instanceof Broken broken) {
                throw broken;
            }
        }
    }

    // Streams.

    /** An agent says who it is, on a connection that has just been opened. */
    void hello(Connection.End end, AgentHello hello, Consumer<LinkListener.Batch> hears) {
        StreamId id = open(new Peer(end, hears, null, hello.instance()));
        end.onBreak(() -> closed(id, new Event.AgentDisconnected(id)));
        submit(new Event.AgentConnected(id, hello));
        streams.put(end, id);
    }

    /** What an agent or a client says on its stream. */
    void said(Connection.End end, Function<StreamId, Event> event) {
        StreamId id = streams.get(end);
        if (id != null && peers.containsKey(id)) {
            Event said = event.apply(id);
            if (said instanceof Event.Enlist enlist) {
                run.scout.enlists(enlist.tx());
            }
            submit(said);
        }
    }

    /** A client opens its stream. */
    void client(Connection.End end, Consumer<ClientMessage> hears) {
        StreamId id = open(new Peer(end, null, hears, 0));
        end.onBreak(() -> closed(id, new Event.ClientDisconnected(id)));
        streams.put(end, id);
    }

    private StreamId open(Peer peer) {
        StreamId id = Objects.requireNonNull(engine).newStream();
        peers.put(id, peer);
        return id;
    }

    private void closed(StreamId id, Event event) {
        Peer peer = peers.remove(id);
        if (peer != null) {
            streams.remove(peer.end);
            submit(event);
        }
    }

    @Override
    public void sendToAgent(StreamId stream, AgentMessage message) {
        Peer peer = peers.get(stream);
        if (message instanceof AgentMessage.RollbackBranch rollback) {
            run.ledger.saidRollback(rollback.tx(), rollback.branch());
        }
        if (peer == null || peer.agent == null) {
            return;
        }
        watch.check(message);
        if (message instanceof AgentMessage.CommitBranch commit) {
            world.saw(commit.branch().instance() == peer.instance ? "phase 2" : "phase 2 by another instance");
            if (run.inPlace.isPrepared(commit.tx(), commit.branch())) {
                world.saw("phase 2 by the leader after votes in place");
            }
        } else if (message instanceof AgentMessage.EnlistRefused refused) {
            steps.enlistRefused(refused.tx(), refused.branch());
            world.saw("enlist refused");
        }
        touched.add(stream);
        peer.toAgent.add(message);
        if (world.fault(Fault.MESSAGE_TWICE)) {
            peer.toAgent.add(message);
        }
    }

    @Override
    public void sendToClient(StreamId stream, ClientMessage message) {
        if (message instanceof ClientMessage.Answer answer) {
            run.ledger.answered(answer.tx(), answer.outcome());
            watch.check(answer);
        }
        Peer peer = peers.get(stream);
        if (peer != null && peer.client != null) {
            touched.add(stream);
            peer.toClient.add(message);
        }
    }

    @Override
    public void close(StreamId stream, Reason reason) {
        Peer peer = peers.get(stream);
        if (peer != null) {
            world.note(() -> process + " closes a stream: " + reason);
            world.saw("stream closed " + reason.code());
            send(peer, null, 0);
            peer.end.close();
            closed(
                    stream,
                    peer.agent != null ? new Event.AgentDisconnected(stream) : new Event.ClientDisconnected(stream));
        }
    }

    @Override
    public void flush(@Nullable EpochId epoch, long durableBatch) {
        for (StreamId stream : touched) {
            if (world.fault(Fault.COORDINATOR_CRASH_IN_FLUSH)) {
                throw process.die();
            }
            Peer peer = peers.get(stream);
            if (peer != null) {
                send(peer, epoch, durableBatch);
            }
        }
        touched.clear();
    }

    private static void send(Peer peer, @Nullable EpochId epoch, long durableBatch) {
        if (peer.agent != null && !peer.toAgent.isEmpty()) {
            List<AgentMessage> messages = List.copyOf(peer.toAgent);
            boolean welcome = messages.stream().anyMatch(AgentMessage.Welcome.class::isInstance);
            ClusterId cluster = welcome ? Run.CLUSTER : null;
            LinkListener.Batch batch = new LinkListener.Batch(epoch, durableBatch, cluster, messages);
            Consumer<LinkListener.Batch> hears = peer.agent;
            peer.end.send(() -> "hears " + messages, () -> hears.accept(batch));
        }
        if (peer.client != null && !peer.toClient.isEmpty()) {
            List<ClientMessage> messages = List.copyOf(peer.toClient);
            Consumer<ClientMessage> hears = peer.client;
            peer.end.send(() -> "hears " + messages, () -> messages.forEach(hears));
        }
        peer.toAgent.clear();
        peer.toClient.clear();
    }

    // What the engine tells.

    private void reached(StepListener.Point point, GlobalTxId tx) {
        if (world.fault(Fault.COORDINATOR_CRASH_AT_POINT)) {
            world.note(() -> process + " is killed at " + point + " of " + tx);
            world.saw("coordinator killed at " + point);
            throw process.die();
        }
    }

    @Override
    public void heard(Notice notice) {
        run.scout.heard(notice);
        if (notice instanceof Notice.HeuristicMixed || notice instanceof Notice.Alarm) {
            world.note(() -> process + " notices " + notice);
        }
        if (notice instanceof Notice.HeuristicMixed mixed) {
            Broken.unless(
                    run.excusesHeuristic(mixed.tx(), mixed.branch()), () -> "a heuristic that nobody made: " + mixed);
        }
    }

    @Override
    public void applied(LogEntry entry) {
        world.note(() -> process + " applies " + entry);
        watch.applied(entry.record());
        if (entry.record() instanceof LogRecord.Epoch epoch) {
            run.ledger.leads(epoch.epoch());
        }
    }

    @Override
    public void logFailed(Throwable cause) {
        world.note(() -> process + " stops: " + cause.getMessage());
    }

    @Override
    public void violated(ProtocolViolation violation) {
        throw new Broken("Invariant " + violation.getMessage(), violation);
    }

    @Override
    public void crashed(Throwable cause) {
        if (!(cause instanceof Crash)) {
            throw cause instanceof Broken broken
                    ? broken
                    : new Broken("the coordinator's engine crashed: " + cause, cause);
        }
    }
}
