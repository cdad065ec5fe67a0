package io.troth.core.participant;

import io.troth.core.BranchId;
import io.troth.core.ErrorCode;
import io.troth.core.GlobalTxId;
import io.troth.core.Invariant;
import io.troth.core.Outcome;
import io.troth.core.Proof;
import io.troth.core.ProtocolViolation;
import io.troth.core.Reason;
import io.troth.core.SessionKey;
import io.troth.core.Vote;
import io.troth.core.coordinator.OnePhaseFate;
import io.troth.core.coordinator.PhaseTwoResult;
import io.troth.core.coordinator.StateReader;
import io.troth.core.coordinator.StateWriter;
import org.jspecify.annotations.Nullable;

/**
 * One branch at its agent (protocol 14, agent table).
 *
 * <pre>
 * (new) ------------> ACTIVE --prepare, checks good--> PREPARING --prepared--> PREPARED --COMMIT--> COMMITTING
 *                       |  \                            |   |  \                  |                    |
 *                       |   one phase                   |   |   answer lost       ROLLBACK            done
 *                       |     \                      refused |     \               |                    |
 *    dead, deadline,    |   ONE_PHASE                   | a rollback IN_DOUBT      |                    |
 *    broken stream, ... |      |                        | waited  |   \            |                    |
 *                       v   answered                    |   |   outcome gone       v                    |
 *                  ROLLING_BACK|                        |   +-----+----------> ROLLING_BACK_PREPARED    |
 *                       |      v                        v                |         |                    |
 *                       +-> FINISHED <------------------+----------------+---------+--------------------+
 * </pre>
 *
 * A branch that is found prepared in a database starts in COMMITTING or ROLLING_BACK_PREPARED when its outcome is
 * heard. Up to PREPARING the agent may roll the branch back on its own; after its YES only the decision moves it. A
 * crash of the agent forgets all of this: unprepared branches die with their connections, prepared ones are found again
 * by the list of prepared xids.
 */
final class BranchStateMachine {

    private final GlobalTxId tx;
    private final BranchId branch;
    private final String resource;
    private BranchState state;

    /** What the calls did; counts until the prepare. */
    private final BranchUse use;

    private final BranchReports reports;

    /** Why the branch is dead; while PREPARING, the rollback that waits for the database's answer. */
    private @Nullable Reason death;

    private @Nullable Proof proof;

    /** The number of lists of prepared xids started before the branch became PREPARED or IN_DOUBT. */
    private long settledAtScan;

    /** Set when the branch finishes without a decision of the leader: kept for later questions. */
    private @Nullable OnePhaseFate fate;

    private boolean attemptRunning;
    private long retryDelayMillis;

    private BranchStateMachine(GlobalTxId tx, BranchId branch, String resource, BranchState state, BranchUse use) {
        this.tx = tx;
        this.branch = branch;
        this.resource = resource;
        this.state = state;
        this.use = use;
        this.reports = new BranchReports(tx, branch, resource);
    }

    /** A branch that starts with its first call. */
    static BranchStateMachine started(GlobalTxId tx, BranchId branch, String resource, Outbox out) {
        out.tell(new AgentNotice.StateChanged(tx, branch, resource, null, BranchState.ACTIVE, null));
        return new BranchStateMachine(tx, branch, resource, BranchState.ACTIVE, new BranchUse());
    }

    /** A branch that was found prepared in its database and whose outcome is heard now. */
    static BranchStateMachine found(GlobalTxId tx, BranchId branch, String resource, Outbox out) {
        out.tell(new AgentNotice.StateChanged(tx, branch, resource, null, BranchState.IN_DOUBT, null));
        return new BranchStateMachine(tx, branch, resource, BranchState.IN_DOUBT, new BranchUse());
    }

    GlobalTxId tx() {
        return tx;
    }

    BranchId branch() {
        return branch;
    }

    String resource() {
        return resource;
    }

    BranchState state() {
        return state;
    }

    /** Why the branch is dead, null when it is not. */
    @Nullable
    Reason death() {
        return death;
    }

    /** Whether the branch could still vote YES or commit in one phase. */
    boolean isUnprepared() {
        return switch (state) {
            case ACTIVE, PREPARING, ONE_PHASE, ROLLING_BACK -> true;
            case PREPARED, IN_DOUBT, COMMITTING, ROLLING_BACK_PREPARED, FINISHED -> false;
        };
    }

    /** Whether the leader should be asked what becomes of it, now that list number {@code scan} was read. */
    boolean wantsOutcome(long scan) {
        return (state == BranchState.PREPARED || state == BranchState.IN_DOUBT) && settledAtScan < scan;
    }

    /** Enlists the branch, unless that is done, or too late: a commit that has begun in place is nobody else's. */
    void enlist(SessionKey key, long remainingMillis, Outbox out) {
        if (state == BranchState.ACTIVE) {
            reports.enlist(key, remainingMillis, out);
        }
    }

    /** A call scope uses the branch. Only in ACTIVE. Returns true when it is the scope's first use. */
    boolean join(long scopeId) {
        return use.join(scopeId);
    }

    /** Admits a statement, or says why not. */
    @Nullable
    Reason statementBegins(long scopeId) {
        if (state != BranchState.ACTIVE) {
            return death != null
                    ? death
                    : new Reason(ErrorCode.TRANSACTION_PREPARING, "branch " + branch + " of " + tx + " is " + state);
        }
        if (!use.isOpen(scopeId)) {
            return new Reason(ErrorCode.SCOPE_CLOSED, "branch " + branch + " of " + tx);
        }
        use.statementBegins(scopeId, this::describe);
        return null;
    }

    void statementEnded(StatementEnd end, Outbox out) {
        use.statementEnded();
        if (state == BranchState.ACTIVE) {
            switch (end.kind()) {
                case COMPLETED -> {}
                case FAILED -> use.failed(orElse(end.reason(), ErrorCode.STATEMENT_FAILED));
                case UNDONE -> use.undone();
                case CONNECTION_LOST -> rollBack(orElse(end.reason(), ErrorCode.CONNECTION_LOST), out);
            }
        }
    }

    /** A call scope has ended: its running statement, or a failure that nobody is left to undo, kills the branch. */
    void scopeClosed(long scopeId, Outbox out) {
        Reason reason = use.scopeClosed(scopeId, this::describe);
        if (reason != null && state == BranchState.ACTIVE) {
            rollBack(reason, out);
        }
    }

    /** The agent gives the unprepared branch up, for one of the causes of protocol 5.7. A prepared one stays. */
    void rollBack(Reason reason, Outbox out) {
        switch (state) {
            case ACTIVE -> {
                death = reason;
                move(BranchState.ROLLING_BACK, out);
                out.add(new AgentAction.Rollback(resource, tx, branch));
            }
            case PREPARING -> death = death != null ? death : reason;
            case PREPARED, IN_DOUBT, ONE_PHASE, ROLLING_BACK, COMMITTING, ROLLING_BACK_PREPARED, FINISHED -> {}
        }
    }

    void prepare(int expectedCalls, Outbox out) {
        switch (state) {
            case ACTIVE -> {
                Reason objection = use.objection(expectedCalls, this::describe);
                if (objection != null) {
                    vote(Vote.NO, objection, out);
                    rollBack(objection, out);
                } else {
                    move(BranchState.PREPARING, out);
                    out.add(new AgentAction.Prepare(resource, tx, branch));
                }
            }
            case ROLLING_BACK -> vote(Vote.NO, death, out);
            case PREPARING, PREPARED, IN_DOUBT, ONE_PHASE, COMMITTING, ROLLING_BACK_PREPARED, FINISHED -> {}
        }
    }

    void commitOnePhase(int expectedCalls, Outbox out) {
        reports.leaderAsks();
        endInOnePhase(expectedCalls, out);
    }

    private void endInOnePhase(int expectedCalls, Outbox out) {
        switch (state) {
            case ACTIVE -> {
                Reason objection = use.objection(expectedCalls, this::describe);
                if (objection != null) {
                    rollBack(objection, out);
                    reports.onePhaseEnd(OnePhaseFate.ROLLED_BACK, objection, out);
                } else {
                    move(BranchState.ONE_PHASE, out);
                    out.add(new AgentAction.CommitOnePhase(resource, tx, branch));
                }
            }
            case ROLLING_BACK -> reports.onePhaseEnd(OnePhaseFate.ROLLED_BACK, death, out);
            case PREPARING, PREPARED, IN_DOUBT, COMMITTING, ROLLING_BACK_PREPARED ->
                out.alarm(new Reason(ErrorCode.INTERNAL, describe() + ": asked to commit in one phase"), tx);
            case ONE_PHASE, FINISHED -> {}
        }
    }

    /** T is this branch of one call, and nobody else knows of it. False when the leader does after all, and decides. */
    boolean commitInPlace(Outbox out) {
        if (!reports.clientAsks(state)) {
            return false;
        }
        endInOnePhase(1, out);
        return true;
    }

    /** T's branches are all in this process: the client brings the leader their votes. False as of a commit in place. */
    boolean prepareInPlace(Outbox out) {
        if (!reports.clientAsks(state)) {
            return false;
        }
        prepare(1, out);
        return true;
    }

    /** Protocol 8.3. A commit that runs answers for itself when it is done; its proof goes to who leads now. */
    void askOnePhase(Outbox out) {
        reports.leaderAsks();
        switch (state) {
            case ACTIVE -> {
                Reason reason = new Reason(ErrorCode.BRANCH_ROLLED_BACK, "the leader asked before any commit came");
                rollBack(reason, out);
                reports.onePhaseEnd(OnePhaseFate.ROLLED_BACK, reason, out);
            }
            case ROLLING_BACK -> reports.onePhaseEnd(OnePhaseFate.ROLLED_BACK, death, out);
            case PREPARING, PREPARED, IN_DOUBT, COMMITTING, ROLLING_BACK_PREPARED ->
                reports.onePhaseEnd(OnePhaseFate.NOT_KNOWN, null, out);
            case ONE_PHASE -> reports.onePhaseProof(proof, out);
            case FINISHED -> {}
        }
    }

    /** The decision is COMMIT. */
    void commit(@Nullable Proof decisionProof, boolean firstAttempt, Outbox out) {
        switch (state) {
            case PREPARED, IN_DOUBT -> {
                proof = decisionProof != null ? decisionProof : proof;
                move(BranchState.COMMITTING, out);
                attemptPhaseTwo(firstAttempt, out);
            }
            case COMMITTING -> attemptPhaseTwo(false, out);
            case ACTIVE, PREPARING, ONE_PHASE, ROLLING_BACK, ROLLING_BACK_PREPARED ->
                out.alarm(new Reason(ErrorCode.INTERNAL, describe() + ": told to commit without having voted YES"), tx);
            case FINISHED -> {}
        }
    }

    /** The decision is ROLLBACK, or the branch was refused. {@code forced}: an operator's, who knows no better. */
    void rollbackOrdered(Reason reason, boolean forced, Outbox out) {
        switch (state) {
            case ACTIVE, PREPARING -> rollBack(reason, out);
            case PREPARED, IN_DOUBT -> {
                death = reason;
                move(BranchState.ROLLING_BACK_PREPARED, out);
                attemptPhaseTwo(false, out);
            }
            case ROLLING_BACK_PREPARED -> attemptPhaseTwo(false, out);
            case COMMITTING ->
                // The database may have done it already, so there is no way back; the leader hears how it ended.
                out.alarm(
                        forced
                                ? new Reason(
                                        ErrorCode.HEURISTIC_MIXED,
                                        describe() + ": not rolled back by force, since its commit was on the way")
                                : new Reason(ErrorCode.INTERNAL, describe() + ": told to roll back after COMMIT"),
                        tx);
            case ONE_PHASE, ROLLING_BACK, FINISHED -> {}
        }
    }

    /** The database has answered the prepare. {@code scan}: how many lists were started so far. */
    void prepareCompleted(PrepareResult result, long scan, Outbox out) {
        if (state != BranchState.PREPARING) {
            return;
        }
        settledAtScan = scan;
        switch (result.kind()) {
            case PREPARED -> prepared(result.proof(), out);
            case READ_ONLY -> {
                move(BranchState.FINISHED, out);
                vote(Vote.READ_ONLY, null, out);
            }
            case REFUSED -> {
                death = orElse(result.reason(), ErrorCode.PREPARE_REFUSED);
                fate = OnePhaseFate.ROLLED_BACK;
                reports.bypassed(death, this::describe, out);
                move(BranchState.FINISHED, out);
                vote(Vote.NO, death, out);
            }
            case LOST -> {
                death = orElse(result.reason(), ErrorCode.CONNECTION_LOST);
                move(BranchState.IN_DOUBT, out);
                vote(Vote.NO, death, out);
            }
        }
    }

    private void prepared(@Nullable Proof voteProof, Outbox out) {
        proof = voteProof;
        if (death == null) {
            move(BranchState.PREPARED, out);
            vote(Vote.YES, null, out);
        } else {
            // The rollback that waited. No YES was said, so the agent may do it on its own.
            move(BranchState.ROLLING_BACK_PREPARED, out);
            vote(Vote.NO, death, out);
            attemptPhaseTwo(false, out);
        }
    }

    void onePhaseProofKnown(Proof known, Outbox out) {
        if (state == BranchState.ONE_PHASE) {
            proof = known;
            reports.onePhaseProof(known, out);
        }
    }

    void onePhaseCompleted(OnePhaseCompletion completion, Outbox out) {
        if (state == BranchState.ONE_PHASE) {
            death = completion.fate() == OnePhaseFate.ROLLED_BACK
                    ? orElse(completion.reason(), ErrorCode.COMMIT_REFUSED)
                    : completion.reason();
            fate = completion.fate();
            reports.bypassed(death, this::describe, out);
            move(BranchState.FINISHED, out);
            reports.onePhaseEnd(completion.fate(), death, out);
        }
    }

    void rollbackCompleted(Outbox out) {
        if (state == BranchState.ROLLING_BACK) {
            fate = OnePhaseFate.ROLLED_BACK;
            move(BranchState.FINISHED, out);
        }
    }

    void phaseTwoCompleted(PhaseTwoCompletion completion, AgentLimits limits, Outbox out) {
        if (!attemptRunning) {
            return;
        }
        attemptRunning = false;
        boolean committing = state == BranchState.COMMITTING;
        switch (completion.kind()) {
            case DONE -> phaseTwoEnded(committing, PhaseTwoResult.COMMITTED, completion.detail(), out);
            case RESOLVED_ELSEWHERE -> {
                if (committing) {
                    out.tell(new AgentNotice.ResolvedElsewhere(tx, branch, resource));
                }
                phaseTwoEnded(committing, PhaseTwoResult.RESOLVED_ELSEWHERE, completion.detail(), out);
            }
            case HEURISTIC -> {
                out.tell(new AgentNotice.Heuristic(tx, branch, resource, completion.detail()));
                phaseTwoEnded(committing, PhaseTwoResult.HEURISTIC_ROLLBACK, completion.detail(), out);
            }
            case NOT_YET -> {
                retryDelayMillis = limits.phaseTwoRetryAfter(retryDelayMillis);
                out.add(new AgentAction.StartTimer(new AgentTimerKey.PhaseTwoRetry(branch), retryDelayMillis));
                out.tell(new AgentNotice.PhaseTwoDelayed(
                        tx, branch, resource, orElse(completion.reason(), ErrorCode.INTERNAL)));
            }
        }
    }

    private void phaseTwoEnded(boolean committing, PhaseTwoResult result, String detail, Outbox out) {
        if (retryDelayMillis > 0) {
            out.add(new AgentAction.CancelTimer(new AgentTimerKey.PhaseTwoRetry(branch)));
        }
        move(BranchState.FINISHED, out);
        if (committing) {
            reports.done(result, detail, out);
        }
    }

    void retryPhaseTwo(Outbox out) {
        if (state == BranchState.COMMITTING || state == BranchState.ROLLING_BACK_PREPARED) {
            attemptPhaseTwo(false, out);
        }
    }

    /**
     * List number {@code scan} does not hold the branch. One whose prepare's answer was lost before the list was read
     * is settled for now; should the prepare complete later, the next lists find it. One that somebody else has ended, of
     * which the leader knows nothing any more, would wait for a decision for ever.
     */
    void notListed(long scan, Outbox out) {
        if (wantsOutcome(scan) && (state == BranchState.IN_DOUBT || reports.isForgotten())) {
            move(BranchState.FINISHED, out);
        }
    }

    void leftAlone(Outcome outcome) {
        reports.leftAlone(outcome);
    }

    /** How it ended without a decision of the leader; null when it did not end so. */
    @Nullable
    OnePhaseFate fate() {
        return fate;
    }

    /** By which the database can tell how it ended; null when there is none. */
    @Nullable
    Proof proof() {
        return proof;
    }

    private void attemptPhaseTwo(boolean firstAttempt, Outbox out) {
        if (attemptRunning) {
            return;
        }
        attemptRunning = true;
        out.add(
                state == BranchState.COMMITTING
                        ? new AgentAction.CommitPrepared(resource, tx, branch, proof, firstAttempt)
                        : new AgentAction.RollbackPrepared(resource, tx, branch, proof));
    }

    private void vote(Vote vote, @Nullable Reason reason, Outbox out) {
        if (vote == Vote.YES && state != BranchState.PREPARED) {
            throw new ProtocolViolation(Invariant.I9_YES_ONLY_PREPARED, describe());
        }
        reports.vote(vote, vote == Vote.YES ? proof : null, reason, out);
    }

    private void move(BranchState next, Outbox out) {
        if (next == BranchState.PREPARING && use.isRunning()) {
            throw new ProtocolViolation(Invariant.I10_NO_STATEMENT_AFTER_PREPARE, describe());
        }
        BranchState previous = state;
        state = next;
        out.tell(new AgentNotice.StateChanged(tx, branch, resource, previous, next, death));
    }

    private String describe() {
        return "transaction " + tx + " branch " + branch + " on " + resource + " in " + state;
    }

    private static Reason orElse(@Nullable Reason reason, ErrorCode code) {
        return reason != null ? reason : Reason.of(code);
    }

    /** {@code scan}: how many lists of prepared xids were started so far. */
    void write(StateWriter out, long scan) {
        out.tx(tx);
        out.branch(branch);
        out.text(resource);
        out.constant(state);
        use.write(out);
        out.optional(death, out::reason);
        out.optional(proof, out::proof);
        // A folded agent has started one list: all that counts is whether it was before this branch was settled.
        boolean settledLater =
                (state == BranchState.PREPARED || state == BranchState.IN_DOUBT) && settledAtScan >= scan;
        out.int64(out.isFolded() ? (settledLater ? 1 : 0) : settledAtScan);
        out.bool(attemptRunning);
        reports.write(out);
        out.int64(out.isFolded() ? Math.min(retryDelayMillis, 1) : retryDelayMillis);
    }

    static BranchStateMachine read(StateReader in) {
        BranchStateMachine machine = new BranchStateMachine(
                in.tx(), in.branch(), in.text(), in.constant(BranchState.values()), BranchUse.read(in));
        machine.death = in.optional(in::reason);
        machine.proof = in.optional(in::proof);
        machine.settledAtScan = in.int64();
        machine.attemptRunning = in.bool();
        machine.reports.read(in);
        machine.retryDelayMillis = in.int64();
        return machine;
    }
}
