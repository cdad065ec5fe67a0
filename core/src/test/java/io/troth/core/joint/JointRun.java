package io.troth.core.joint;

import io.troth.core.EpochId;
import io.troth.core.coordinator.LogEntry;
import io.troth.core.coordinator.StreamId;
import io.troth.core.coordinator.TimerKey;
import io.troth.core.participant.AgentEvent;
import io.troth.core.participant.AgentTimerKey;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.SplittableRandom;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;

/**
 * One run: everything that happens is chosen by the seed. First a phase with faults, in which the properties of safety
 * are checked after every step; then a quiet one, at whose end everything must be over.
 */
final class JointRun {

    private static final int EPOCHS_MAX = 4;
    private static final int QUIET_STEPS_MAX = 20_000;
    private static final long QUIET_MILLIS = 45_000;

    final SplittableRandom random;
    final Ledger ledger;
    final List<Lane> lanes = new ArrayList<>();
    final JointLog log;
    final List<SimulatedAgent> agents = new ArrayList<>();
    /** Calls and replies between clients and services, in any order. */
    final Lane calls = new Lane(false);

    final boolean checksCodec;
    boolean chaos = true;
    long now;

    private final List<SimulatedDatabase> databases = new ArrayList<>();
    private final List<SimulatedClient> clients = new ArrayList<>();
    private final List<SimulatedLeader> leaders = new ArrayList<>();
    private final @Nullable List<String> schedule;
    private long nextStream;
    private long nextInstance;

    private JointRun(long seed, Map<String, Integer> sights, @Nullable List<String> schedule) {
        this.random = new SplittableRandom(seed);
        this.schedule = schedule;
        this.checksCodec = seed % 4 == 0;
        ledger = new Ledger(sights);
        log = new JointLog(ledger);
        lanes.add(calls);
        databases.add(new SimulatedDatabase("accounts", true, ledger));
        databases.add(new SimulatedDatabase("audit", random.nextBoolean(), ledger));
        agents.add(new SimulatedAgent(this, "a", databases.get(0)));
        agents.add(new SimulatedAgent(this, "b", databases.get(1)));
        if (random.nextBoolean()) {
            agents.add(new SimulatedAgent(this, "c", databases.get(0)));
        }
        clients.add(new SimulatedClient(this, 1));
        if (random.nextBoolean()) {
            clients.add(new SimulatedClient(this, 2));
        }
        elect(true);
    }

    /**
     * Runs one seed.
     *
     * @throws AssertionError with the schedule when a property does not hold
     */
    static void run(long seed, Map<String, Integer> sights, boolean traced) {
        List<String> schedule = traced ? new ArrayList<>() : null;
        try {
            new JointRun(seed, sights, schedule).runAll();
        } catch (AssertionError | RuntimeException broken) {
            if (schedule == null) {
                run(seed, sights, true);
            }
            String text = schedule == null ? "(not the same when repeated)" : String.join("\n", schedule);
            throw new AssertionError(
                    broken.getMessage() + "\nrepeat: -Dtest=JointTest -Dtroth.seed=" + seed + "\n" + text, broken);
        }
    }

    private void runAll() {
        int steps = 60 + random.nextInt(400);
        for (int i = 0; i < steps; i++) {
            now += random.nextInt(8);
            if (random.nextInt(25) == 0) {
                fault();
            } else {
                move();
            }
            ledger.check();
        }
        becomeQuiet();
        long end = now + QUIET_MILLIS;
        runUntil(end);
        clients.forEach(SimulatedClient::close);
        runUntil(end + 1_000);
        ledger.checkTermination();
        for (SimulatedClient client : clients) {
            String unfinished = client.unfinished();
            Ledger.require(unfinished == null, () -> "Termination: " + unfinished);
        }
        Ledger.require(leader().machine.view().ready(), () -> "the last leader does not answer");
        Ledger.require(
                leader().isIdle(),
                () -> "Bounded memory: the leader still holds "
                        + leader().machine.view());
        for (SimulatedAgent agent : agents) {
            Ledger.require(
                    agent.machine.unprepared() == 0, () -> "Bounded memory: " + agent.name + " still holds branches");
        }
    }

    private void becomeQuiet() {
        note(() -> "--- failures stop");
        chaos = false;
        for (SimulatedLeader old : leaders.subList(0, leaders.size() - 1)) {
            old.end(false);
        }
        if (!leader().alive) {
            elect(true);
        }
    }

    private void runUntil(long end) {
        for (int i = 0; i < QUIET_STEPS_MAX; i++) {
            if (!move()) {
                long next = nextTimer();
                if (next > end) {
                    now = end;
                    return;
                }
                now = Math.max(now, next);
                fireDue();
            }
            ledger.check();
        }
        throw new AssertionError("Termination: it never becomes quiet");
    }

    /** Something that can happen now happens; false when there is nothing. */
    private boolean move() {
        List<Lane.Task> moves = new ArrayList<>();
        lanes.removeIf(Lane::isOver);
        for (Lane lane : lanes) {
            if (!lane.isEmpty()) {
                moves.add(new Lane.Task(null, () -> carryOut(lane.take(random))));
            }
        }
        if (log.handed() > 0 && leader().alive) {
            moves.add(new Lane.Task(() -> "the log makes an entry durable", this::makeDurable));
        }
        if (chaos && log.mayProposeAgain() && leader().alive) {
            moves.add(new Lane.Task(null, this::proposeAgain));
        }
        for (SimulatedLeader each : leaders) {
            if (each.alive && !each.unapplied.isEmpty()) {
                moves.add(new Lane.Task(null, () -> each.apply(each.unapplied.remove())));
            }
        }
        for (SimulatedAgent agent : agents) {
            if (agent.link == null) {
                moves.add(new Lane.Task(null, () -> agent.connect(anyLeader())));
            }
        }
        clients.forEach(client -> client.addMoves(moves));
        if (moves.isEmpty()) {
            return false;
        }
        carryOut(moves.get(random.nextInt(moves.size())));
        return true;
    }

    private void carryOut(Lane.Task task) {
        Supplier<String> name = task.name();
        if (name != null) {
            note(name);
        }
        task.body().run();
    }

    private void makeDurable() {
        LogEntry entry = log.advance();
        leader().batches = log.batches();
        leader().unapplied.add(entry);
    }

    /** A COMMIT that was lost comes again, from a log client that does not know better. */
    private void proposeAgain() {
        LogEntry again = log.proposeAgain();
        note(() -> "the log proposes again " + again);
        leader().batches = log.batches();
        leader().unapplied.add(again);
    }

    private void fault() {
        // An election is worth most while entries are on their way.
        int kind = log.handed() > 0 && random.nextInt(3) == 0 ? 8 : random.nextInt(19);
        SimulatedAgent agent = agents.get(random.nextInt(agents.size()));
        SimulatedClient client = clients.get(random.nextInt(clients.size()));
        switch (kind) {
            case 0, 1, 2, 3 -> breakLink(agent.link, "of agent " + agent.name);
            case 4, 5 -> breakLink(client.link, "of client " + client.number);
            case 6, 7 -> {
                note(() -> "agent " + agent.name + " is killed");
                agent.crash();
            }
            case 8, 9, 10 -> elect(random.nextInt(3) > 0);
            case 11 -> {
                note(() -> "client " + client.number + " is killed");
                client.crash();
            }
            case 12 -> {
                note(() -> "database " + agent.database.name + " crashes");
                agent.database.crash();
                agents.stream()
                        .filter(each -> each.database == agent.database)
                        .forEach(each -> each.step(new AgentEvent.DatabaseConnectionLost(each.database.name)));
            }
            default -> fireAny();
        }
    }

    private void breakLink(@Nullable Link link, String whose) {
        if (link == null) {
            return;
        }
        if (random.nextBoolean()) {
            note(() -> "the stream " + whose + " breaks at its end");
            link.breakAtPeer();
        } else {
            note(() -> "the stream " + whose + " breaks at the leader");
            link.breakAtLeader();
        }
    }

    private void elect(boolean kill) {
        if (leaders.size() >= EPOCHS_MAX && chaos) {
            return;
        }
        if (!leaders.isEmpty() && kill) {
            note(() -> "leader " + leader().epoch.number() + " is killed");
            leader().end(true);
        }
        long epoch = leaders.size() + 1L;
        int kept = random.nextInt(log.handed() + 1);
        note(() -> "epoch " + epoch + " begins with " + kept + " of " + log.handed() + " entries");
        log.begin(epoch, kept);
        SimulatedLeader next = new SimulatedLeader(this, new EpochId(epoch, random.nextLong()));
        leaders.add(next);
        next.start();
        if (leaders.size() > 1) {
            ledger.saw(kill ? "leader killed" : "leader deposed and unaware");
        }
    }

    private SimulatedLeader leader() {
        return leaders.get(leaders.size() - 1);
    }

    /** Whom a client or an agent finds when it dials: usually the one that leads. */
    SimulatedLeader anyLeader() {
        SimulatedLeader any = leaders.get(random.nextInt(leaders.size()));
        return chaos && any.alive ? any : leader();
    }

    StreamId newStream() {
        return new StreamId(++nextStream);
    }

    long nextInstance() {
        return ++nextInstance;
    }

    private void fireAny() {
        List<Lane.Task> due = new ArrayList<>();
        for (SimulatedLeader each : leaders) {
            for (TimerKey key : each.timers.keySet()) {
                if (!(key instanceof TimerKey.Retention) || each.knows(databases.size())) {
                    due.add(new Lane.Task(() -> "timer " + key, () -> each.fire(key)));
                }
            }
        }
        for (SimulatedAgent each : agents) {
            for (AgentTimerKey key : each.timers.keySet()) {
                due.add(new Lane.Task(() -> "timer " + key, () -> each.fire(key)));
            }
        }
        if (!due.isEmpty()) {
            carryOut(due.get(random.nextInt(due.size())));
        }
    }

    private long nextTimer() {
        long next = Long.MAX_VALUE;
        for (SimulatedLeader each : leaders) {
            for (long at : each.timers.values()) {
                next = Math.min(next, at);
            }
        }
        for (SimulatedAgent each : agents) {
            for (long at : each.timers.values()) {
                next = Math.min(next, at);
            }
        }
        for (SimulatedClient each : clients) {
            next = Math.min(next, each.nextMove());
        }
        return next;
    }

    private void fireDue() {
        for (SimulatedLeader each : leaders) {
            for (TimerKey key : List.copyOf(each.timers.keySet())) {
                if (each.timers.getOrDefault(key, Long.MAX_VALUE) <= now) {
                    each.fire(key);
                }
            }
        }
        for (SimulatedAgent each : agents) {
            for (AgentTimerKey key : List.copyOf(each.timers.keySet())) {
                if (each.timers.getOrDefault(key, Long.MAX_VALUE) <= now) {
                    each.fire(key);
                }
            }
        }
    }

    void note(Supplier<String> line) {
        if (schedule != null) {
            schedule.add(line.get());
        }
    }
}
