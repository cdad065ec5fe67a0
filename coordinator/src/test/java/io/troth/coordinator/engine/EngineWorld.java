package io.troth.coordinator.engine;

import io.troth.core.BranchId;
import io.troth.core.BranchWork;
import io.troth.core.ClusterId;
import io.troth.core.ErrorCode;
import io.troth.core.GlobalTxId;
import io.troth.core.Reason;
import io.troth.core.SessionKey;
import io.troth.core.coordinator.ClientMessage;
import io.troth.core.coordinator.CommitContent;
import io.troth.core.coordinator.CoordinatorLimits;
import io.troth.core.coordinator.CoordinatorStateMachine;
import io.troth.core.coordinator.Event;
import io.troth.core.coordinator.RequestId;
import io.troth.core.coordinator.StreamId;
import java.time.Duration;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.List;
import java.util.SplittableRandom;
import java.util.concurrent.RejectedExecutionException;
import org.jspecify.annotations.Nullable;

/**
 * The engine alone in the world: simulated log, recorded streams, agents that answer, and a clock that only the test
 * moves. Nothing happens by itself, and everything happens in the same order each time. Restart it with the log of the
 * crashed one and the same agents.
 */
public final class EngineWorld {

    public static final ClusterId CLUSTER = new ClusterId(0x1234_5678_9abc_def0L);

    final DecisionLog log;
    final RecordingGateway gateway = new RecordingGateway();
    final RecordingEngineListener heard = new RecordingEngineListener();
    final List<String> points = new ArrayList<>();
    final CoordinatorEngine engine;
    final List<FakeAgent> agents;
    final Deque<Runnable> lookups = new ArrayDeque<>();
    final Recovered recovered;
    /** A simulated log writes what waits whenever nothing else is to do. */
    boolean logWrites = true;
    /** The log is closed: nothing is read from it any more. */
    boolean refusesLookups;
    /** The process dies when this is reached, {@code null} for never. */
    @Nullable
    String diesAt;

    private final SplittableRandom random;
    private long nanos = 1_000;
    private int entries;
    private long correlations;
    private StreamId client;
    private ClientMessage.SessionOpened session;
    private long sequences;

    /** How a world may differ from the usual one. */
    public static final class Options {
        CoordinatorLimits limits = CoordinatorLimits.DEFAULTS;
        List<EngineListener> listeners = List.of();

        @Nullable
        CoordinatorStateMachine machine;

        boolean listensToSteps = true;
        long seed = 42;

        public Options limits(CoordinatorLimits value) {
            limits = value;
            return this;
        }

        public Options listeners(EngineListener... value) {
            listeners = List.of(value);
            return this;
        }

        Options machine(CoordinatorStateMachine value) {
            machine = value;
            return this;
        }

        Options seed(long value) {
            seed = value;
            return this;
        }
    }

    public static EngineWorld fresh() {
        return new EngineWorld(new SimulatedDecisionLog(), twoAgents(), new Options());
    }

    public static List<FakeAgent> twoAgents() {
        return List.of(new FakeAgent(0xa, "accounts"), new FakeAgent(0xb, "stock"));
    }

    public EngineWorld(DecisionLog log, List<FakeAgent> agents, Options options) {
        this.log = log;
        this.agents = agents;
        random = new SplittableRandom(options.seed);
        List<EngineListener> listeners = new ArrayList<>(options.listeners);
        listeners.add(heard);
        EnginePorts ports = new EnginePorts(
                log,
                gateway,
                options.listensToSteps ? this::reached : StepListener.NONE,
                EngineListener.all(listeners),
                () -> nanos,
                random::nextLong,
                this::lookUp);
        engine = options.machine == null
                ? new CoordinatorEngine(0, options.limits, ports)
                : new CoordinatorEngine(options.machine, options.limits, ports);
        recovered = engine.start();
    }

    /** Connects agents and a client, opens a session. */
    EngineWorld open() {
        agents.forEach(this::connect);
        client = engine.newStream();
        settle();
        openSession();
        return this;
    }

    void openSession() {
        submit(new Event.OpenSession(request(), engine.newSessionKey(), "test"));
        settle();
    }

    void connect(FakeAgent agent) {
        agent.stream = engine.newStream();
        submit(new Event.AgentConnected(agent.stream, agent.hello()));
    }

    void submit(Event... events) {
        entries += events.length;
        engine.submit(List.of(events), () -> {});
    }

    RequestId request() {
        return new RequestId(client, ++correlations);
    }

    GlobalTxId begin() {
        return new GlobalTxId(0, session.epoch(), session.session(), ++sequences);
    }

    SessionKey key() {
        return session.key();
    }

    StreamId client() {
        return client;
    }

    /** A branch of T at each of the agents. */
    List<BranchWork> enlist(GlobalTxId tx, FakeAgent... at) {
        List<BranchWork> works = new ArrayList<>();
        for (FakeAgent agent : at) {
            BranchId branch = agent.newBranch();
            submit(new Event.Enlist(agent.stream, tx, key(), branch, agent.resource, 60_000));
            works.add(new BranchWork(branch, agent.resource, 1));
        }
        return works;
    }

    RequestId commit(GlobalTxId tx, List<BranchWork> works, boolean onePhase) {
        RequestId request = request();
        submit(new Event.CommitRequested(request, tx, key(), 1, new CommitContent(works, onePhase), true, 60_000));
        return request;
    }

    RequestId rollback(GlobalTxId tx, List<BranchWork> works) {
        RequestId request = request();
        submit(new Event.RollbackRequested(request, tx, key(), 1, works, Reason.of(ErrorCode.ROLLED_BACK_BY_CLIENT)));
        return request;
    }

    /** Begins T with a branch at both agents and asks for commit. */
    GlobalTxId commitTwo() {
        GlobalTxId tx = begin();
        commit(tx, enlist(tx, agents.get(0), agents.get(1)), true);
        return tx;
    }

    void ask(GlobalTxId tx) {
        submit(new Event.OutcomeInquiry(request(), tx, null));
    }

    /** Goes on until nothing is left to do at this moment. */
    void settle() {
        boolean moved = true;
        while (moved && !engine.isStopped()) {
            moved = false;
            while (engine.runOnce()) {
                moved = true;
            }
            if (engine.isStopped()) {
                return;
            }
            moved |= deliver();
            while (!lookups.isEmpty()) {
                lookups.poll().run();
                moved = true;
            }
            if (logWrites && log instanceof SimulatedDecisionLog simulated) {
                moved |= simulated.write() > 0;
            }
        }
    }

    /** Lets time pass: the timers that are due in it fire. */
    void pass(Duration time) {
        long end = nanos + time.toNanos();
        settle();
        while (!engine.isStopped() && engine.nanosToNextTurn() <= end - nanos) {
            nanos += engine.nanosToNextTurn();
            settle();
        }
        nanos = end;
        settle();
    }

    SimulatedDecisionLog simulated() {
        return (SimulatedDecisionLog) log;
    }

    /** What had left before the crash arrives; nobody is there to hear what is said to it. */
    void deliverLast() {
        deliver();
    }

    /** The machine crashes, and all its streams break; the next process finds what is on the disk. */
    EngineWorld crash(boolean losesUnforced) {
        return new EngineWorld(simulated().crash(losesUnforced), agents, new Options().seed(random.nextLong()));
    }

    /** Entries in both directions so far, those that were swallowed included. */
    int entries() {
        return entries;
    }

    void countFromHere() {
        entries = 0;
    }

    private boolean deliver() {
        boolean moved = false;
        for (RecordingGateway.Sent sent = gateway.next(); sent != null; sent = gateway.next()) {
            entries++;
            moved = true;
            if (sent.toClient() instanceof ClientMessage.SessionOpened opened) {
                session = opened;
                sequences = 0;
            }
            for (FakeAgent agent : agents) {
                if (sent.toAgent() != null && agent.answers && sent.stream().equals(agent.stream)) {
                    agent.heardBatch = Math.max(agent.heardBatch, gateway.flushedBatch());
                    submit(agent.hears(sent.stream(), sent.toAgent()).toArray(Event[]::new));
                }
            }
        }
        return moved;
    }

    private void lookUp(Runnable lookup) {
        if (refusesLookups) {
            throw new RejectedExecutionException("for a test");
        }
        lookups.add(lookup);
    }

    private void reached(StepListener.Point point, GlobalTxId tx) {
        points.add(point + " " + tx.sequence());
        if (point.name().equals(diesAt)) {
            throw new Died();
        }
    }

    /** Thrown at a point where the process dies. */
    private static final class Died extends Error {
        private static final long serialVersionUID = 1L;
    }
}
