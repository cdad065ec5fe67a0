package io.troth.client.context;

import com.google.errorprone.annotations.concurrent.GuardedBy;
import io.grpc.Context;
import io.troth.core.BranchId;
import io.troth.core.BranchList;
import io.troth.core.BranchWork;
import io.troth.core.ClusterId;
import io.troth.core.ErrorCode;
import io.troth.core.GlobalTxId;
import io.troth.core.Reason;
import io.troth.core.SessionKey;
import io.troth.core.TransactionContext;
import io.troth.core.TrothException;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.concurrent.ThreadLocalRandom;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;

/**
 * T in one process: the root scope, opened by begin, or one served call (protocol 5.1). It collects what the reply has
 * to say: the branches that this scope worked on, one call each however many statements, plus the lists of its nested
 * replies (protocol 5.4).
 *
 * <p>{@code io.grpc.Context} is the truth about the current scope; {@link #attach()} binds it to a thread. A scope is
 * open until {@link #close()}. What still runs then (a nested call, a wrapped task, a statement) makes T rollback-only
 * or its branch dead, and what starts afterwards is refused (protocol 5.5). Thread-safe.
 */
public final class CallScope {

    /** The most branches a list may name; a transaction cannot have more. */
    public static final int BRANCHES_MAX = BranchList.BRANCHES_MAX;

    private static final Context.Key<CallScope> KEY = Context.key("troth-call-scope");

    private final TransactionContext context;
    private final long scopeId;
    private final NanoClock clock;
    private final long deadlineNanos;

    private final Object lock = new Object();

    @GuardedBy("lock")
    private final Map<BranchId, String> ownBranches = new LinkedHashMap<>();

    @GuardedBy("lock")
    private final Map<BranchId, BranchWork> nestedBranches = new TreeMap<>();

    @GuardedBy("lock")
    private final List<Runnable> closeHooks = new ArrayList<>();

    @GuardedBy("lock")
    private final List<Runnable> idleHooks = new ArrayList<>();

    @GuardedBy("lock")
    private int running;

    @GuardedBy("lock")
    private boolean used;

    /** Others may have heard of T, or it has a branch that they have heard of: the coordinator has it prepared. */
    @GuardedBy("lock")
    private boolean shared;

    /** T's branches as long as nobody else has heard of it. */
    @GuardedBy("lock")
    private final List<InPlaceBranch> inPlace = new ArrayList<>(2);

    @GuardedBy("lock")
    private boolean closed;

    @GuardedBy("lock")
    private @Nullable Reason rollbackReason;

    /**
     * Opens a scope.
     *
     * @param context what travels with the call; call number {@link TransactionContext#ROOT_CALL} for a root scope
     * @param clock by which the remaining time runs
     */
    public CallScope(TransactionContext context, NanoClock clock) {
        this(context, clock, false);
    }

    /** As {@link #CallScope(TransactionContext, NanoClock)}; {@code alone}: a root scope whose T nobody else has heard of. */
    public CallScope(TransactionContext context, NanoClock clock, boolean alone) {
        this(context, clock, ThreadLocalRandom.current().nextLong(1, Long.MAX_VALUE), alone);
    }

    /** Opens a scope with this id instead of a random one: for a run that can be repeated exactly. */
    public CallScope(TransactionContext context, NanoClock clock, long scopeId, boolean alone) {
        this.context = context;
        this.clock = clock;
        this.scopeId = scopeId;
        this.shared = !alone;
        this.deadlineNanos = clock.nanos() + TimeUnit.MILLISECONDS.toNanos(context.remainingMillis());
    }

    /** The scope that the calling thread or call runs under; null outside every global transaction. */
    public static @Nullable CallScope current() {
        return KEY.get();
    }

    /** The scope that is bound in a context; null when none is. */
    static @Nullable CallScope of(Context context) {
        return KEY.get(context);
    }

    /** The cluster whose coordinators decide T. */
    public ClusterId cluster() {
        return context.cluster();
    }

    /** T. */
    public GlobalTxId tx() {
        return context.tx();
    }

    /** A secret: for messages of the protocol only. */
    public SessionKey key() {
        return context.key();
    }

    /** The number of the call that this scope serves; {@link TransactionContext#ROOT_CALL} for a root scope. */
    public long call() {
        return context.call();
    }

    /** Tells this scope from every other of the process; random, positive. */
    public long scopeId() {
        return scopeId;
    }

    /** What is left until T's deadline by this process's monotonic clock; 0 when it is over. */
    public long remainingMillis() {
        return Math.max(0, TimeUnit.NANOSECONDS.toMillis(deadlineNanos - clock.nanos()));
    }

    /**
     * Notes that this scope worked on a branch. Counts once however often it is called.
     *
     * @throws TrothException SCOPE_CLOSED when the scope is closed: the list may have left, so the work must not happen
     */
    public void addBranch(BranchId branch, String resource) {
        addBranch(branch, resource, null);
    }

    /**
     * The same of a branch that may end in place; it is announced as soon as it may not any more.
     *
     * @param end null when the coordinator has heard of the branch
     */
    public void addBranch(BranchId branch, String resource, @Nullable InPlaceBranch end) {
        synchronized (lock) {
            checkOpen();
            used = true;
            ownBranches.putIfAbsent(branch, resource);
            if (!shared && end != null) {
                inPlace.add(end);
                return;
            }
        }
        share();
        if (end != null) {
            end.announce();
        }
    }

    /** Whether a branch that starts now may end in place: nobody else has heard of T. */
    public boolean mayStartInPlace() {
        synchronized (lock) {
            return !shared;
        }
    }

    /** T leaves this process, or somebody is to ask about it: from now on the coordinator knows it. Before it leaves. */
    public void share() {
        List<InPlaceBranch> unheard;
        synchronized (lock) {
            shared = true;
            unheard = List.copyOf(inPlace);
            inPlace.clear();
        }
        unheard.forEach(InPlaceBranch::announce);
    }

    /**
     * Takes T's branches to end them, when nobody else has heard of T; from now on this scope tells nobody of them. Empty when
     * the coordinator is to end T.
     */
    public List<InPlaceBranch> takeInPlace() {
        synchronized (lock) {
            List<InPlaceBranch> taken = List.copyOf(inPlace);
            inPlace.clear();
            // A branch that starts all the same is announced, and refused.
            shared |= !taken.isEmpty();
            return taken;
        }
    }

    /** As {@link #addReply(BranchList, String)}, for a reply that named no code. */
    public void addReply(BranchList list) {
        addReply(list, null);
    }

    /**
     * Adds the list of a nested reply. One that contradicts what is known makes T rollback-only. Never throws.
     *
     * @param why the code that the reply named beside its list; null when it named none
     */
    public void addReply(BranchList list, @Nullable String why) {
        ErrorCode named = ErrorCode.named(why);
        ErrorCode code = named != null && named.retryable() ? named : ErrorCode.ROLLBACK_ONLY;
        synchronized (lock) {
            if (list.rollbackOnly()) {
                noteRollbackOnly(new Reason(code, "a service under the transaction said so"));
            }
            for (BranchWork work : list.branches()) {
                addNested(work);
            }
        }
    }

    /** T must not commit any more; the first reason is kept. */
    public void setRollbackOnly(Reason reason) {
        synchronized (lock) {
            noteRollbackOnly(reason);
        }
    }

    /**
     * The same for the application, which must hear when it comes too late.
     *
     * @throws TrothException SCOPE_CLOSED when the scope is closed and nothing was known against T: the list may have left
     *     without this, and T may be committed
     */
    public void forbidCommit(Reason reason) {
        synchronized (lock) {
            if (rollbackReason == null) {
                checkOpen();
            }
            noteRollbackOnly(reason);
        }
    }

    /**
     * The served call ends with an error, so T must not commit any more. Whether the work is worth another try is what was
     * known before, or else what the cause says.
     *
     * @param cause null when nothing is known but the text
     */
    public void setFailed(String why, @Nullable Throwable cause) {
        ErrorCode code = cause == null ? null : Failures.retryable(cause);
        Reason reason =
                new Reason(code == null ? ErrorCode.ROLLBACK_ONLY : code, "call " + call() + " ended with " + why);
        synchronized (lock) {
            if (cause != null && Failures.leaveAnOutcomeUnknown(cause)) {
                // Whatever else is known: something may be committed, which another try would do again.
                rollbackReason = reason;
            }
            noteRollbackOnly(reason);
        }
    }

    /** Whether something is known against T's commit. */
    public boolean isRollbackOnly() {
        return rollbackReason() != null;
    }

    /** Why T must not commit; null when nothing is known against it. */
    public @Nullable Reason rollbackReason() {
        synchronized (lock) {
            return rollbackReason;
        }
    }

    /** The code of the {@link #rollbackReason()} when the same work is worth another transaction; else null. */
    public @Nullable ErrorCode retryableCode() {
        Reason reason = rollbackReason();
        return reason != null && reason.code().retryable() ? reason.code() : null;
    }

    /** Whether the served call has ended, or T has. */
    public boolean isClosed() {
        synchronized (lock) {
            return closed;
        }
    }

    /** How many nested calls and wrapped tasks have not ended yet. */
    public int running() {
        synchronized (lock) {
            return running;
        }
    }

    /**
     * A nested call or a wrapped task starts; {@link #exit()} must follow.
     *
     * @throws TrothException SCOPE_CLOSED when the scope is closed
     */
    public void enter() {
        synchronized (lock) {
            checkOpen();
            used = true;
            running++;
        }
    }

    /** A nested call or a wrapped task has ended. */
    public void exit() {
        List<Runnable> hooks = List.of();
        synchronized (lock) {
            running--;
            if (running == 0) {
                hooks = List.copyOf(idleHooks);
                idleHooks.clear();
            }
        }
        hooks.forEach(Runnable::run);
    }

    /**
     * Runs the hook once, when no nested call and no wrapped task runs: at once, or on the thread on which the last of
     * them ends. The hook must not block.
     */
    public void whenIdle(Runnable hook) {
        synchronized (lock) {
            if (running > 0) {
                idleHooks.add(hook);
                return;
            }
        }
        hook.run();
    }

    /** False while nothing can have happened under this scope: no branch, no call, no task. */
    public boolean isUsed() {
        synchronized (lock) {
            return used;
        }
    }

    /**
     * Runs the hook when the scope closes, before the list is made: for a statement that still runs then. Runs it at
     * once when the scope is closed already. The hook must not block.
     */
    public void onClose(Runnable hook) {
        synchronized (lock) {
            if (!closed) {
                closeHooks.add(hook);
                return;
            }
        }
        hook.run();
    }

    /**
     * Closes a root scope when nothing runs under it any more.
     *
     * @return false, and the scope stays open, when a call or a wrapped task has not ended
     */
    public boolean closeIfIdle() {
        synchronized (lock) {
            if (running > 0) {
                return false;
            }
            closed = true;
        }
        runCloseHooks();
        return true;
    }

    /** Closes a root scope as soon as nothing runs under it, and then runs the task; it must not block. */
    public void closeWhenIdle(Runnable then) {
        whenIdle(() -> {
            if (closeIfIdle()) {
                then.run();
            } else {
                closeWhenIdle(then);
            }
        });
    }

    /** Closes the scope and returns the list of the reply. Closing again changes nothing and returns the list again. */
    public BranchList close() {
        synchronized (lock) {
            if (!closed && running > 0) {
                noteRollbackOnly(new Reason(
                        ErrorCode.ROLLBACK_ONLY, running + " calls or tasks had not ended when their scope closed"));
            }
            closed = true;
        }
        runCloseHooks();
        return list();
    }

    /** What the reply would say by now; without a branch when that is more than a list may say, and T must not commit. */
    public BranchList list() {
        synchronized (lock) {
            List<BranchWork> lines = new ArrayList<>(nestedBranches.values());
            ownBranches.forEach((branch, resource) -> lines.add(new BranchWork(branch, resource, 1)));
            try {
                BranchList list = new BranchList(rollbackReason != null, lines);
                if (!list.isTooLong()) {
                    return list;
                }
                noteRollbackOnly(new Reason(
                        ErrorCode.LIMIT_EXCEEDED,
                        "the list of the " + lines.size() + " branches of " + tx() + " is longer than "
                                + BranchList.LENGTH_MAX + " characters"));
                return new BranchList(true, List.of());
            } catch (IllegalArgumentException | ArithmeticException e) {
                noteRollbackOnly(new Reason(ErrorCode.ROLLBACK_ONLY, "branch lists do not add up: " + e.getMessage()));
                return new BranchList(true, List.of());
            }
        }
    }

    /**
     * Makes this the current scope of the calling thread until the binding is closed, on the same thread, in
     * try-with-resources order.
     */
    public Binding attach() {
        Context bound = bind(Context.current());
        Context previous = bound.attach();
        return () -> bound.detach(previous);
    }

    /** The given context with this scope in it. */
    public Context bind(Context base) {
        return base.withValue(KEY, this);
    }

    /** The given context without any scope: for work that takes no part in T. */
    public static Context unbind(Context base) {
        return base.withValue(KEY, null);
    }

    /** A scope bound to a thread. */
    @FunctionalInterface
    public interface Binding extends AutoCloseable {

        /** Restores what was bound before. */
        @Override
        void close();
    }

    private void runCloseHooks() {
        List<Runnable> hooks;
        synchronized (lock) {
            hooks = List.copyOf(closeHooks);
            closeHooks.clear();
        }
        hooks.forEach(Runnable::run);
    }

    @GuardedBy("lock")
    private void checkOpen() {
        if (closed) {
            throw new TrothException(new Reason(
                    ErrorCode.SCOPE_CLOSED, "transaction " + tx() + ": this call, or the transaction, has ended"));
        }
    }

    @GuardedBy("lock")
    private void noteRollbackOnly(Reason reason) {
        if (rollbackReason == null) {
            rollbackReason = reason;
        }
    }

    @GuardedBy("lock")
    private void addNested(BranchWork work) {
        if (nestedBranches.size() >= BRANCHES_MAX && !nestedBranches.containsKey(work.branch())) {
            noteRollbackOnly(
                    new Reason(ErrorCode.LIMIT_EXCEEDED, "more than " + BRANCHES_MAX + " branches in " + tx()));
            return;
        }
        try {
            nestedBranches.merge(work.branch(), work, CallScope::sum);
        } catch (IllegalArgumentException | ArithmeticException e) {
            noteRollbackOnly(new Reason(ErrorCode.ROLLBACK_ONLY, "branch lists do not add up: " + e.getMessage()));
        }
    }

    private static BranchWork sum(BranchWork left, BranchWork right) {
        return new BranchList(false, List.of(left, right)).branches().get(0);
    }

    /** Says nothing of the key. */
    @Override
    public String toString() {
        return "CallScope[" + tx() + ", call " + call() + "]";
    }
}
