package io.troth.core.joint;

import io.troth.core.BranchId;
import io.troth.core.BranchWork;
import io.troth.core.ClusterId;
import io.troth.core.EpochId;
import io.troth.core.ErrorCode;
import io.troth.core.Proof;
import io.troth.core.Reason;
import io.troth.core.Vote;
import io.troth.core.coordinator.AgentHello;
import io.troth.core.coordinator.AgentMessage;
import io.troth.core.coordinator.Event;
import io.troth.core.coordinator.StreamId;
import io.troth.core.joint.SimulatedDatabase.State;
import io.troth.core.participant.AgentAction;
import io.troth.core.participant.AgentEvent;
import io.troth.core.participant.AgentLimits;
import io.troth.core.participant.AgentNotice;
import io.troth.core.participant.AgentStateMachine;
import io.troth.core.participant.AgentTimerKey;
import io.troth.core.participant.CoordinatorMessage;
import io.troth.core.participant.OnePhaseCompletion;
import io.troth.core.participant.PhaseTwoCompletion;
import io.troth.core.participant.PrepareResult;
import io.troth.core.participant.PreparedXid;
import io.troth.core.participant.ScanCompletion;
import io.troth.core.participant.StatementEnd;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Deque;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import org.jspecify.annotations.Nullable;

/** One agent process and the service it lives in: the agent's machine, and a database that answers when it likes. */
final class SimulatedAgent {

    static final ClusterId CLUSTER = new ClusterId(7);
    private static final AgentLimits LIMITS = AgentLimits.DEFAULTS;

    /** A call that is being served. */
    private record Served(SimulatedClient.Call call, BranchId branch, long scope) {}

    final String name;
    final SimulatedDatabase database;
    long instance;
    AgentStateMachine machine;

    @Nullable
    Link link;

    final Map<AgentTimerKey, Long> timers = new LinkedHashMap<>();
    private final JointRun run;
    private final Lane work = new Lane(false);
    private final Map<Long, SimulatedClient.Call> tickets = new TreeMap<>();
    /** Served calls that have not been answered; the first of a branch is the one whose statement runs. */
    private final Map<BranchId, Deque<Served>> serving = new TreeMap<>();

    private long nextTicket;

    SimulatedAgent(JointRun run, String name, SimulatedDatabase database) {
        this.run = run;
        this.name = name;
        this.database = database;
        run.lanes.add(work);
        instance = run.nextInstance();
        machine = new AgentStateMachine(instance, List.of(database.name), LIMITS);
    }

    void connect(SimulatedLeader leader) {
        StreamId id = run.newStream();
        Link fresh =
                new Link(run, id, leader, () -> lostStream(id), () -> leader.step(new Event.AgentDisconnected(id)));
        link = fresh;
        leader.links.put(id, fresh);
        leader.agents.put(id, this);
        AgentHello hello = new AgentHello(
                instance,
                machine.highestEpoch(),
                machine.highestBatch(),
                List.of(new AgentHello.AgentResource(database.name, "simulated", "db-" + database.name, "r", null)));
        fresh.toLeader(
                () -> name + " says hello to leader " + leader.epoch.number(),
                () -> leader.step(new Event.AgentConnected(id, hello)));
    }

    private void lostStream(StreamId id) {
        if (link != null && link.id.equals(id)) {
            link = null;
            step(new AgentEvent.StreamBroken(Reason.of(ErrorCode.STREAM_BROKEN)));
        }
    }

    void hear(EpochId epoch, long batch, AgentMessage message) {
        step(new AgentEvent.ClusterHeard(CLUSTER));
        step(new AgentEvent.Heard(epoch, batch));
        step(new AgentEvent.Ordered(epoch, message));
    }

    void call(SimulatedClient.Call call) {
        long ticket = ++nextTicket;
        tickets.put(ticket, call);
        step(new AgentEvent.CallJoins(
                ticket,
                CLUSTER,
                call.tx(),
                call.key(),
                call.number(),
                ticket,
                database.name,
                SimulatedLeader.REMAINING_MILLIS));
    }

    void step(AgentEvent event) {
        run.note(() -> "  " + name + " <- " + event);
        List<AgentAction> actions = machine.step(event);
        if (run.checksCodec) {
            byte[] bytes = machine.encode();
            machine = AgentStateMachine.decode(bytes, LIMITS);
            Ledger.require(Arrays.equals(bytes, machine.encode()), () -> "decode(encode(agent)) is another agent");
        }
        for (AgentAction action : new ArrayList<>(actions)) {
            carryOut(action);
        }
    }

    void fire(AgentTimerKey key) {
        timers.remove(key);
        step(new AgentEvent.TimerFired(key));
    }

    /** The process is killed and started again: another instance, which knows nothing. */
    void crash() {
        for (Lane.Task task : work.drain()) {
            // What was sent to the database may happen there; who would hear of it is gone.
            if (run.random.nextBoolean()) {
                dead = true;
                task.body().run();
                dead = false;
            }
        }
        database.works.values().stream()
                .filter(branch -> branch.branch.instance() == instance)
                .forEach(branch -> database.rollBackUnprepared(branch.branch));
        serving.values().forEach(all -> all.forEach(served -> served.call().fails()));
        tickets.values().forEach(SimulatedClient.Call::fails);
        serving.clear();
        tickets.clear();
        timers.clear();
        Link old = link;
        link = null;
        if (old != null) {
            old.breakAtPeer();
        }
        instance = run.nextInstance();
        machine = new AgentStateMachine(instance, List.of(database.name), LIMITS);
        run.ledger.saw("agent killed");
    }

    private boolean dead;

    private void answer(AgentEvent event) {
        if (!dead) {
            step(event);
        }
    }

    private void carryOut(AgentAction action) {
        if (!(action instanceof AgentAction.Notify)) {
            run.note(() -> "    " + action);
        }
        if (action instanceof AgentAction.CallAdmitted admitted) {
            SimulatedClient.Call call = tickets.remove(admitted.ticket());
            if (call != null) {
                Deque<Served> all = serving.computeIfAbsent(admitted.branch(), key -> new ArrayDeque<>());
                all.add(new Served(call, admitted.branch(), admitted.ticket()));
                if (all.size() == 1) {
                    work.add(() -> name + " begins a statement", () -> begin(all.getFirst()));
                }
            }
        } else if (action instanceof AgentAction.CallRefused refused) {
            SimulatedClient.Call call = tickets.remove(refused.ticket());
            run.ledger.saw("call refused " + refused.reason().code());
            if (call != null) {
                call.fails();
            }
        } else if (action instanceof AgentAction.StatementRefused) {
            refused = true;
        } else if (action instanceof AgentAction.Send send && link != null) {
            send(link, send.message());
        } else if (action instanceof AgentAction.CloseStream && link != null) {
            link.breakAtPeer();
        } else if (action instanceof AgentAction.StartTimer timer) {
            timers.put(timer.key(), run.now + timer.delayMillis());
        } else if (action instanceof AgentAction.CancelTimer timer) {
            timers.remove(timer.key());
        } else if (action instanceof AgentAction.Notify notify) {
            if (notify.notice() instanceof AgentNotice.Alarm alarm) {
                run.ledger.saw("agent's alarm " + alarm.reason().code());
            }
        } else {
            database(action);
        }
    }

    private boolean refused;

    /** The statement runs for a while: nobody else's of this branch runs at the same time. */
    private void begin(Served served) {
        refused = false;
        answer(new AgentEvent.StatementBegins(served.branch(), served.scope()));
        boolean admitted = !refused;
        work.add(() -> name + " ends a statement", () -> end(served, admitted));
    }

    private void end(Served served, boolean admitted) {
        boolean done = false;
        if (admitted) {
            SimulatedClient.Call call = served.call();
            boolean alive = !(run.chaos && run.random.nextInt(40) == 0)
                    && machine.isActive(served.branch())
                    && database.execute(call.tx(), served.branch(), call.number(), call.writes());
            done = alive;
            if (!alive) {
                database.rollBackUnprepared(served.branch());
            }
            answer(new AgentEvent.StatementEnded(
                    served.branch(),
                    alive ? StatementEnd.completed() : StatementEnd.connectionLost(SimulatedDatabase.lost())));
        }
        if (dead) {
            return;
        }
        step(new AgentEvent.ScopeClosed(served.call().tx(), served.scope()));
        served.call().returns(done ? new BranchWork(served.branch(), database.name, 1) : null);
        Deque<Served> all = serving.get(served.branch());
        if (all != null) {
            all.remove();
            if (all.isEmpty()) {
                serving.remove(served.branch());
            } else {
                work.add(() -> name + " begins a statement", () -> begin(all.getFirst()));
            }
        }
    }

    private boolean breaks() {
        return run.chaos && run.random.nextInt(8) == 0;
    }

    private void database(AgentAction action) {
        if (action instanceof AgentAction.Prepare prepare) {
            work.add(() -> name + " prepares " + prepare.branch(), () -> prepare(prepare.branch()));
        } else if (action instanceof AgentAction.CommitOnePhase commit) {
            work.add(() -> name + " commits " + commit.branch() + " in one phase", () -> onePhase(commit.branch()));
        } else if (action instanceof AgentAction.Rollback rollback) {
            work.add(() -> name + " rolls back " + rollback.branch(), () -> {
                database.rollBackUnprepared(rollback.branch());
                answer(new AgentEvent.RollbackCompleted(rollback.branch()));
            });
        } else if (action instanceof AgentAction.CommitPrepared commit) {
            work.add(
                    () -> name + " commits the prepared " + commit.branch(),
                    () -> phaseTwo(
                            commit.branch(),
                            () -> database.commitPrepared(commit.branch(), commit.proof(), commit.firstAttempt())));
        } else if (action instanceof AgentAction.RollbackPrepared rollback) {
            work.add(
                    () -> name + " rolls back the prepared " + rollback.branch(),
                    () -> phaseTwo(rollback.branch(), () -> database.rollBackPrepared(rollback.branch())));
        } else if (action instanceof AgentAction.ListPrepared) {
            work.add(() -> name + " lists what is prepared", () -> {
                List<PreparedXid> listed = database.prepared();
                ScanCompletion completion =
                        breaks() ? ScanCompletion.failed(SimulatedDatabase.lost()) : ScanCompletion.listed(listed, 0);
                work.add(
                        () -> name + " has listed " + listed.size(),
                        () -> answer(new AgentEvent.ScanCompleted(database.name, completion)));
            });
        } else if (action instanceof AgentAction.AskDatabase ask) {
            work.add(() -> name + " asks for the fate of " + ask.branch(), () -> {
                run.ledger.saw("fate asked");
                answer(new AgentEvent.FateKnown(ask.tx(), ask.branch(), database.fate(ask.branch())));
            });
        }
    }

    private void prepare(BranchId branch) {
        int fault = breaks() ? run.random.nextInt(4) : -1;
        if (fault == 0) {
            database.rollBackUnprepared(branch);
            answer(new AgentEvent.PrepareCompleted(
                    branch, PrepareResult.refused(Reason.of(ErrorCode.PREPARE_REFUSED))));
        } else if (fault == 1) {
            database.rollBackUnprepared(branch);
            answer(new AgentEvent.PrepareCompleted(branch, PrepareResult.lost(SimulatedDatabase.lost())));
        } else if (fault == 2) {
            // The server goes on for a while after the connection is gone.
            work.add(() -> name + "'s database prepares " + branch + " unseen", () -> {
                database.prepare(branch);
                run.ledger.saw("prepare completed after its connection died");
                answer(new AgentEvent.DatabaseConnectionLost(database.name));
            });
            answer(new AgentEvent.PrepareCompleted(branch, PrepareResult.lost(SimulatedDatabase.lost())));
        } else {
            PrepareResult result = database.prepare(branch);
            boolean lost = result == null || fault == 3;
            answer(new AgentEvent.PrepareCompleted(
                    branch,
                    lost ? PrepareResult.lost(SimulatedDatabase.lost()) : java.util.Objects.requireNonNull(result)));
        }
    }

    private void onePhase(BranchId branch) {
        Proof proof = database.proof(branch);
        if (proof != null) {
            answer(new AgentEvent.OnePhaseProofKnown(branch, proof));
        }
        work.add(() -> name + "'s commit of " + branch + " is answered", () -> {
            boolean breaks = breaks();
            if (breaks && run.random.nextBoolean()) {
                database.rollBackUnprepared(branch);
            }
            State state = database.commitOnePhase(branch);
            run.ledger.saw("one-phase " + state + (breaks ? ", answer lost" : ""));
            if (breaks) {
                answer(new AgentEvent.OnePhaseCompleted(branch, OnePhaseCompletion.lost(SimulatedDatabase.lost())));
            } else if (state == null) {
                answer(new AgentEvent.OnePhaseCompleted(
                        branch, OnePhaseCompletion.rolledBack(Reason.of(ErrorCode.COMMIT_REFUSED))));
            } else {
                answer(new AgentEvent.OnePhaseCompleted(
                        branch,
                        state == State.COMMITTED ? OnePhaseCompletion.committed() : OnePhaseCompletion.readOnly()));
            }
        });
    }

    private void phaseTwo(BranchId branch, java.util.function.Supplier<PhaseTwoCompletion> attempt) {
        boolean before = breaks();
        PhaseTwoCompletion completion = before ? PhaseTwoCompletion.notYet(SimulatedDatabase.lost()) : attempt.get();
        boolean after = breaks();
        answer(new AgentEvent.PhaseTwoCompleted(
                branch, after ? PhaseTwoCompletion.notYet(SimulatedDatabase.lost()) : completion));
    }

    private void send(Link open, CoordinatorMessage message) {
        if (message instanceof CoordinatorMessage.BranchVote vote) {
            run.ledger.saw("vote " + vote.vote());
            if (vote.vote() == Vote.YES) {
                run.ledger.votedYes(vote.tx(), vote.branch());
            }
        }
        Event event = message.accept(new Wire(open.id));
        open.toLeader(() -> name + " says " + message, () -> open.leader.step(event));
        if (run.chaos && run.random.nextInt(20) == 0) {
            open.toLeader(() -> name + " says again " + message, () -> open.leader.step(event));
        }
    }
}
