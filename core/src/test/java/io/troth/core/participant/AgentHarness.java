package io.troth.core.participant;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;

import io.troth.core.BranchId;
import io.troth.core.ClusterId;
import io.troth.core.EpochId;
import io.troth.core.ErrorCode;
import io.troth.core.GlobalTxId;
import io.troth.core.Proof;
import io.troth.core.Reason;
import io.troth.core.SessionKey;
import io.troth.core.coordinator.AgentMessage;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * Drives one machine and writes down what it wants as short words, notices left out. Every step also checks that the
 * state survives encode and decode.
 */
final class AgentHarness {

    static final long INSTANCE = 0xa;
    static final ClusterId CLUSTER = new ClusterId(7);
    static final SessionKey KEY = new SessionKey(1, 2);
    static final EpochId EPOCH = new EpochId(3, 33);
    static final EpochId NEXT_EPOCH = new EpochId(4, 44);
    static final GlobalTxId TX = tx(1);
    static final BranchId BRANCH = new BranchId(INSTANCE, 1);
    static final String RESOURCE = "accounts";
    static final Proof PROOF = Proof.of(new byte[] {1});
    static final Reason WHY = new Reason(ErrorCode.PREPARE_REFUSED, "why");

    final AgentLimits limits;
    final List<AgentNotice> notices = new ArrayList<>();
    AgentStateMachine machine;
    private long ticket;

    AgentHarness() {
        this(AgentLimits.DEFAULTS);
    }

    AgentHarness(AgentLimits limits) {
        this.limits = limits;
        machine = new AgentStateMachine(INSTANCE, List.of(RESOURCE, "books"), limits);
    }

    static GlobalTxId tx(long sequence) {
        return new GlobalTxId(0, EPOCH, 5, sequence);
    }

    /** Takes the event and returns the actions as words. */
    List<String> step(AgentEvent event) {
        List<String> words = new ArrayList<>();
        for (AgentAction action : actions(event)) {
            if (action instanceof AgentAction.Notify notify) {
                notices.add(notify.notice());
            } else {
                words.add(word(action));
            }
        }
        return words;
    }

    List<AgentAction> actions(AgentEvent event) {
        List<AgentAction> actions = machine.step(event);
        byte[] state = machine.encode();
        machine = AgentStateMachine.decode(state, limits);
        assertArrayEquals(state, machine.encode());
        return actions;
    }

    /** A machine with a stream to the ready leader of {@link #EPOCH} and empty lists of prepared xids. */
    AgentHarness welcomed() {
        step(new AgentEvent.ClusterHeard(CLUSTER));
        step(new AgentEvent.ScanCompleted(RESOURCE, ScanCompletion.listed(List.of(), 0)));
        step(new AgentEvent.ScanCompleted("books", ScanCompletion.listed(List.of(), 0)));
        welcome(EPOCH);
        step(new AgentEvent.ScanCompleted(RESOURCE, ScanCompletion.listed(List.of(), 0)));
        step(new AgentEvent.ScanCompleted("books", ScanCompletion.listed(List.of(), 0)));
        notices.clear();
        return this;
    }

    List<String> welcome(EpochId epoch) {
        step(new AgentEvent.Heard(epoch, 100));
        return order(epoch, new AgentMessage.Welcome(epoch));
    }

    List<String> order(AgentMessage message) {
        return order(EPOCH, message);
    }

    List<String> order(EpochId epoch, AgentMessage message) {
        return step(new AgentEvent.Ordered(epoch, message));
    }

    List<String> join(GlobalTxId tx, long call, long scopeId) {
        return join(tx, call, scopeId, RESOURCE);
    }

    List<String> join(GlobalTxId tx, long call, long scopeId, String resource) {
        return step(new AgentEvent.CallJoins(++ticket, CLUSTER, tx, KEY, call, scopeId, resource, 60_000, false));
    }

    /** The same of which only the client in this process has heard. */
    AgentHarness activeInPlace() {
        welcomed();
        step(new AgentEvent.CallJoins(++ticket, CLUSTER, TX, KEY, 11, 21, RESOURCE, 60_000, true));
        step(new AgentEvent.ScopeClosed(TX, 21));
        return this;
    }

    /** T with one call on one branch, whose scope has closed. */
    AgentHarness active() {
        welcomed();
        join(TX, 11, 21);
        step(new AgentEvent.ScopeClosed(TX, 21));
        return this;
    }

    AgentHarness preparing() {
        active();
        order(new AgentMessage.Prepare(TX, BRANCH, 1));
        return this;
    }

    AgentHarness prepared() {
        preparing();
        step(new AgentEvent.PrepareCompleted(BRANCH, PrepareResult.prepared(PROOF)));
        return this;
    }

    /** The same with a client in this process that brings the vote. */
    AgentHarness preparingInPlace() {
        activeInPlace();
        step(new AgentEvent.PrepareInPlace(TX, BRANCH));
        return this;
    }

    AgentHarness preparedInPlace() {
        preparingInPlace();
        step(new AgentEvent.PrepareCompleted(BRANCH, PrepareResult.prepared(PROOF)));
        return this;
    }

    AgentHarness scanned(List<PreparedXid> prepared) {
        step(new AgentEvent.DatabaseConnectionLost(RESOURCE));
        step(new AgentEvent.ScanCompleted(RESOURCE, ScanCompletion.listed(prepared, 0)));
        return this;
    }

    BranchState state() {
        return machine.stateOf(BRANCH);
    }

    static String word(AgentAction action) {
        if (action instanceof AgentAction.Send send) {
            return word(send.message());
        }
        if (action instanceof AgentAction.CallRefused refused) {
            return "CallRefused " + refused.reason().code();
        }
        if (action instanceof AgentAction.StatementRefused refused) {
            return "StatementRefused " + refused.reason().code();
        }
        if (action instanceof AgentAction.VotedInPlace voted) {
            return "VotedInPlace " + voted.vote() + (voted.proof() == null ? "" : " proof") + because(voted.reason());
        }
        if (action instanceof AgentAction.EndedInPlace ended) {
            return "EndedInPlace " + ended.fate() + because(ended.reason());
        }
        if (action instanceof AgentAction.CallAdmitted admitted) {
            return "CallAdmitted " + admitted.branch().counter() + (admitted.first() ? " first" : "");
        }
        if (action instanceof AgentAction.StartTimer timer) {
            return "StartTimer " + timer.key().getClass().getSimpleName() + " " + timer.delayMillis();
        }
        if (action instanceof AgentAction.CancelTimer timer) {
            return "CancelTimer " + timer.key().getClass().getSimpleName();
        }
        if (action instanceof AgentAction.CommitPrepared commit) {
            return "CommitPrepared" + (commit.firstAttempt() ? " first" : "")
                    + (commit.proof() == null ? "" : " proof");
        }
        return action.getClass().getSimpleName();
    }

    private static String because(@Nullable Reason reason) {
        return reason == null ? "" : " " + reason.code();
    }

    private static String word(CoordinatorMessage message) {
        if (message instanceof CoordinatorMessage.BranchVote vote) {
            return "vote " + vote.vote() + (vote.proof() == null ? "" : " proof") + because(vote.reason());
        }
        if (message instanceof CoordinatorMessage.OnePhaseResult result) {
            return "OnePhaseResult " + result.fate() + because(result.reason());
        }
        if (message instanceof CoordinatorMessage.BranchDone done) {
            return "BranchDone " + done.result();
        }
        if (message instanceof CoordinatorMessage.ScanReport report) {
            return "ScanReport " + report.lowestEpoch() + " " + report.lowestSession();
        }
        return message.getClass().getSimpleName();
    }
}
