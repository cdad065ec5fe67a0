package io.troth.core.coordinator;

import io.troth.core.BranchId;
import io.troth.core.GlobalTxId;
import io.troth.core.Reason;
import java.util.Map;
import java.util.TreeMap;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;

/** Actions as one line of text each, for the scenario scripts. Streams have the names of their owners. */
final class ActionText
        implements Action.Visitor<String>,
                AgentMessage.Visitor<String>,
                ClientMessage.Visitor<String>,
                Notice.Visitor<String>,
                LogRecord.Visitor<String>,
                TimerKey.Visitor<String> {

    private final Map<StreamId, String> names = new TreeMap<>();

    void name(StreamId stream, String name) {
        names.put(stream, name);
    }

    String of(StreamId stream) {
        return names.getOrDefault(stream, "stream " + stream.value());
    }

    static String of(GlobalTxId tx) {
        return tx.epoch().number() + "." + tx.session() + "." + tx.sequence();
    }

    /** The instance's letter and the counter. */
    static String of(@Nullable BranchId branch) {
        return branch == null ? "-" : (char) branch.instance() + Long.toString(branch.counter());
    }

    static String of(TransactionView view) {
        return of(view.tx()) + " " + view.state() + " of " + view.clientName()
                + view.branches().stream()
                        .map(branch -> ", " + of(branch.branch()) + " at " + branch.resource()
                                + (branch.vote() == null ? "" : " " + branch.vote())
                                + (branch.done() ? " done" : ""))
                        .collect(Collectors.joining())
                + (view.outcome() == null ? "" : ": " + view.outcome())
                + of(view.reason(), " ");
    }

    private static String of(@Nullable Reason reason, String prefix) {
        if (reason == null) {
            return "";
        }
        return prefix + reason.code() + (reason.detail().isEmpty() ? "" : " (" + reason.detail() + ")");
    }

    @Override
    public String append(Action.Append action) {
        return (action.forced() ? "FORCE " : "LAZY  ") + action.record().accept(this);
    }

    @Override
    public String fetchCommit(Action.FetchCommit action) {
        return "fetch COMMIT " + of(action.tx());
    }

    @Override
    public String purge(Action.Purge action) {
        return "purge up to " + horizon(action.horizon());
    }

    @Override
    public String startTimer(Action.StartTimer action) {
        return "timer " + action.key().accept(this) + " in " + action.delayMillis() + " ms";
    }

    @Override
    public String cancelTimer(Action.CancelTimer action) {
        return "timer " + action.key().accept(this) + " cancelled";
    }

    @Override
    public String sendToAgent(Action.SendToAgent action) {
        return "-> " + of(action.stream()) + ": " + action.message().accept(this);
    }

    @Override
    public String sendToClient(Action.SendToClient action) {
        return "-> " + of(action.stream()) + ": " + action.message().accept(this);
    }

    @Override
    public String closeStream(Action.CloseStream action) {
        return "cut " + of(action.stream()) + of(action.reason(), ": ");
    }

    @Override
    public String notify(Action.Notify action) {
        return "* " + action.notice().accept(this);
    }

    @Override
    public String welcome(AgentMessage.Welcome message) {
        return "Welcome to epoch " + message.epoch().number();
    }

    @Override
    public String enlistRefused(AgentMessage.EnlistRefused message) {
        return "EnlistRefused " + of(message.tx()) + " " + of(message.branch()) + of(message.reason(), ": ");
    }

    @Override
    public String prepare(AgentMessage.Prepare message) {
        return "Prepare " + of(message.tx()) + " " + of(message.branch()) + " calls=" + message.calls();
    }

    @Override
    public String commitOnePhase(AgentMessage.CommitOnePhase message) {
        return "CommitOnePhase " + of(message.tx()) + " " + of(message.branch()) + " calls=" + message.calls();
    }

    @Override
    public String askOnePhase(AgentMessage.AskOnePhase message) {
        return "AskOnePhase " + of(message.tx()) + " " + of(message.branch());
    }

    @Override
    public String commitBranch(AgentMessage.CommitBranch message) {
        return "Commit " + of(message.tx()) + " " + of(message.branch()) + " at " + message.resource()
                + (message.proof() == null ? "" : " with proof")
                + (message.firstAttempt() ? " first attempt" : "")
                + (message.forced() ? " by force" : "");
    }

    @Override
    public String rollbackBranch(AgentMessage.RollbackBranch message) {
        return "Rollback " + of(message.tx()) + " " + of(message.branch()) + " at " + message.resource()
                + (message.forced() ? " by force" : "");
    }

    @Override
    public String sessionClosed(AgentMessage.SessionClosed message) {
        return "SessionClosed " + message.epoch().number() + "." + message.session();
    }

    @Override
    public String inquiryAnswer(AgentMessage.InquiryAnswer message) {
        return "InquiryAnswer " + of(message.tx()) + " " + of(message.branch()) + " " + message.outcome();
    }

    @Override
    public String askFate(AgentMessage.AskFate message) {
        return "AskFate " + of(message.tx()) + " " + of(message.branch()) + " at " + message.resource();
    }

    @Override
    public String sessionOpened(ClientMessage.SessionOpened message) {
        return "SessionOpened " + message.epoch().number() + "." + message.session() + " maxOpen=" + message.maxOpen()
                + " maxAge=" + message.maxAgeMillis() + " ms" + (message.commitsInPlace() ? " in place" : "");
    }

    @Override
    public String accepting(ClientMessage.Accepting message) {
        return "Accepting " + (message.accepting() ? "yes" : "no" + of(message.reason(), ": "));
    }

    @Override
    public String answer(ClientMessage.Answer message) {
        return "Answer " + of(message.tx()) + " " + message.outcome()
                + (message.completing() ? " completing" : "")
                + (message.branch() == null ? "" : " because of " + of(message.branch()))
                + of(message.reason(), ": ");
    }

    @Override
    public String refused(ClientMessage.Refused message) {
        return "Refused" + of(message.reason(), ": ");
    }

    @Override
    public String ready(Notice.Ready notice) {
        return "ready in epoch " + notice.epoch().number() + ", " + notice.inDoubt() + " in doubt";
    }

    @Override
    public String stateChanged(Notice.StateChanged notice) {
        return of(notice.tx()) + " " + notice.from() + " -> " + notice.to();
    }

    @Override
    public String ended(Notice.Ended notice) {
        return of(notice.tx()) + " ended " + notice.outcome() + of(notice.reason(), ": ");
    }

    @Override
    public String requestRefused(Notice.RequestRefused notice) {
        return "refused" + of(notice.reason(), ": ");
    }

    @Override
    public String resolvedElsewhere(Notice.ResolvedElsewhere notice) {
        return "RESOLVED ELSEWHERE " + of(notice.tx()) + " " + of(notice.branch());
    }

    @Override
    public String heuristicMixed(Notice.HeuristicMixed notice) {
        return "HEURISTIC MIXED " + of(notice.tx()) + " " + of(notice.branch()) + ": " + notice.detail();
    }

    @Override
    public String alarm(Notice.Alarm notice) {
        return "ALARM" + of(notice.reason(), " ") + (notice.tx() == null ? "" : " about " + of(notice.tx()));
    }

    @Override
    public String fenced(Notice.Fenced notice) {
        return "FENCED COMMIT " + of(notice.tx()) + " in epoch " + notice.entryEpoch();
    }

    @Override
    public String epoch(LogRecord.Epoch epoch) {
        return "EPOCH " + epoch.epoch().number();
    }

    @Override
    public String commit(LogRecord.Commit commit) {
        return "COMMIT " + of(commit.tx()) + " {"
                + commit.branches().stream()
                        .map(yes -> of(yes.branch()) + " at " + yes.resource())
                        .collect(Collectors.joining(", "))
                + "}";
    }

    @Override
    public String end(LogRecord.End end) {
        return "END " + of(end.tx());
    }

    @Override
    public String horizon(LogRecord.Horizon horizon) {
        String session = horizon.session() == Long.MAX_VALUE ? "*" : Long.toString(horizon.session());
        return "HORIZON " + horizon.epoch().number() + "." + session;
    }

    @Override
    public String distrust(LogRecord.Distrust distrust) {
        return "DISTRUST " + distrust.epochNumber();
    }

    @Override
    public String heuristic(LogRecord.Heuristic heuristic) {
        return "HEURISTIC " + of(heuristic.tx()) + " " + of(heuristic.branch()) + " " + heuristic.decision() + " \""
                + heuristic.reason() + "\"";
    }

    @Override
    public String deadline(TimerKey.Deadline key) {
        return "deadline " + of(key.tx());
    }

    @Override
    public String completionLimit(TimerKey.CompletionLimit key) {
        return "completion " + of(key.tx());
    }

    @Override
    public String phaseTwoRetry(TimerKey.PhaseTwoRetry key) {
        return "retry " + of(key.tx());
    }

    @Override
    public String instanceGone(TimerKey.InstanceGone key) {
        return "gone " + of(key.tx());
    }

    @Override
    public String fateRetry(TimerKey.FateRetry key) {
        return "fate " + of(key.tx());
    }

    @Override
    public String sessionGrace(TimerKey.SessionGrace key) {
        return "grace " + key.session();
    }

    @Override
    public String sessionAge(TimerKey.SessionAge key) {
        return "age " + key.session();
    }

    @Override
    public String retention(TimerKey.Retention key) {
        String session = key.session() == Long.MAX_VALUE ? "*" : Long.toString(key.session());
        return "retention " + key.epoch().number() + "." + session;
    }
}
