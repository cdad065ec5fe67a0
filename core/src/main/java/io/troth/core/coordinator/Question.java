package io.troth.core.coordinator;

import io.troth.core.BranchId;
import io.troth.core.GlobalTxId;
import org.jspecify.annotations.Nullable;

/**
 * Somebody asks what became of T and waits for the log. Either {@code request} (a client) is set, or {@code agent} with
 * {@code branch} and {@code resource}, or only {@code branch}: a decision about it by force is to be compared.
 *
 * @param content that of T's Commit, null when the client does not say or an agent asks
 */
record Question(
        GlobalTxId tx,
        @Nullable RequestId request,
        @Nullable CommitContent content,
        @Nullable StreamId agent,
        @Nullable BranchId branch,
        @Nullable String resource) {

    static Question ofClient(RequestId request, GlobalTxId tx, @Nullable CommitContent content) {
        return new Question(tx, request, content, null, null, null);
    }

    static Question ofForced(GlobalTxId tx, BranchId branch) {
        return new Question(tx, null, null, null, branch, null);
    }

    static Question ofAgent(StreamId agent, GlobalTxId tx, BranchId branch, String resource) {
        return new Question(tx, null, null, agent, branch, resource);
    }
}
