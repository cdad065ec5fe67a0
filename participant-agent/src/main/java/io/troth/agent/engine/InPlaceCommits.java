package io.troth.agent.engine;

import io.troth.client.context.InPlaceBranch.Ballot;
import io.troth.client.context.InPlaceBranch.End;
import io.troth.core.BranchId;
import io.troth.core.ErrorCode;
import io.troth.core.Outcome;
import io.troth.core.Reason;
import io.troth.core.Vote;
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
 * Who waits for a vote or an end in place. What the machine says of it under the engine's lock is told when the lock is free,
 * since whoever hears it may do anything then. Thread-safe.
 */
final class InPlaceCommits {

    private final ReentrantLock lock;
    private final Consumer<AgentEvent> events;

    // Under the lock.
    private final Map<BranchId, InPlace> waiting = new HashMap<>();
    private boolean over;

    private final Queue<Runnable> afterwards = new ConcurrentLinkedQueue<>();

    InPlaceCommits(ReentrantLock lock, Consumer<AgentEvent> events) {
        this.lock = lock;
        this.events = events;
    }

    void handle(AgentEvent event) {
        events.accept(event);
    }

    /** An event that has an answer. */
    void ask(InPlace branch, AgentEvent event) {
        lock.lock();
        try {
            waiting.put(branch.branch(), branch);
            if (over) {
                lose();
            }
            events.accept(event);
        } finally {
            lock.unlock();
        }
        tell();
    }

    /** Whose thread works at the database for the branch; null for one of the database's own. */
    @Nullable
    Executor caller(BranchId branch) {
        InPlace asking = waiting.get(branch);
        return asking == null ? null : asking.caller();
    }

    void voted(AgentAction.VotedInPlace vote) {
        InPlace asking = waiting.remove(vote.branch());
        if (asking != null) {
            Ballot ballot = new Ballot(vote.vote(), vote.proof(), vote.reason());
            afterwards.add(() -> asking.voted(ballot));
        }
    }

    void ended(AgentAction.EndedInPlace end) {
        InPlace asking = waiting.remove(end.branch());
        if (asking != null) {
            afterwards.add(() -> asking.ended(new End(end.fate().outcome(), end.reason())));
        }
    }

    /** The engine has stopped for good: nobody will say how they ended, and no vote will come. */
    void lose() {
        over = true;
        Reason why = Reason.of(ErrorCode.INTERNAL);
        waiting.values()
                .forEach(asking -> afterwards.add(() -> {
                    asking.voted(new Ballot(Vote.NO, null, why));
                    asking.ended(new End(Outcome.UNKNOWN, why));
                }));
        waiting.clear();
    }

    /** Tells those who have an answer, unless the calling thread still has the lock, and will come again. */
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
