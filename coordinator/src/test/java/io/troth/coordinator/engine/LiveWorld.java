package io.troth.coordinator.engine;

import io.troth.core.BranchId;
import io.troth.core.BranchWork;
import io.troth.core.EpochId;
import io.troth.core.GlobalTxId;
import io.troth.core.Outcome;
import io.troth.core.Reason;
import io.troth.core.coordinator.AgentMessage;
import io.troth.core.coordinator.ClientMessage;
import io.troth.core.coordinator.CommitContent;
import io.troth.core.coordinator.CoordinatorLimits;
import io.troth.core.coordinator.Event;
import io.troth.core.coordinator.RequestId;
import io.troth.core.coordinator.StreamId;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.ThreadLocalRandom;
import java.util.concurrent.atomic.AtomicInteger;
import org.jspecify.annotations.Nullable;

/**
 * The engine with a real log and real threads; agents and a client live at the other end of its gateway and answer at
 * once, on the engine thread. The client keeps a number of commits in flight until it has had enough.
 */
public final class LiveWorld implements StreamGateway {

    public final CoordinatorEngine engine;
    /** What the client heard. */
    public final Map<GlobalTxId, Outcome> answers = new ConcurrentHashMap<>();

    public final AtomicInteger failures = new AtomicInteger();
    public final AtomicInteger framesSent = new AtomicInteger();
    public final AtomicInteger entriesSent = new AtomicInteger();

    private final List<FakeAgent> agents;
    private final Map<StreamId, List<Object>> buffered = new LinkedHashMap<>();
    private final StreamId client;
    private ClientMessage.@Nullable SessionOpened session;
    private int toBegin;
    private int toFly;
    private volatile boolean deaf;
    private volatile boolean shortDeadlines;

    /** Not started. {@code lookups} runs the reads of the log. */
    public LiveWorld(DecisionLog log, List<FakeAgent> agents, StepListener steps, ExecutorService lookups) {
        this.agents = agents;
        EngineListener listener = new RecordingEngineListener() {
            @Override
            public void logFailed(Throwable cause) {
                failures.incrementAndGet();
            }
        };
        engine = new CoordinatorEngine(
                0,
                CoordinatorLimits.DEFAULTS,
                new EnginePorts(
                        log,
                        this,
                        steps,
                        listener,
                        System::nanoTime,
                        () -> ThreadLocalRandom.current().nextLong(),
                        lookups));
        client = engine.newStream();
    }

    /** Connects the agents and a client that runs this many commits over two branches, so many at a time. */
    public void run(int transactions, int inFlight) {
        toBegin = transactions;
        toFly = Math.min(inFlight, transactions);
        for (FakeAgent agent : agents) {
            agent.stream = engine.newStream();
            send(new Event.AgentConnected(agent.stream, agent.hello()));
        }
        send(new Event.OpenSession(new RequestId(client, 0), engine.newSessionKey(), "live"));
    }

    /** The client asks. */
    public void ask(GlobalTxId tx) {
        send(new Event.OutcomeInquiry(new RequestId(client, Long.MAX_VALUE), tx, null));
    }

    /** The agents never vote, and transactions may run for 50 ms only, the next one for 100, and so on. */
    public void shortDeadlines() {
        agents.forEach(agent -> agent.answers = false);
        shortDeadlines = true;
    }

    /** The processes at the other end are gone. */
    public void goDeaf() {
        deaf = true;
    }

    private void send(Event event) {
        engine.submit(List.of(event), () -> {});
    }

    @Override
    public void sendToAgent(StreamId stream, AgentMessage message) {
        buffered.computeIfAbsent(stream, key -> new ArrayList<>()).add(message);
    }

    @Override
    public void sendToClient(StreamId stream, ClientMessage message) {
        buffered.computeIfAbsent(stream, key -> new ArrayList<>()).add(message);
    }

    @Override
    public void close(StreamId stream, Reason reason) {}

    @Override
    public void flush(@Nullable EpochId epoch, long durableBatch) {
        Map<StreamId, List<Object>> leaving = new LinkedHashMap<>(buffered);
        buffered.clear();
        if (deaf) {
            return;
        }
        leaving.forEach((stream, messages) -> {
            framesSent.incrementAndGet();
            entriesSent.addAndGet(messages.size());
            List<Event> said = new ArrayList<>();
            messages.forEach(message -> said.addAll(hear(stream, message)));
            if (!said.isEmpty()) {
                engine.submit(said, () -> {});
            }
        });
    }

    private List<Event> hear(StreamId stream, Object message) {
        for (FakeAgent agent : agents) {
            if (stream.equals(agent.stream) && message instanceof AgentMessage toAgent) {
                return agent.answers ? agent.hears(stream, toAgent) : List.of();
            }
        }
        if (message instanceof ClientMessage.SessionOpened opened) {
            session = opened;
            List<Event> first = new ArrayList<>();
            for (int i = 0; i < toFly; i++) {
                first.addAll(next(opened));
            }
            return first;
        }
        if (message instanceof ClientMessage.Answer answer) {
            answers.put(answer.tx(), answer.outcome());
            ClientMessage.SessionOpened opened = session;
            return opened == null || toBegin == 0 ? List.of() : next(opened);
        }
        return List.of();
    }

    private List<Event> next(ClientMessage.SessionOpened opened) {
        long sequence = toBegin--;
        long deadlineMillis = shortDeadlines ? 50 * sequence : 60_000;
        GlobalTxId tx = new GlobalTxId(0, opened.epoch(), opened.session(), sequence);
        List<Event> events = new ArrayList<>();
        List<BranchWork> works = new ArrayList<>();
        for (FakeAgent agent : agents) {
            BranchId branch = agent.newBranch();
            works.add(new BranchWork(branch, agent.resource, 1));
            events.add(new Event.Enlist(agent.stream, tx, opened.key(), branch, agent.resource, deadlineMillis));
        }
        CommitContent content = new CommitContent(works, true);
        events.add(new Event.CommitRequested(
                new RequestId(client, sequence), tx, opened.key(), 1, content, true, deadlineMillis));
        return events;
    }
}
