package io.troth.core.participant;

import io.troth.core.ErrorCode;
import io.troth.core.Invariant;
import io.troth.core.ProtocolViolation;
import io.troth.core.Reason;
import io.troth.core.coordinator.StateReader;
import io.troth.core.coordinator.StateWriter;
import java.util.TreeSet;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;

/** What the calls of T did on one branch, as far as its vote depends on it (protocol 5.4, 5.5, 7.1). */
final class BranchUse {

    /** The scopes that joined and have not closed. */
    private final TreeSet<Long> openScopes = new TreeSet<>();

    /** How many call scopes ever joined: what the client must have counted too. */
    private int calls;

    private int runningStatements;
    private long runningScope;

    /** A failure that no savepoint has undone: the branch votes NO. */
    private @Nullable Reason failure;

    /** Returns true when it is the scope's first use of the branch. */
    boolean join(long scopeId) {
        boolean first = openScopes.add(scopeId);
        if (first) {
            calls = Math.addExact(calls, 1);
        }
        return first;
    }

    boolean isOpen(long scopeId) {
        return openScopes.contains(scopeId);
    }

    boolean isRunning() {
        return runningStatements > 0;
    }

    /** Statements of one branch run one at a time; parts of one call's statement may nest. */
    void statementBegins(long scopeId, Supplier<String> branch) {
        if (isRunning() && runningScope != scopeId) {
            throw new ProtocolViolation(
                    Invariant.I10_NO_STATEMENT_AFTER_PREPARE, branch.get() + ": statements of two calls at once");
        }
        runningStatements++;
        runningScope = scopeId;
    }

    void statementEnded() {
        runningStatements = Math.max(0, runningStatements - 1);
    }

    /** The first failure is kept. */
    void failed(Reason reason) {
        failure = failure != null ? failure : reason;
    }

    void undone() {
        failure = null;
    }

    /** A scope has closed: says why the branch is dead now, null when it lives on. */
    @Nullable
    Reason scopeClosed(long scopeId, Supplier<String> branch) {
        if (!openScopes.remove(scopeId)) {
            return null;
        }
        if (isRunning() && runningScope == scopeId) {
            return new Reason(ErrorCode.STATEMENT_RUNNING, branch.get() + ": its call ended");
        }
        // With no scope left there is no handle by which a savepoint could undo the failure.
        return openScopes.isEmpty() ? failure : null;
    }

    /** What speaks against commit, null when nothing does. */
    @Nullable
    Reason objection(int expectedCalls, Supplier<String> branch) {
        if (isRunning()) {
            return new Reason(ErrorCode.STATEMENT_RUNNING, branch.get());
        }
        if (failure != null) {
            return failure;
        }
        if (expectedCalls != calls) {
            return new Reason(
                    ErrorCode.CALL_COUNT_DIFFERS,
                    branch.get() + " executed " + calls + " calls, the client had replies of " + expectedCalls);
        }
        return null;
    }

    void write(StateWriter out) {
        out.int32(openScopes.size());
        openScopes.forEach(out::int64);
        out.int32(calls);
        out.int32(runningStatements);
        out.int64(out.isFolded() && !isRunning() ? 0 : runningScope);
        out.optional(failure, out::reason);
    }

    static BranchUse read(StateReader in) {
        BranchUse use = new BranchUse();
        for (int left = in.count(); left > 0; left--) {
            use.openScopes.add(in.int64());
        }
        use.calls = in.int32();
        use.runningStatements = in.int32();
        use.runningScope = in.int64();
        use.failure = in.optional(in::reason);
        return use;
    }
}
