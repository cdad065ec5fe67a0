package io.troth.agent.engine;

import com.google.errorprone.annotations.concurrent.GuardedBy;
import io.troth.client.context.CallScope;
import io.troth.core.BranchId;
import io.troth.core.ClusterId;
import io.troth.core.EpochId;
import io.troth.core.ErrorCode;
import io.troth.core.GlobalTxId;
import io.troth.core.Reason;
import io.troth.core.TransactionContext;
import io.troth.core.TrothException;
import io.troth.core.coordinator.AgentHello;
import io.troth.core.coordinator.AgentMessage;
import io.troth.core.participant.AgentAction;
import io.troth.core.participant.AgentEvent;
import io.troth.core.participant.AgentLimits;
import io.troth.core.participant.AgentStateMachine;
import io.troth.core.participant.BranchState;
import io.troth.core.participant.StatementEnd;
import java.time.Duration;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicLong;
import java.util.concurrent.locks.Condition;
import java.util.concurrent.locks.ReentrantLock;
import java.util.function.BooleanSupplier;
import java.util.function.Function;
import org.jspecify.annotations.Nullable;

/**
 * Runs the agent's state machine: takes events from application threads, the link's thread, database threads and
 * timers, and carries out what the machine wants, one event at a time under one lock. Everything done under the lock
 * only hands work over, so the lock is short; a call waits for nothing but its own admission, and for a stream to its
 * leader where it asks for that. Thread-safe.
 */
public final class AgentEngine implements BranchWorkspace, LinkListener, AutoCloseable {

    /** How long a stopping agent waits for the databases to roll back. */
    private static final Duration ROLLBACK_TIME = Duration.ofSeconds(5);

    private final long instance;
    private final Map<String, BranchDatabase> databases;
    private final CoordinatorLink link;
    private final AgentTimers timers;
    private final AgentListener listener;
    private final AtomicLong tickets = new AtomicLong();

    private final ReentrantLock lock = new ReentrantLock();
    private final Condition moved = lock.newCondition();

    // Under the lock only, like what its actions leave behind; callbacks keep the compiler from seeing it.
    private final AgentStateMachine machine;
    private final Map<Long, AgentAction> answers = new HashMap<>();
    private @Nullable Reason statementRefusal;
    private final InPlaceCommits inPlaces = new InPlaceCommits(lock, this::handle);

    @GuardedBy("lock")
    private final ActionRunner runner;

    /** Events that came while one was being carried out, by a port that answers at once. */
    @GuardedBy("lock")
    private final ArrayDeque<AgentEvent> inbox = new ArrayDeque<>();

    @GuardedBy("lock")
    private boolean stepping;

    /** Why the engine has stopped for good. */
    @GuardedBy("lock")
    private @Nullable RuntimeException failure;

    /** Where SQL is taken for the resources; null when nowhere. */
    @GuardedBy("lock")
    private @Nullable String sqlAddress;

    /**
     * What an engine works with.
     *
     * @param instance the random id of this process
     * @param databases by resource name; their self-tests have passed
     */
    public record Parts(
            long instance,
            Map<String, BranchDatabase> databases,
            CoordinatorLink link,
            AgentTimers timers,
            AgentListener listener,
            StepListener steps,
            AgentLimits limits) {
        public Parts {
            databases = Map.copyOf(databases);
        }
    }

    public AgentEngine(Parts parts) {
        this.instance = parts.instance();
        this.databases = new TreeMap<>(parts.databases());
        this.link = parts.link();
        this.timers = parts.timers();
        this.listener = parts.listener();
        this.machine = new AgentStateMachine(instance, databases.keySet(), parts.limits());
        this.runner = new ActionRunner(parts, this::handle, this::answer, inPlaces::caller);
    }

    /**
     * Starts to work.
     *
     * @param pinned the cluster that the configuration names, null to take the first one heard
     * @param announced {@code host:port} of the SQL gateway, told to the coordinator; null when it is off
     */
    public void start(@Nullable ClusterId pinned, @Nullable String announced) {
        lock.lock();
        try {
            sqlAddress = announced;
        } finally {
            lock.unlock();
        }
        databases.forEach((name, database) ->
                database.onConnectionLost(() -> handle(new AgentEvent.DatabaseConnectionLost(name))));
        if (pinned != null) {
            handle(new AgentEvent.ClusterHeard(pinned));
        }
        link.start(this);
    }

    /** As {@link #join(CallScope, String, long)}, without a wait. */
    public BranchId join(CallScope scope, String resource) throws BranchRefusedException {
        return join(scope, resource, 0);
    }

    @Override
    public BranchId join(CallScope scope, String resource, long waitMillis) throws BranchRefusedException {
        long ticket = tickets.incrementAndGet();
        AgentAction answer;
        boolean inPlace;
        lock.lock();
        try {
            awaitLeader(scope, resource, waitMillis);
            if (scope.isClosed()) {
                throw new BranchRefusedException(new Reason(ErrorCode.SCOPE_CLOSED, "transaction " + scope.tx()));
            }
            AgentEvent.CallJoins call = joins(ticket, scope, resource);
            inPlace = call.inPlace();
            handle(call);
            answer = answers.remove(ticket);
        } finally {
            lock.unlock();
        }
        if (answer instanceof AgentAction.CallAdmitted admitted) {
            if (admitted.first()) {
                register(scope, admitted.branch(), resource, inPlace);
            }
            return admitted.branch();
        }
        if (answer instanceof AgentAction.CallRefused refused) {
            throw new BranchRefusedException(refused.reason());
        }
        throw new BranchRefusedException(new Reason(ErrorCode.INTERNAL, "the agent has stopped"));
    }

    private static AgentEvent.CallJoins joins(long ticket, CallScope scope, String resource) {
        return new AgentEvent.CallJoins(
                ticket,
                scope.cluster(),
                scope.tx(),
                scope.key(),
                scope.call(),
                scope.scopeId(),
                resource,
                scope.remainingMillis(),
                scope.mayStartInPlace());
    }

    /** Returns as soon as the call's fate does not hang on the stream any more, or the time is over. */
    @GuardedBy("lock")
    private void awaitLeader(CallScope scope, String resource, long waitMillis) throws BranchRefusedException {
        long nanos = TimeUnit.MILLISECONDS.toNanos(Math.min(waitMillis, scope.remainingMillis()));
        boolean waits = false;
        try {
            while (nanos > 0 && lacksLeader(scope, resource)) {
                if (!waits) {
                    waits = true;
                    // Nobody else would tell a call whose caller has given up.
                    scope.onClose(this::wake);
                }
                nanos = moved.awaitNanos(nanos);
            }
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new BranchRefusedException(
                    new Reason(ErrorCode.NO_COORDINATOR, "interrupted while waiting for a stream to the coordinator"));
        }
    }

    @GuardedBy("lock")
    private boolean lacksLeader(CallScope scope, String resource) {
        if (scope.tx().epoch().equals(machine.ready()) || failure != null || scope.isClosed()) {
            return false;
        }
        Reason refusal = machine.refusal(joins(0, scope, resource));
        return refusal != null && refusal.code() == ErrorCode.NO_COORDINATOR;
    }

    private void wake() {
        lock.lock();
        try {
            moved.signalAll();
        } finally {
            lock.unlock();
        }
    }

    private void register(CallScope scope, BranchId branch, String resource, boolean alone)
            throws BranchRefusedException {
        GlobalTxId tx = scope.tx();
        long scopeId = scope.scopeId();
        scope.onClose(() -> handle(new AgentEvent.ScopeClosed(tx, scopeId)));
        InPlace inPlace = alone ? new InPlace(inPlaces, scope, branch) : null;
        try {
            scope.addBranch(branch, resource, inPlace);
        } catch (TrothException e) {
            // The list has left without this branch: its count differs now, so T cannot commit.
            if (inPlace != null) {
                inPlace.announce();
            }
            throw new BranchRefusedException(e.reason());
        }
    }

    @Override
    public void statementBegins(CallScope scope, BranchId branch) throws BranchRefusedException {
        Reason refusal;
        lock.lock();
        try {
            statementRefusal = null;
            handle(new AgentEvent.StatementBegins(branch, scope.scopeId()));
            refusal = failure == null ? statementRefusal : Reason.of(ErrorCode.INTERNAL);
        } finally {
            lock.unlock();
        }
        if (refusal != null) {
            throw new BranchRefusedException(refusal);
        }
    }

    @Override
    public void statementEnds(BranchId branch, StatementEnd end) {
        handle(new AgentEvent.StatementEnded(branch, end));
    }

    @Override
    public boolean isActive(BranchId branch) {
        lock.lock();
        try {
            return machine.stateOf(branch) == BranchState.ACTIVE;
        } finally {
            lock.unlock();
        }
    }

    @Override
    public AgentHello hello() {
        lock.lock();
        try {
            List<AgentHello.AgentResource> resources = new ArrayList<>();
            databases.forEach((name, database) -> {
                ResourceIdentity identity = database.identity();
                resources.add(new AgentHello.AgentResource(
                        name, identity.kind(), identity.identity(), identity.role(), sqlAddress));
            });
            return new AgentHello(instance, machine.highestEpoch(), machine.highestBatch(), resources);
        } finally {
            lock.unlock();
        }
    }

    @Override
    public @Nullable ClusterId cluster() {
        lock.lock();
        try {
            return machine.cluster();
        } finally {
            lock.unlock();
        }
    }

    @Override
    public void received(Batch batch) {
        EpochId epoch = batch.epoch();
        if (epoch == null) {
            // Only a ready leader has anything to say (protocol 3).
            return;
        }
        lock.lock();
        try {
            if (batch.cluster() != null) {
                handle(new AgentEvent.ClusterHeard(batch.cluster()));
            }
            handle(new AgentEvent.Heard(epoch, batch.durableBatch()));
            for (AgentMessage message : batch.messages()) {
                handle(new AgentEvent.Ordered(epoch, message));
            }
        } finally {
            lock.unlock();
        }
    }

    @Override
    public void broken(Reason reason) {
        handle(new AgentEvent.StreamBroken(reason));
    }

    /**
     * Whether the transaction is of this agent's cluster and of the highest epoch that a coordinator has told it of, both
     * of which are random bits: who makes one up does not hit them.
     */
    public boolean knows(TransactionContext context) {
        lock.lock();
        try {
            return context.cluster().equals(machine.cluster())
                    && context.tx().epoch().equals(machine.highestEpoch());
        } finally {
            lock.unlock();
        }
    }

    /** Whether branches may start: the stream leads to a ready leader. */
    public boolean isReady() {
        lock.lock();
        try {
            return failure == null && machine.ready() != null;
        } finally {
            lock.unlock();
        }
    }

    /** Waits until branches may start. Returns false when the time is over first. */
    public boolean awaitReady(Duration timeout) throws InterruptedException {
        return await(timeout, () -> machine.ready() != null);
    }

    /** Looks at the state between two steps. The look must be quick and must not keep the machine. */
    public <T> T look(Function<AgentStateMachine, T> look) {
        lock.lock();
        try {
            return look.apply(machine);
        } finally {
            lock.unlock();
        }
    }

    /** The instance id, part of every branch id of this process. */
    public long instance() {
        return instance;
    }

    /**
     * Takes no new transaction, waits for the running ones, and for the decision on what is prepared as long as there is a
     * coordinator to give it; then rolls back what is still unprepared, leaves what is prepared, and ends the stream. Does
     * not close the databases.
     *
     * @param drain how long to wait for running transactions
     */
    public void close(Duration drain) {
        handle(new AgentEvent.DrainStarted());
        try {
            boolean drained = await(drain, this::isDrained);
            handle(new AgentEvent.Stopped(new Reason(ErrorCode.DRAINING, "the agent is shutting down")));
            if (!drained) {
                boolean unused = await(ROLLBACK_TIME, () -> machine.unprepared() == 0);
            }
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            handle(new AgentEvent.Stopped(new Reason(ErrorCode.DRAINING, "the agent was interrupted")));
        }
        link.close();
        timers.close();
    }

    private boolean isDrained() {
        return machine.unfinished() == 0 || (machine.ready() == null && machine.unprepared() == 0);
    }

    @Override
    public void close() {
        close(Duration.ZERO);
    }

    private boolean await(Duration timeout, BooleanSupplier condition) throws InterruptedException {
        long nanos = timeout.toNanos();
        lock.lock();
        try {
            while (failure == null && !condition.getAsBoolean()) {
                if (nanos <= 0) {
                    return false;
                }
                nanos = moved.awaitNanos(nanos);
            }
            return failure == null;
        } finally {
            lock.unlock();
        }
    }

    /** Steps the machine, and again for every event that a port delivers before it returns. */
    private void handle(AgentEvent event) {
        lock.lock();
        try {
            inbox.add(event);
            if (!stepping) {
                stepping = true;
                try {
                    drainInbox();
                } finally {
                    stepping = false;
                }
                if (lock.hasWaiters(moved)) {
                    moved.signalAll();
                }
            }
        } finally {
            lock.unlock();
        }
        inPlaces.tell();
    }

    @GuardedBy("lock")
    private void drainInbox() {
        AgentEvent next = inbox.poll();
        while (next != null && failure == null) {
            try {
                listener.stepping(next);
                for (AgentAction action : machine.step(next)) {
                    action.accept(runner);
                }
            } catch (RuntimeException broken) {
                fail(broken);
            } catch (Error broken) {
                fail(new IllegalStateException("an error half way through a step", broken));
            }
            next = inbox.poll();
        }
    }

    /** A broken invariant, or a bug half way through a step: better stopped than wrong. */
    @GuardedBy("lock")
    private void fail(RuntimeException broken) {
        failure = broken;
        inPlaces.lose();
        listener.failed(broken);
        link.close();
        timers.close();
    }

    /** Called by the runner, under the lock. */
    private void answer(AgentAction answer) {
        if (answer instanceof AgentAction.CallAdmitted admitted) {
            answers.put(admitted.ticket(), answer);
        } else if (answer instanceof AgentAction.CallRefused refused) {
            answers.put(refused.ticket(), answer);
        } else if (answer instanceof AgentAction.VotedInPlace vote) {
            inPlaces.voted(vote);
        } else if (answer instanceof AgentAction.StatementRefused refused) {
            statementRefusal = refused.reason();
        } else if (answer instanceof AgentAction.EndedInPlace ended) {
            inPlaces.ended(ended);
        }
    }
}
