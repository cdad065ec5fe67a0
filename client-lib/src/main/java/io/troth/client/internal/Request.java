package io.troth.client.internal;

import io.troth.client.context.InPlaceBranch.Ballot;
import io.troth.core.GlobalTxId;
import io.troth.core.Reason;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import org.jspecify.annotations.Nullable;

/** A question about a transaction that waits for its answer. Guarded by the engine's lock. */
final class Request {

    /** What the application wants. */
    enum Kind {
        COMMIT,
        ROLLBACK,
        INQUIRY
    }

    private final Kind kind;
    private final GlobalTxId tx;
    private final @Nullable OpenTransaction transaction;
    private final @Nullable CommitContent content;
    private final boolean decidedSuffices;
    private final List<Ballot> votes;
    private final CompletableFuture<Answer> future = new CompletableFuture<>();

    /** That of the last entry that asked; 0 when it has to be sent (again). */
    long correlation;

    /** When the application stops waiting. */
    long giveUpNanos;

    /** True from the moment at which a Commit may have reached a leader: from then on only an answer is certain. */
    boolean commitMayHaveArrived;

    /** True when only the outcome is asked for, since the leader refused to take the Commit. */
    boolean asksOutcome;

    /** True of an inquiry when the leader that is connected has last said PENDING. */
    boolean pending;

    /** True when the request is only kept for its sequence, and nothing more is asked. */
    boolean settled;

    /** Why the leader refused the Commit; null when it did not. */
    @Nullable
    Reason refusal;

    private Request(
            Kind kind,
            GlobalTxId tx,
            @Nullable OpenTransaction transaction,
            @Nullable CommitContent content,
            boolean decidedSuffices,
            List<Ballot> votes) {
        this.kind = kind;
        this.tx = tx;
        this.transaction = transaction;
        this.content = content;
        this.decidedSuffices = decidedSuffices;
        this.votes = votes;
    }

    static Request commit(OpenTransaction transaction, CommitContent content, boolean decidedSuffices) {
        return new Request(Kind.COMMIT, transaction.id(), transaction, content, decidedSuffices, List.of());
    }

    /** The branches were prepared in place: their votes, in the order of the list. The decision is all the leader has to say. */
    static Request voted(OpenTransaction transaction, CommitContent content, List<Ballot> votes) {
        return new Request(Kind.COMMIT, transaction.id(), transaction, content, true, votes);
    }

    /** A commit in place whose end nobody in this process can tell: there is no Commit to send, only to ask. */
    static Request lostCommit(OpenTransaction transaction, CommitContent content) {
        Request request = commit(transaction, content, false);
        request.commitMayHaveArrived = true;
        request.asksOutcome = true;
        return request;
    }

    static Request rollback(OpenTransaction transaction, Reason reason) {
        Request request = new Request(Kind.ROLLBACK, transaction.id(), transaction, null, false, List.of());
        request.refusal = reason;
        return request;
    }

    static Request inquiry(GlobalTxId tx, @Nullable CommitContent content) {
        return new Request(Kind.INQUIRY, tx, null, content, false, List.of());
    }

    Kind kind() {
        return kind;
    }

    GlobalTxId tx() {
        return tx;
    }

    @Nullable
    OpenTransaction transaction() {
        return transaction;
    }

    @Nullable
    CommitContent content() {
        return content;
    }

    boolean decidedSuffices() {
        return decidedSuffices;
    }

    /** Empty when the leader is to have the branches prepared. */
    List<Ballot> votes() {
        return votes;
    }

    CompletableFuture<Answer> future() {
        return future;
    }
}
