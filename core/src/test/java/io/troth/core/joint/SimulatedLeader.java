package io.troth.core.joint;

import io.troth.core.EpochId;
import io.troth.core.ErrorCode;
import io.troth.core.Reason;
import io.troth.core.coordinator.Action;
import io.troth.core.coordinator.AgentMessage;
import io.troth.core.coordinator.ClientMessage;
import io.troth.core.coordinator.CoordinatorLimits;
import io.troth.core.coordinator.CoordinatorStateMachine;
import io.troth.core.coordinator.Event;
import io.troth.core.coordinator.LogEntry;
import io.troth.core.coordinator.Notice;
import io.troth.core.coordinator.StreamId;
import io.troth.core.coordinator.TimerKey;
import io.troth.core.coordinator.TransactionState;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Deque;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import java.util.TreeSet;

/** One leadership: a process with the coordinator's machine. A deposed one may live on for a while and not know. */
final class SimulatedLeader {

    /** The time that every T has. */
    static final long REMAINING_MILLIS = 10_000;

    /** Small numbers, so that the bounds are reached. */
    static final CoordinatorLimits LIMITS = new CoordinatorLimits(
            8, 6, 8, 4, 40, 50, REMAINING_MILLIS, 1_000L, 1_000L, 10_000L, 1_000L, 5_000L, 3_600_000L, 5_000L);

    final EpochId epoch;
    boolean alive = true;
    /** How many durable batches it knows of. */
    long batches;

    /** Durable, and not yet applied here. */
    final Deque<LogEntry> unapplied = new ArrayDeque<>();

    final Map<TimerKey, Long> timers = new LinkedHashMap<>();
    final Map<StreamId, SimulatedAgent> agents = new TreeMap<>();
    final Map<StreamId, SimulatedClient> clients = new TreeMap<>();
    final Map<StreamId, Link> links = new TreeMap<>();
    CoordinatorStateMachine machine = new CoordinatorStateMachine(0, LIMITS);

    private final Set<String> heardOf = new TreeSet<>();
    private final Lane fetches = new Lane(false);
    private final JointRun run;

    SimulatedLeader(JointRun run, EpochId epoch) {
        this.run = run;
        this.epoch = epoch;
        run.lanes.add(fetches);
    }

    void start() {
        for (LogEntry entry : run.log.recovered()) {
            apply(entry);
        }
        batches = run.log.batches();
        step(new Event.LeadershipStarted(epoch, batches));
    }

    void apply(LogEntry entry) {
        if (alive) {
            run.note(() -> "  leader " + epoch.number() + " applies " + entry);
            carryOut(machine.apply(entry));
        }
    }

    void step(Event event) {
        if (alive) {
            run.note(() -> "  leader " + epoch.number() + " <- " + event);
            if (event instanceof Event.AgentConnected connected) {
                connected.hello().resources().forEach(resource -> heardOf.add(resource.name()));
            }
            carryOut(machine.step(event));
        }
    }

    /** The process dies, or hears that it does not lead any more. */
    void end(boolean kill) {
        if (alive && !kill) {
            step(new Event.LeadershipLost(Reason.of(ErrorCode.NOT_LEADER)));
        }
        alive = false;
        fetches.clear();
        fetches.close();
        timers.clear();
        unapplied.clear();
        for (Link link : List.copyOf(links.values())) {
            link.breakAtLeader();
        }
    }

    void fire(TimerKey key) {
        timers.remove(key);
        step(new Event.TimerFired(key));
    }

    private void carryOut(List<Action> actions) {
        if (run.checksCodec) {
            byte[] bytes = machine.encode();
            machine = CoordinatorStateMachine.decode(bytes, LIMITS);
            Ledger.require(Arrays.equals(bytes, machine.encode()), () -> "decode(encode(leader)) is another leader");
        }
        for (Action action : new ArrayList<>(actions)) {
            carryOut(action);
        }
    }

    private void carryOut(Action action) {
        if (!(action instanceof Action.Notify)) {
            run.note(() -> "    " + action);
        }
        if (action instanceof Action.Append append) {
            run.log.append(epoch.number(), append.record());
        } else if (action instanceof Action.FetchCommit fetch) {
            fetches.add(
                    () -> "leader " + epoch.number() + " looks up " + fetch.tx(),
                    () -> step(new Event.CommitFetched(fetch.tx(), run.log.find(fetch.tx()))));
        } else if (action instanceof Action.Purge purge) {
            run.log.purge(purge.horizon());
        } else if (action instanceof Action.StartTimer timer) {
            timers.put(timer.key(), run.now + timer.delayMillis());
        } else if (action instanceof Action.CancelTimer timer) {
            timers.remove(timer.key());
        } else if (action instanceof Action.SendToAgent send) {
            send(send.stream(), send.message());
        } else if (action instanceof Action.SendToClient send) {
            send(send.stream(), send.message());
        } else if (action instanceof Action.CloseStream close) {
            Link link = links.get(close.stream());
            if (link != null) {
                link.breakAtLeader();
            }
        } else if (action instanceof Action.Notify notify) {
            notice(notify.notice());
        }
    }

    private void notice(Notice notice) {
        if (notice instanceof Notice.StateChanged changed && changed.to() == TransactionState.ONE_PHASE) {
            run.ledger.saw("one phase");
        } else if (notice instanceof Notice.Fenced) {
            run.ledger.saw("fenced COMMIT");
        } else if (notice instanceof Notice.Ended ended && ended.reason() != null) {
            run.ledger.saw("ended because of " + ended.reason().code());
        } else if (notice instanceof Notice.Ready ready && ready.inDoubt() > 0) {
            run.ledger.saw("COMMIT found by a new leader");
        } else if (notice instanceof Notice.Alarm alarm) {
            run.ledger.saw("alarm " + alarm.reason().code());
        } else if (notice instanceof Notice.HeuristicMixed mixed) {
            throw new AssertionError("a heuristic nobody made: " + mixed);
        }
    }

    private void send(StreamId stream, AgentMessage message) {
        Link link = links.get(stream);
        SimulatedAgent agent = agents.get(stream);
        if (link == null || agent == null) {
            return;
        }
        if (message instanceof AgentMessage.RollbackBranch rollback) {
            run.ledger.saidRollback(rollback.tx(), rollback.branch());
        } else if (message instanceof AgentMessage.CommitBranch commit) {
            run.ledger.saw(commit.branch().instance() == agent.instance ? "phase 2" : "phase 2 by another instance");
        }
        long batch = batches;
        link.toPeer(() -> agent.name + " hears " + message, () -> agent.hear(epoch, batch, message));
        if (run.chaos && run.random.nextInt(20) == 0) {
            link.toPeer(() -> agent.name + " hears again " + message, () -> agent.hear(epoch, batch, message));
        }
    }

    private void send(StreamId stream, ClientMessage message) {
        Link link = links.get(stream);
        SimulatedClient client = clients.get(stream);
        if (link == null || client == null) {
            return;
        }
        if (message instanceof ClientMessage.Answer answer) {
            run.ledger.answered(answer.tx(), answer.outcome());
        }
        link.toPeer(() -> "client " + client.number + " hears " + message, () -> client.hear(message));
    }

    /**
     * True when every resource has said hello. The retention is far longer than a restart takes: a leader does not wait
     * for the scan of a resource that it has never heard of (protocol 9.4).
     */
    boolean knows(int resources) {
        return heardOf.size() == resources;
    }

    /** True when nothing is left of any transaction. */
    boolean isIdle() {
        return machine.view().open().values().stream().allMatch(count -> count == 0)
                && machine.view().unended() == 0
                && run.log.handed() == 0;
    }
}
