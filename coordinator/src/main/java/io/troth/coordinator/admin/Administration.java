package io.troth.coordinator.admin;

import io.troth.coordinator.engine.EngineInbox;
import io.troth.core.BranchId;
import io.troth.core.Decision;
import io.troth.core.ErrorCode;
import io.troth.core.GlobalTxId;
import io.troth.core.Outcome;
import io.troth.core.Reason;
import io.troth.core.TrothException;
import io.troth.core.coordinator.AgentHello;
import io.troth.core.coordinator.ClientMessage;
import io.troth.core.coordinator.Event;
import io.troth.core.coordinator.InDoubtView;
import io.troth.core.coordinator.LeaderView;
import io.troth.core.coordinator.TransactionView;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * What an operator asks and does (protocol 10.6). Looks change nothing. A forced decision is logged as HEURISTIC before
 * it is carried out; who may force is the caller's to check. Every change is also a log line, with its reason.
 *
 * <p>Thread-safe; nothing blocks. The futures are completed on the engine thread, and fail with {@link TrothException}.
 */
public final class Administration {

    private static final Logger LOG = LoggerFactory.getLogger(Administration.class);

    private final EngineInbox inbox;
    private final Requests requests;

    public Administration(EngineInbox inbox, Requests requests) {
        this.inbox = inbox;
        this.requests = requests;
    }

    /** The leader in numbers. */
    public CompletableFuture<LeaderView> status() {
        return inbox.look(machine -> machine.view());
    }

    /** Unended COMMITs of older epochs, then the open transactions, in the order of their ids. */
    public CompletableFuture<Listing<TransactionView>> transactions(int asked) {
        int limit = Listing.limit(asked);
        return inbox.look(machine -> Listing.of(machine.transactions(limit + 1), limit));
    }

    /**
     * What is in memory of T.
     *
     * @return fails with UNKNOWN_TRANSACTION when that is nothing, which says nothing about its outcome
     */
    public CompletableFuture<TransactionView> transaction(GlobalTxId tx) {
        return inbox.look(machine -> {
            TransactionView view = machine.find(tx);
            if (view == null) {
                throw new TrothException(new Reason(
                        ErrorCode.UNKNOWN_TRANSACTION, tx + " is not in memory; this says nothing about its outcome"));
            }
            return view;
        });
    }

    /** The connected agents, in the order in which they came. */
    public CompletableFuture<Listing<AgentHello>> agents(int asked) {
        int limit = Listing.limit(asked);
        return inbox.look(machine -> Listing.of(machine.agents(limit + 1), limit));
    }

    /** Prepared branches that are not finished. */
    public CompletableFuture<Listing<InDoubtView>> inDoubt(int asked) {
        int limit = Listing.limit(asked);
        return inbox.look(machine -> Listing.of(machine.inDoubt(limit + 1), limit));
    }

    /**
     * Decides a prepared branch by force.
     *
     * @return what its transaction was decided to be, UNKNOWN when nobody knows, NOT_LEADER when it is not known whether
     *     the decision was taken
     */
    public CompletableFuture<Outcome> resolve(GlobalTxId tx, BranchId branch, Decision decision, String reason) {
        LOG.warn("an operator forces {} of branch {} of {}: {}", decision, branch, tx, reason);
        return force(tx, branch, decision, reason);
    }

    /** Closes a COMMIT that can never end; answers as {@link #resolve}. */
    public CompletableFuture<Outcome> close(GlobalTxId tx, String reason) {
        LOG.warn("an operator closes {}: {}", tx, reason);
        return force(tx, null, Decision.COMMIT, reason);
    }

    private CompletableFuture<Outcome> force(
            GlobalTxId tx, @Nullable BranchId branch, Decision decision, String reason) {
        return requests.ask(request -> new Event.OperatorForces(request, tx, branch, decision, reason))
                .handle((message, failure) -> message == null ? unanswered(failure) : outcome(message));
    }

    /** The leadership ended under it, unless it was not even asked. */
    private static Outcome unanswered(Throwable failure) {
        if (failure instanceof TrothException known && known.code() == ErrorCode.OVERLOADED) {
            throw known;
        }
        return Outcome.NOT_LEADER;
    }

    private static Outcome outcome(ClientMessage message) {
        if (message instanceof ClientMessage.Answer answer) {
            return answer.outcome();
        }
        if (message instanceof ClientMessage.Refused refused) {
            throw new TrothException(refused.reason());
        }
        throw new TrothException(new Reason(ErrorCode.INTERNAL, "a forced decision was answered with " + message));
    }

    /**
     * Holds a resource, or releases it; its branches on hold are listed and not resolved.
     *
     * @return false when no agent of such a resource was ever heard of: perhaps the name is misspelt
     */
    public CompletableFuture<Boolean> hold(String resource, boolean held, String reason) {
        LOG.warn("an operator {} {}: {}", held ? "holds" : "releases", resource, reason);
        return submit(new Event.ResourceHeld(resource, held), resource);
    }

    /**
     * Excludes a resource that is gone for ever, or includes it again: the purge does not wait for its scan.
     *
     * @return as {@link #hold}
     */
    public CompletableFuture<Boolean> exclude(String resource, boolean excluded, String reason) {
        LOG.warn("an operator {} {}: {}", excluded ? "excludes" : "includes", resource, reason);
        return submit(new Event.ResourceExcluded(resource, excluded), resource);
    }

    /** The look comes after the event, and unlike it is told when the engine stops: with it goes what was changed. */
    private CompletableFuture<Boolean> submit(Event event, String resource) {
        inbox.submit(List.of(event), () -> {});
        return inbox.look(machine -> machine.knows(resource));
    }
}
