package io.troth.chaos.sim;

import io.troth.chaos.sim.resource.BranchWatcher.State;
import io.troth.chaos.sim.resource.DatabaseServer;
import io.troth.chaos.sim.world.Connection;
import io.troth.chaos.sim.world.Fault;
import io.troth.chaos.sim.world.SimProcess;
import io.troth.chaos.sim.world.World;
import io.troth.core.BranchId;
import io.troth.core.Decision;
import io.troth.core.GlobalTxId;
import io.troth.core.Outcome;
import io.troth.core.coordinator.ClientMessage;
import io.troth.core.coordinator.CoordinatorStateMachine;
import io.troth.core.coordinator.Event;
import io.troth.core.coordinator.InDoubtView;
import io.troth.core.coordinator.RequestId;
import io.troth.core.coordinator.TransactionView;
import java.util.ArrayList;
import java.util.EnumSet;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.SplittableRandom;
import java.util.TreeSet;
import java.util.function.Consumer;
import java.util.function.Function;
import java.util.function.LongSupplier;
import org.jspecify.annotations.Nullable;

/**
 * An operator, in some runs only. Some things {@code docs/OPERATIONS.md} asks of one: who restores a database puts it on
 * hold first, who restores the log writes DISTRUST, and what nobody may resolve is decided from what the other branches
 * did. Others are mistakes, which the checkers excuse branch by branch. Has chance of its own. One thread.
 */
final class Operator {

    private static final long MILLI = 1_000_000;
    private static final long PATIENCE_NANOS = 10_000 * MILLI;

    /** A branch that is left alone. */
    private record InDoubt(GlobalTxId tx, BranchId branch) {}

    private final Run run;
    private final World world;
    private final SimProcess process;
    private final SplittableRandom random;
    private final List<Fault> kinds = new ArrayList<>();
    /** What is on hold, though a leader that starts afterwards does not know. */
    private final Set<String> held = new TreeSet<>();
    /** What nobody could resolve when last looked at. */
    private Set<InDoubt> before = Set.of();

    Operator(Run run) {
        this.run = run;
        this.world = run.world;
        this.process = world.process("operator");
        this.random = new SplittableRandom(~world.plan().seed());
        Set<Fault> own = EnumSet.copyOf(Fault.OPERATORS);
        own.retainAll(world.plan().chosen());
        kinds.addAll(own);
    }

    void start() {
        if (!kinds.isEmpty()) {
            process.start(() -> {});
            later();
            lookLater();
        }
    }

    private void later() {
        world.after(random.nextLong(4_000 * MILLI), () -> "", () -> {
            if (world.isFaulty()) {
                Fault kind = kinds.get(random.nextInt(kinds.size()));
                if (world.happens(kind)) {
                    does(kind);
                }
                later();
            }
        });
    }

    private void does(Fault kind) {
        DatabaseServer database = run.databases.get(random.nextInt(run.databases.size()));
        switch (kind) {
            case RESOURCE_HELD -> {
                hold(database.name(), true);
                after(3_000, () -> hold(database.name(), false));
            }
            case RESOURCE_EXCLUDED -> {
                exclude(database.name(), true);
                after(3_000, () -> exclude(database.name(), false));
            }
            case RESTORED_ON_HOLD -> restoreOnHold(database);
            case LOG_RESTORED -> restoreLog();
            case DECISION_FORCED -> look(this::forceAnything);
            case COMMIT_CLOSED -> look(this::closeAnything);
            default -> throw new IllegalStateException(kind + " is not an operator's doing");
        }
    }

    /** Does something within so many milliseconds, unless everything has to be well by then. */
    private void after(long millisMax, Runnable body) {
        world.after(random.nextLong(millisMax * MILLI), () -> "", () -> {
            if (world.isFaulty()) {
                body.run();
            }
        });
    }

    private void hold(String resource, boolean holds) {
        world.note(() -> "the operator " + (holds ? "holds " : "releases ") + resource);
        if (holds) {
            held.add(resource);
        } else {
            held.remove(resource);
        }
        run.leader().operator(new Event.ResourceHeld(resource, holds));
    }

    private void exclude(String resource, boolean excludes) {
        world.note(() -> "the operator " + (excludes ? "excludes " : "includes ") + resource);
        if (excludes) {
            run.ledger.excluded(resource);
        }
        run.leader().operator(new Event.ResourceExcluded(resource, excludes));
    }

    private void restoreOnHold(DatabaseServer database) {
        Runnable backup = database.backup();
        after(3_000, () -> {
            hold(database.name(), true);
            after(500, () -> {
                world.note(() -> "the operator restores " + database.name());
                backup.run();
                // Its agents list what is prepared in it now; what is known of that is decided, the rest released.
                after(5_000, () -> {
                    look(machine -> settle(machine, view -> view.resource().equals(database.name())));
                    after(2_000, () -> hold(database.name(), false));
                });
            });
        });
    }

    private void restoreLog() {
        LongSupplier backup = run.store.backup();
        after(4_000, () -> run.restoreLog(backup));
    }

    /** An agent has seen more of the log than is left of it: what is left is restored once more, with a higher DISTRUST. */
    private void restoreDistrusted() {
        world.saw("distrusted log restored");
        run.restoreLog(run.store.backup());
    }

    /** Everything is released. What is in doubt by then is looked at as before. */
    void stop() {
        for (DatabaseServer database : kinds.isEmpty() ? List.<DatabaseServer>of() : run.databases) {
            hold(database.name(), false);
            exclude(database.name(), false);
        }
    }

    // What is in doubt.

    private void lookLater() {
        world.after(random.nextLong(1_000 * MILLI, 5_000 * MILLI), () -> "", () -> {
            // A leader that has started since knows nothing of a hold.
            held.forEach(resource -> run.leader().operator(new Event.ResourceHeld(resource, true)));
            if (!world.isFaulty()) {
                restartAgents();
            }
            look(machine -> {
                if (machine.view().distrusted()) {
                    world.after(world.shortDelay(), () -> "", this::restoreDistrusted);
                    return;
                }
                Set<InDoubt> now = new HashSet<>();
                Set<String> suspects = new TreeSet<>(machine.view().held());
                suspects.removeAll(held);
                for (InDoubtView view : machine.inDoubt(Integer.MAX_VALUE)) {
                    if (view.outcome() == Outcome.UNKNOWN && !held.contains(view.resource())) {
                        now.add(new InDoubt(view.tx(), view.branch()));
                        suspects.remove(view.resource());
                    }
                }
                // The leader has put them on hold by itself, for an xid that it can not know; that one is decided now.
                suspects.forEach(resource -> hold(resource, false));
                Set<InDoubt> waited = before;
                before = now;
                settle(machine, view -> waited.contains(new InDoubt(view.tx(), view.branch())));
            });
            lookLater();
        });
    }

    /**
     * An agent waits for ever for the outcome of a branch that a restore has taken out of its database, when the log has
     * lost it too: there is nothing to decide, and nothing to do but to restart it.
     */
    private void restartAgents() {
        for (SimulatedAgent agent : run.agents) {
            if (run.ledger.anyBranch(
                    (tx, branch, state) -> state != State.PREPARED && run.isDistrusted(tx) && agent.waitsFor(branch))) {
                world.note(() -> "the operator restarts " + agent.process());
                world.saw("agent restarted by its operator");
                agent.process().crash();
            }
        }
    }

    /** Looks at the leader between two of its steps, if it answers. */
    private void look(Consumer<CoordinatorStateMachine> eyes) {
        run.leader().look(eyes);
    }

    /** Decides what nobody else does, as its transaction's other branches are. */
    private void settle(CoordinatorStateMachine machine, java.util.function.Predicate<InDoubtView> concerns) {
        for (InDoubtView view : machine.inDoubt(Integer.MAX_VALUE)) {
            boolean leftAlone = view.outcome() == Outcome.UNKNOWN || view.held();
            Decision decision = leftAlone && concerns.test(view) ? decision(view) : null;
            if (decision != null) {
                world.saw("settled by hand " + decision);
                force(view.tx(), view.branch(), decision, "as its other branches");
            }
        }
    }

    /** What the other branches say, then the application; null when it is not known yet. */
    private @Nullable Decision decision(InDoubtView view) {
        GlobalTxId tx = view.tx();
        if (!run.ledger.mayBeListed(tx, view.branch())) {
            return Decision.ROLLBACK;
        }
        Map<BranchId, State> branches = run.ledger.branches(tx);
        boolean saysCommit = branches.containsValue(State.COMMITTED) || run.ledger.wasTold(tx, Outcome.COMMITTED);
        if (saysCommit) {
            return Decision.COMMIT;
        }
        boolean saysRollback = branches.containsValue(State.ROLLED_BACK)
                || run.ledger.wasTold(tx, Outcome.ROLLED_BACK)
                || view.outcome() == Outcome.UNKNOWN;
        return saysRollback ? Decision.ROLLBACK : null;
    }

    /** Takes one of the lists, not looking at what it says. */
    private void forceAnything(CoordinatorStateMachine machine) {
        List<InDoubtView> views = machine.inDoubt(Integer.MAX_VALUE);
        List<TransactionView> open = machine.transactions(Integer.MAX_VALUE);
        Decision decision = random.nextBoolean() ? Decision.COMMIT : Decision.ROLLBACK;
        if (!views.isEmpty() && random.nextInt(6) > 0) {
            InDoubtView view = views.get(random.nextInt(views.size()));
            force(view.tx(), view.branch(), decision, "by mistake");
        } else if (!open.isEmpty()) {
            TransactionView view = open.get(random.nextInt(open.size()));
            BranchId branch = view.branches().isEmpty() || random.nextInt(4) == 0
                    ? new BranchId(random.nextLong(), 1)
                    : view.branches()
                            .get(random.nextInt(view.branches().size()))
                            .branch();
            force(view.tx(), branch, decision, "by mistake");
        }
    }

    private void closeAnything(CoordinatorStateMachine machine) {
        List<TransactionView> all = machine.transactions(Integer.MAX_VALUE).stream()
                .filter(view -> view.outcome() == Outcome.COMMITTED || random.nextInt(6) == 0)
                .toList();
        if (!all.isEmpty()) {
            Decision decision = random.nextInt(6) == 0 ? Decision.ROLLBACK : Decision.COMMIT;
            force(all.get(random.nextInt(all.size())).tx(), null, decision, "it never ends");
        }
    }

    /** Says so on a connection of its own, a moment later; who hears nothing looks again. */
    private void force(GlobalTxId tx, @Nullable BranchId branch, Decision decision, String reason) {
        world.after(world.shortDelay(), () -> "", () -> {
            world.note(() -> "the operator forces " + decision + " of " + branch + " of " + tx + ", " + reason);
            ask(request -> new Event.OperatorForces(request, tx, branch, decision, reason));
        });
    }

    private void ask(Function<RequestId, Event> event) {
        SimulatedCoordinator leader = run.leader();
        if (!run.reaches(process, leader.process())) {
            return;
        }
        Connection connection = world.network().connect(process, leader.process());
        Connection.End mine = connection.dialer();
        mine.send(
                () -> "accepts the operator",
                () -> leader.client(connection.server(), message -> {
                    hear(message);
                    mine.close();
                }));
        mine.send(
                () -> "hears of the operator",
                () -> leader.said(connection.server(), stream -> event.apply(new RequestId(stream, 1))));
        world.after(PATIENCE_NANOS, process, () -> "", mine::close);
    }

    private void hear(ClientMessage message) {
        if (message instanceof ClientMessage.Answer answer) {
            world.saw("forced, and T is " + answer.outcome());
        } else if (message instanceof ClientMessage.Refused refused) {
            world.saw("not forced because of " + refused.reason().code());
        }
    }
}
