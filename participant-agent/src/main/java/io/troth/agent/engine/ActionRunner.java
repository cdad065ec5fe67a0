package io.troth.agent.engine;

import io.troth.core.BranchId;
import io.troth.core.ErrorCode;
import io.troth.core.GlobalTxId;
import io.troth.core.Proof;
import io.troth.core.Reason;
import io.troth.core.coordinator.Fate;
import io.troth.core.participant.AgentAction;
import io.troth.core.participant.AgentEvent;
import io.troth.core.participant.OnePhaseCompletion;
import io.troth.core.participant.PhaseTwoCompletion;
import io.troth.core.participant.PrepareResult;
import io.troth.core.participant.ScanCompletion;
import java.util.Objects;
import java.util.concurrent.Executor;
import java.util.function.Consumer;
import java.util.function.Function;
import org.jspecify.annotations.Nullable;

/**
 * Carries out the machine's actions on the ports. Under the engine's lock; completions come back as events, on whatever
 * thread a port delivers them. A port that throws instead of answering counts as the worst answer it could have given.
 */
final class ActionRunner implements AgentAction.Visitor {

    private final AgentEngine.Parts parts;
    private final Consumer<AgentEvent> events;
    private final Consumer<AgentAction> answers;
    private final Function<BranchId, @Nullable Executor> callers;

    /** {@code callers}: who lends the thread for a prepare or commit in place; null for nobody. */
    ActionRunner(
            AgentEngine.Parts parts,
            Consumer<AgentEvent> events,
            Consumer<AgentAction> answers,
            Function<BranchId, @Nullable Executor> callers) {
        this.parts = parts;
        this.events = events;
        this.answers = answers;
        this.callers = callers;
    }

    @Override
    public void callAdmitted(AgentAction.CallAdmitted action) {
        answers.accept(action);
    }

    @Override
    public void callRefused(AgentAction.CallRefused action) {
        answers.accept(action);
    }

    @Override
    public void statementRefused(AgentAction.StatementRefused action) {
        answers.accept(action);
    }

    @Override
    public void votedInPlace(AgentAction.VotedInPlace action) {
        answers.accept(action);
    }

    @Override
    public void endedInPlace(AgentAction.EndedInPlace action) {
        answers.accept(action);
    }

    @Override
    public void send(AgentAction.Send action) {
        parts.link().send(action.message());
    }

    @Override
    public void closeStream(AgentAction.CloseStream action) {
        parts.link().refuse(action.reason());
    }

    @Override
    public void prepare(AgentAction.Prepare action) {
        GlobalTxId tx = action.tx();
        BranchId branch = action.branch();
        reached(StepListener.Point.BEFORE_PREPARE, tx, branch);
        Consumer<PrepareResult> done = result -> {
            boolean prepared = result.kind() == PrepareResult.Kind.PREPARED;
            if (prepared) {
                reached(StepListener.Point.AFTER_PREPARE_BEFORE_VOTE, tx, branch);
            }
            events.accept(new AgentEvent.PrepareCompleted(branch, result));
            if (prepared) {
                reached(StepListener.Point.AFTER_VOTE, tx, branch);
            }
        };
        Executor caller = callers.apply(branch);
        guarded(
                () -> {
                    if (caller == null) {
                        database(action.resource()).prepare(tx, branch, done);
                    } else {
                        database(action.resource()).prepareInPlace(caller, tx, branch, done);
                    }
                },
                failure -> done.accept(PrepareResult.lost(failure)));
    }

    @Override
    public void commitOnePhase(AgentAction.CommitOnePhase action) {
        GlobalTxId tx = action.tx();
        BranchId branch = action.branch();
        reached(StepListener.Point.BEFORE_ONE_PHASE, tx, branch);
        Consumer<OnePhaseCompletion> done = completion -> {
            reached(StepListener.Point.AFTER_ONE_PHASE_BEFORE_RESULT, tx, branch);
            events.accept(new AgentEvent.OnePhaseCompleted(branch, completion));
        };
        Consumer<Proof> proof = known -> events.accept(new AgentEvent.OnePhaseProofKnown(branch, known));
        Executor caller = callers.apply(branch);
        guarded(
                () -> {
                    if (caller == null) {
                        database(action.resource()).commitOnePhase(tx, branch, proof, done);
                    } else {
                        database(action.resource()).commitInPlace(caller, tx, branch, proof, done);
                    }
                },
                failure -> done.accept(OnePhaseCompletion.lost(failure)));
    }

    @Override
    public void rollback(AgentAction.Rollback action) {
        BranchId branch = action.branch();
        guarded(
                () -> database(action.resource())
                        .rollback(
                                action.tx(),
                                branch,
                                confirmed -> events.accept(new AgentEvent.RollbackCompleted(branch))),
                failure -> events.accept(new AgentEvent.RollbackCompleted(branch)));
    }

    @Override
    public void commitPrepared(AgentAction.CommitPrepared action) {
        reached(StepListener.Point.BEFORE_PHASE_TWO, action.tx(), action.branch());
        Consumer<PhaseTwoCompletion> done = phaseTwoDone(action.tx(), action.branch());
        guarded(
                () -> database(action.resource())
                        .commitPrepared(action.tx(), action.branch(), action.proof(), action.firstAttempt(), done),
                failure -> done.accept(PhaseTwoCompletion.notYet(failure)));
    }

    @Override
    public void rollbackPrepared(AgentAction.RollbackPrepared action) {
        reached(StepListener.Point.BEFORE_PHASE_TWO, action.tx(), action.branch());
        Consumer<PhaseTwoCompletion> done = phaseTwoDone(action.tx(), action.branch());
        guarded(
                () -> database(action.resource()).rollbackPrepared(action.tx(), action.branch(), action.proof(), done),
                failure -> done.accept(PhaseTwoCompletion.notYet(failure)));
    }

    private Consumer<PhaseTwoCompletion> phaseTwoDone(GlobalTxId tx, BranchId branch) {
        return completion -> {
            if (completion.kind() != PhaseTwoCompletion.Kind.NOT_YET) {
                reached(StepListener.Point.AFTER_PHASE_TWO_BEFORE_DONE, tx, branch);
            }
            events.accept(new AgentEvent.PhaseTwoCompleted(branch, completion));
        };
    }

    @Override
    public void listPrepared(AgentAction.ListPrepared action) {
        String resource = action.resource();
        guarded(
                () -> database(resource)
                        .listPrepared(completion -> events.accept(new AgentEvent.ScanCompleted(resource, completion))),
                failure -> events.accept(new AgentEvent.ScanCompleted(resource, ScanCompletion.failed(failure))));
    }

    @Override
    public void askDatabase(AgentAction.AskDatabase action) {
        Consumer<Fate> done = fate -> events.accept(new AgentEvent.FateKnown(action.tx(), action.branch(), fate));
        guarded(() -> database(action.resource()).fate(action.proof(), done), failure -> done.accept(Fate.IN_PROGRESS));
    }

    @Override
    public void useCluster(AgentAction.UseCluster action) {
        parts.databases().values().forEach(database -> database.clusterKnown(action.cluster()));
    }

    @Override
    public void startTimer(AgentAction.StartTimer action) {
        parts.timers()
                .start(
                        action.key(),
                        action.delayMillis(),
                        () -> events.accept(new AgentEvent.TimerFired(action.key())));
    }

    @Override
    public void cancelTimer(AgentAction.CancelTimer action) {
        parts.timers().cancel(action.key());
    }

    @Override
    public void notify(AgentAction.Notify action) {
        parts.listener().heard(action.notice());
    }

    private BranchDatabase database(String resource) {
        return Objects.requireNonNull(parts.databases().get(resource), resource);
    }

    private void reached(StepListener.Point point, GlobalTxId tx, BranchId branch) {
        parts.steps().reached(point, tx, branch);
    }

    private static void guarded(Runnable call, Consumer<Reason> failed) {
        try {
            call.run();
        } catch (RuntimeException e) {
            failed.accept(new Reason(ErrorCode.INTERNAL, "the database port threw " + e));
        }
    }
}
