package io.troth.agent.engine;

import io.troth.client.context.InPlaceBranch;
import io.troth.core.BranchId;
import io.troth.core.ErrorCode;
import io.troth.core.Outcome;
import io.troth.core.Reason;
import io.troth.core.participant.AgentAction;
import io.troth.core.participant.AgentEvent;
import java.util.HashMap;
import java.util.Map;
import java.util.Queue;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.Executor;
import java.util.concurrent.locks.ReentrantLock;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;

/**
 * Who waits for a commit in place. What the machine says of it under the engine's lock is told when the lock is free,
 * since whoever hears it may do anything then. Thread-safe.
 */
final class InPlaceCommits {

    private final ReentrantLock lock;
    private final Consumer<AgentEvent> events;

    // Under the lock.
    private final Map<BranchId, InPlace> committing = new HashMap<>();
    private boolean over;

    private final Queue<Runnable> afterwards = new ConcurrentLinkedQueue<>();

    InPlaceCommits(ReentrantLock lock, Consumer<AgentEvent> events) {
        this.lock = lock;
        this.events = events;
    }

    void handle(AgentEvent event) {
        events.accept(event);
    }

    void commit(InPlace branch, AgentEvent.CommitInPlace event) {
        lock.lock();
        try {
            committing.put(branch.branch(), branch);
            if (over) {
                lose();
            }
        } finally {
            lock.unlock();
        }
        events.accept(event);
    }

    /** Whose thread works at the database for the branch; null for one of the database's own. */
    @Nullable
    Executor caller(BranchId branch) {
        InPlace commit = committing.get(branch);
        return commit == null ? null : commit.caller();
    }

    void ended(AgentAction.EndedInPlace end) {
        InPlace commit = committing.remove(end.branch());
        if (commit != null) {
            afterwards.add(() -> commit.ended(new InPlaceBranch.End(end.fate().outcome(), end.reason())));
        }
    }

    /** The engine has stopped for good: nobody will say how they ended. */
    void lose() {
        over = true;
        InPlaceBranch.End lost = new InPlaceBranch.End(Outcome.UNKNOWN, Reason.of(ErrorCode.INTERNAL));
        committing.values().forEach(commit -> afterwards.add(() -> commit.ended(lost)));
        committing.clear();
    }

    /** Tells those whose commit has ended, unless the calling thread still has the lock, and will come again. */
    void tell() {
        if (lock.isHeldByCurrentThread()) {
            return;
        }
        Runnable next = afterwards.poll();
        while (next != null) {
            next.run();
            next = afterwards.poll();
        }
    }
}
