package io.troth.client.internal;

import io.troth.core.EpochId;
import io.troth.core.ErrorCode;
import io.troth.core.Outcome;
import io.troth.core.Reason;
import io.troth.proto.v1.ClientEntry;
import io.troth.proto.v1.Commit;
import io.troth.proto.v1.OutcomeInquiry;
import io.troth.proto.v1.Rollback;
import io.troth.proto.v1.WaitFor;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;

/**
 * The questions that wait for an answer, each sent again on every new stream until one comes (protocol 6.1). A Commit
 * goes only to the leader of T's own epoch; any other leader is asked for the outcome, with the content of the Commit.
 * What has never left is certainly rolled back when the epoch is over; what may have arrived is settled by an answer
 * alone. Guarded by the engine's lock.
 */
final class RequestTable {

    /** As many as transactions of a client may be open: the leader lets no session have more (protocol 4.2). */
    private static final int INQUIRIES_MAX = 10_000;

    private final EngineState state;
    private final Loop loop;
    private final long inquiryPauseMillis;
    private final Consumer<Consumer<Effects>> locked;

    private final Set<Request> requests = new LinkedHashSet<>();
    private final Map<Long, Request> byCorrelation = new HashMap<>();
    private int inquiries;

    /**
     * Makes an empty table.
     *
     * @param locked runs an action of the engine under its lock
     */
    RequestTable(EngineState state, Loop loop, long inquiryPauseMillis, Consumer<Consumer<Effects>> locked) {
        this.state = state;
        this.loop = loop;
        this.inquiryPauseMillis = inquiryPauseMillis;
        this.locked = locked;
    }

    /** Why no inquiry may be added; null when one may. */
    @Nullable
    Reason refusesInquiry() {
        return inquiries < INQUIRIES_MAX
                ? null
                : new Reason(ErrorCode.OVERLOADED, inquiries + " inquiries of this client wait for an answer");
    }

    List<Request> all() {
        return List.copyOf(requests);
    }

    /** What the commits among them wait for. */
    List<CompletableFuture<Answer>> commits() {
        List<CompletableFuture<Answer>> futures = new ArrayList<>();
        for (Request request : requests) {
            if (request.kind() == Request.Kind.COMMIT) {
                futures.add(request.future());
            }
        }
        return futures;
    }

    void add(Request request, Effects effects) {
        requests.add(request);
        inquiries += request.kind() == Request.Kind.INQUIRY ? 1 : 0;
        send(request, effects);
    }

    /** A new stream is up: everything is asked again. */
    void streamUp(Effects effects) {
        byCorrelation.clear();
        for (Request request : List.copyOf(requests)) {
            request.correlation = 0;
            send(request, effects);
        }
    }

    /** The stream is gone, and with it all answers. Whoever waits for a rollback need not wait for the next one. */
    void streamDown(Effects effects) {
        byCorrelation.clear();
        for (Request request : requests) {
            request.correlation = 0;
            request.pending = false;
            if (request.kind() == Request.Kind.ROLLBACK) {
                effects.complete(request.future(), rolledBack(request));
            }
        }
    }

    /** Asks again, unless a new stream or an answer came first. */
    private void retry(Request request, Effects effects) {
        if (request.correlation == 0 && requests.contains(request)) {
            send(request, effects);
        }
    }

    void answered(long correlation, Answer answer, Effects effects) {
        Request request = byCorrelation.get(correlation);
        if (request == null || !request.tx().equals(answer.tx())) {
            return;
        }
        byCorrelation.remove(correlation);
        switch (request.kind()) {
            // Without a commit request there is only one end, whatever the answer says.
            case ROLLBACK -> finish(request, rolledBack(request), effects);
            case COMMIT, INQUIRY -> heard(request, answer, effects);
        }
    }

    /** True when the refused entry belonged to a request. */
    boolean refused(long correlation, Reason reason, Effects effects) {
        Request request = byCorrelation.remove(correlation);
        if (request == null) {
            return false;
        }
        boolean elsewhere = reason.code() == ErrorCode.NOT_LEADER || reason.code() == ErrorCode.NOT_READY;
        if (elsewhere && request.kind() != Request.Kind.ROLLBACK) {
            request.correlation = 0;
            state.tryElsewhere(reason.toString());
            return true;
        }
        switch (request.kind()) {
            case ROLLBACK -> finish(request, rolledBack(request), effects);
            case INQUIRY -> finish(request, Answer.of(request.tx(), Outcome.UNKNOWN, reason), effects);
            case COMMIT -> {
                // An earlier copy of it may have been taken, so a refusal alone settles nothing.
                boolean again = request.asksOutcome;
                request.refusal = request.refusal == null ? reason : request.refusal;
                request.asksOutcome = true;
                if (again) {
                    retryLater(request);
                } else {
                    send(request, effects);
                }
            }
        }
        return true;
    }

    /** Forgets the request and ends its transaction at the client. */
    void remove(Request request) {
        boolean was = requests.remove(request);
        inquiries -= was && request.kind() == Request.Kind.INQUIRY ? 1 : 0;
        byCorrelation.remove(request.correlation);
        OpenTransaction transaction = request.transaction();
        if (transaction != null) {
            transaction.setState(OpenTransaction.State.ENDED);
            transaction.session().end(transaction);
        }
    }

    private void heard(Request request, Answer answer, Effects effects) {
        switch (answer.outcome()) {
            case COMMITTED, READ_ONLY -> finish(request, answer, effects);
            case ROLLED_BACK -> finish(request, withReason(request, answer), effects);
            case UNKNOWN, FORGOTTEN -> {
                effects.complete(request.future(), answer.with(request.content()));
                boolean ownEpoch = request.tx().epoch().equals(state.epoch);
                if (request.kind() == Request.Kind.COMMIT && answer.outcome() == Outcome.UNKNOWN && ownEpoch) {
                    // The sequence is held: as long as it is, the leader keeps what it may still hear.
                    request.settled = true;
                } else {
                    remove(request);
                }
            }
            case PENDING -> {
                if (request.kind() == Request.Kind.INQUIRY && request.content() == null) {
                    finish(request, answer, effects);
                } else {
                    request.pending = request.kind() == Request.Kind.INQUIRY;
                    retryLater(request);
                }
            }
            case NOT_LEADER -> {
                EpochId here = state.epoch;
                if (here != null && request.tx().epoch().number() > here.number()) {
                    // An id proves no epoch, as those of another cluster: nobody else loses the stream for it.
                    retryLater(request);
                } else {
                    request.correlation = 0;
                    state.tryElsewhere("not the leader of " + request.tx());
                }
            }
        }
    }

    private void retryLater(Request request) {
        request.correlation = 0;
        loop.schedule(() -> locked.accept(effects -> retry(request, effects)), inquiryPauseMillis);
    }

    private void finish(Request request, Answer answer, Effects effects) {
        remove(request);
        OpenTransaction transaction = request.transaction();
        Reason reason = answer.reason();
        if (answer.outcome() == Outcome.ROLLED_BACK && transaction != null && reason != null) {
            transaction.endBecause(reason);
        }
        effects.complete(request.future(), answer.with(request.content()));
    }

    private Answer withReason(Request request, Answer answer) {
        Reason refusal = request.refusal;
        if (refusal != null) {
            return answer.because(refusal);
        }
        if (answer.reason() != null || request.kind() == Request.Kind.INQUIRY) {
            return answer;
        }
        boolean ownEpoch = request.tx().epoch().equals(state.epoch);
        return answer.because(
                ownEpoch
                        ? new Reason(ErrorCode.ROLLBACK_ONLY, "the coordinator gave no reason")
                        : new Reason(ErrorCode.LEADER_CHANGED, "the coordinator had not decided to commit"));
    }

    /** Tells those that have waited long enough; a Commit is asked on for a while, so that a late answer ends it here. */
    void giveUp(long now, long keptNanos, Effects effects) {
        for (Request request : all()) {
            if (request.giveUpNanos - now > 0) {
                continue;
            }
            if (!request.future().isDone()) {
                String why = state.linkUp
                        ? "no outcome of " + request.tx() + " in time"
                        : "no coordinator told the outcome of " + request.tx();
                effects.complete(request.future(), lastWord(request, new Reason(ErrorCode.OUTCOME_UNKNOWN, why)));
            }
            if (request.kind() != Request.Kind.COMMIT || request.giveUpNanos + keptNanos - now <= 0) {
                remove(request);
            }
        }
    }

    /** What is said when nobody waits for the answer any longer. */
    static Answer lastWord(Request request, Reason reason) {
        return switch (request.kind()) {
            case ROLLBACK -> rolledBack(request);
            case COMMIT, INQUIRY ->
                Answer.of(request.tx(), request.pending ? Outcome.PENDING : Outcome.UNKNOWN, reason)
                        .with(request.content());
        };
    }

    /** The same when nothing is sent any more: a Commit that has never left is certainly none. */
    static Answer atClose(Request request, Reason reason) {
        boolean never = request.kind() == Request.Kind.COMMIT && !request.commitMayHaveArrived;
        return never ? Answer.rolledBack(request.tx(), reason) : lastWord(request, reason);
    }

    private static Answer rolledBack(Request request) {
        Reason reason = request.refusal;
        return Answer.rolledBack(request.tx(), reason == null ? Reason.of(ErrorCode.ROLLED_BACK_BY_CLIENT) : reason);
    }

    private void send(Request request, Effects effects) {
        boolean ownEpoch = request.tx().epoch().equals(state.epoch);
        if (!ownEpoch && request.kind() != Request.Kind.INQUIRY && !request.commitMayHaveArrived) {
            finish(
                    request,
                    request.kind() == Request.Kind.ROLLBACK
                            ? rolledBack(request)
                            : Answer.rolledBack(
                                    request.tx(),
                                    new Reason(ErrorCode.LEADER_CHANGED, "the commit request had not been sent")),
                    effects);
            return;
        }
        if (!state.linkUp || request.settled) {
            return;
        }
        ClientEntry.Builder entry = switch (request.kind()) {
            case COMMIT -> ownEpoch && !request.asksOutcome ? commit(request) : inquiry(request);
            case ROLLBACK -> rollback(request);
            case INQUIRY -> inquiry(request);
        };
        request.correlation = state.send(entry);
        byCorrelation.put(request.correlation, request);
    }

    private static ClientEntry.Builder commit(Request request) {
        OpenTransaction transaction = own(request);
        request.commitMayHaveArrived = true;
        Commit.Builder commit = Commit.newBuilder()
                .setTx(WireCodec.toWire(request.tx()))
                .setKey(WireCodec.toWire(transaction.session().key()))
                .setLowestOpen(transaction.session().reportLowestOpen())
                .setWaitFor(request.decidedSuffices() ? WaitFor.WAIT_FOR_DECIDED : WaitFor.WAIT_FOR_COMPLETED)
                .setRemainingMillis(transaction.scope().remainingMillis());
        CommitContent content = request.content();
        if (content != null) {
            commit.setContent(WireCodec.toWire(content));
        }
        request.votes().forEach(vote -> commit.addVotes(WireCodec.toWire(vote)));
        return ClientEntry.newBuilder().setCommit(commit);
    }

    private static ClientEntry.Builder rollback(Request request) {
        OpenTransaction transaction = own(request);
        Rollback.Builder rollback = Rollback.newBuilder()
                .setTx(WireCodec.toWire(request.tx()))
                .setKey(WireCodec.toWire(transaction.session().key()))
                .setLowestOpen(transaction.session().reportLowestOpen());
        transaction.scope().list().branches().forEach(work -> rollback.addBranches(WireCodec.toWire(work)));
        Reason reason = request.refusal;
        if (reason != null) {
            rollback.setReason(WireCodec.toWire(reason));
        }
        return ClientEntry.newBuilder().setRollback(rollback);
    }

    private static ClientEntry.Builder inquiry(Request request) {
        OutcomeInquiry.Builder inquiry = OutcomeInquiry.newBuilder().setTx(WireCodec.toWire(request.tx()));
        CommitContent content = request.content();
        if (content != null) {
            inquiry.setContent(WireCodec.toWire(content));
        }
        return ClientEntry.newBuilder().setOutcomeInquiry(inquiry);
    }

    private static OpenTransaction own(Request request) {
        @Nullable OpenTransaction transaction = request.transaction();
        if (transaction == null) {
            throw new IllegalStateException("only an own transaction is committed or rolled back");
        }
        return transaction;
    }
}
