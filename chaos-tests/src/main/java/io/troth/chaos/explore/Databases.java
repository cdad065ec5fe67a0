package io.troth.chaos.explore;

import io.troth.core.BranchId;
import io.troth.core.ErrorCode;
import io.troth.core.Proof;
import io.troth.core.Reason;
import io.troth.core.coordinator.Fate;
import io.troth.core.participant.AgentAction;
import io.troth.core.participant.AgentEvent;
import io.troth.core.participant.OnePhaseCompletion;
import io.troth.core.participant.PhaseTwoCompletion;
import io.troth.core.participant.PrepareResult;
import io.troth.core.participant.PreparedXid;
import io.troth.core.participant.ScanCompletion;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import java.util.TreeSet;
import org.jspecify.annotations.Nullable;

/** The states of all databases: what every branch did in them, and what became of it. Nothing is ever forgotten. */
@SuppressWarnings("EnumOrdinal") // A fault is an index here, and nothing is kept.
final class Databases {

    /** What became of a branch. */
    enum Stage {
        ACTIVE,
        /** Its prepare was sent, its connection is gone: it will be prepared, or rolled back. */
        PREPARING_UNSEEN,
        PREPARED,
        COMMITTED,
        ROLLED_BACK,
        /** The same, after it was prepared. */
        UNDONE,
        /** It wrote nothing, and is over. */
        READ_ONLY,
        /** Its one-phase commit was sent, its connection is gone. */
        COMMITTING_UNSEEN,
        COMMITTED_ALONE;

        boolean isCommitted() {
            return this == COMMITTED || this == COMMITTED_ALONE;
        }

        /** True when it holds locks. */
        boolean isOpen() {
            return this == ACTIVE || this == PREPARING_UNSEEN || this == PREPARED || this == COMMITTING_UNSEEN;
        }
    }

    /**
     * One branch.
     *
     * @param calls numbers of the calls that it executed, in ascending order
     */
    record Branch(BranchId id, int tx, Stage stage, List<Integer> calls) {
        Branch now(Stage next) {
            return new Branch(id, tx, next, calls);
        }
    }

    /** A statement of a call has run. */
    record Ran(BranchId branch, int call) {}

    /** The process is dead: its unprepared branches are gone, but for those that were on their way. */
    record Died(long instance, Set<BranchId> preparing, Set<BranchId> committing) {
        static Died of(long instance, Set<AgentAction> asked) {
            Set<BranchId> preparing = new TreeSet<>();
            Set<BranchId> committing = new TreeSet<>();
            for (AgentAction action : asked) {
                if (action instanceof AgentAction.Prepare prepare) {
                    preparing.add(prepare.branch());
                } else if (action instanceof AgentAction.CommitOnePhase commit) {
                    committing.add(commit.branch());
                }
            }
            return new Died(instance, preparing, committing);
        }
    }

    /** What was on its way without a connection happens, or never will. */
    record Settles(BranchId branch, boolean happens) {}

    /** What a database does with a request, and number of the {@link Agents.Answered} that its agent hears; or -1. */
    record Answer(int next, int answered) {}

    private final Things<List<Branch>> states = new Things<>();
    private final LongMap inputs = new LongMap();
    private final LongMap[] asked = new LongMap[Fault.values().length];
    private final List<Answer> made = new ArrayList<>();
    private final List<int[]> unsettled = new ArrayList<>();
    private final Scope scope;
    private final Things<Object> things;

    Databases(Scope scope, Things<Object> things) {
        this.scope = scope;
        this.things = things;
        for (int i = 0; i < asked.length; i++) {
            asked[i] = new LongMap();
        }
    }

    int empty() {
        return states.number(List.of());
    }

    List<Branch> get(int state) {
        return states.get(state);
    }

    /** True for what a database answers. */
    static boolean answers(AgentAction action) {
        return action instanceof AgentAction.Prepare
                || action instanceof AgentAction.CommitOnePhase
                || action instanceof AgentAction.Rollback
                || action instanceof AgentAction.CommitPrepared
                || action instanceof AgentAction.RollbackPrepared
                || action instanceof AgentAction.ListPrepared
                || action instanceof AgentAction.AskDatabase;
    }

    /** {@link Ran}, {@link Died} or {@link Settles} happens. */
    int step(int state, int input) {
        long key = LongMap.pair(state, input);
        int known = inputs.get(key);
        if (known >= 0) {
            return known;
        }
        int next = states.number(compute(states.get(state), things.get(input)));
        inputs.put(key, next);
        return next;
    }

    private List<Branch> compute(List<Branch> before, Object input) {
        if (input instanceof Ran ran) {
            return ran(before, ran);
        }
        List<Branch> after = new ArrayList<>();
        for (Branch branch : before) {
            Branch now = branch;
            if (input instanceof Died died && branch.id().instance() == died.instance()) {
                now = died(branch, died);
            } else if (input instanceof Settles settles && branch.id().equals(settles.branch())) {
                now = settled(branch, settles.happens());
            }
            after.add(now);
        }
        return after;
    }

    private List<Branch> ran(List<Branch> before, Ran ran) {
        List<Branch> after = new ArrayList<>();
        boolean known = false;
        for (Branch branch : before) {
            Branch now = branch;
            if (branch.id().equals(ran.branch())) {
                known = true;
                List<Integer> calls = new ArrayList<>(branch.calls());
                calls.add(ran.call());
                calls.sort(null);
                now = new Branch(branch.id(), branch.tx(), branch.stage(), calls);
            }
            after.add(now);
        }
        if (!known) {
            after.add(new Branch(ran.branch(), scope.calls.get(ran.call()).tx(), Stage.ACTIVE, List.of(ran.call())));
            after.sort((left, right) -> left.id().compareTo(right.id()));
        }
        return after;
    }

    private static Branch died(Branch branch, Died died) {
        if (branch.stage() != Stage.ACTIVE) {
            return branch;
        }
        if (died.preparing().contains(branch.id())) {
            return branch.now(Stage.PREPARING_UNSEEN);
        }
        return branch.now(died.committing().contains(branch.id()) ? Stage.COMMITTING_UNSEEN : Stage.ROLLED_BACK);
    }

    private Branch settled(Branch branch, boolean happens) {
        return switch (branch.stage()) {
            case PREPARING_UNSEEN -> happens ? branch.now(prepared(branch)) : branch.now(Stage.ROLLED_BACK);
            case COMMITTING_UNSEEN -> happens ? branch.now(committedAlone(branch)) : branch.now(Stage.ROLLED_BACK);
            case ACTIVE, PREPARED, COMMITTED, ROLLED_BACK, UNDONE, READ_ONLY, COMMITTED_ALONE -> branch;
        };
    }

    private boolean wrote(Branch branch) {
        return branch.calls().stream().anyMatch(call -> scope.calls.get(call).writes());
    }

    private Stage prepared(Branch branch) {
        return wrote(branch) ? Stage.PREPARED : Stage.READ_ONLY;
    }

    private Stage committedAlone(Branch branch) {
        return wrote(branch) ? Stage.COMMITTED_ALONE : Stage.READ_ONLY;
    }

    /** Numbers of the {@link Settles}es that may happen in this state, in pairs: happens, does not. Not to be changed. */
    int[] unsettled(int state) {
        while (unsettled.size() <= state) {
            unsettled.add(unsettled(states.get(unsettled.size())));
        }
        return unsettled.get(state);
    }

    private int[] unsettled(List<Branch> branches) {
        List<Integer> numbers = new ArrayList<>();
        for (Branch branch : branches) {
            if (branch.stage() == Stage.PREPARING_UNSEEN || branch.stage() == Stage.COMMITTING_UNSEEN) {
                numbers.add(things.number(new Settles(branch.id(), true)));
                numbers.add(things.number(new Settles(branch.id(), false)));
            }
        }
        return numbers.stream().mapToInt(Integer::intValue).toArray();
    }

    /** How often a call has been executed in this database. */
    int executions(int state, int call) {
        List<Branch> branches = states.get(state);
        int count = 0;
        for (int i = 0; i < branches.size(); i++) {
            List<Integer> calls = branches.get(i).calls();
            for (int j = 0; j < calls.size(); j++) {
                count += calls.get(j) == call ? 1 : 0;
            }
        }
        return count;
    }

    /** What the database makes of a request; null when it can not go wrong in this way. */
    @Nullable
    Answer answer(int state, int action, Fault fault) {
        LongMap known = asked[fault.ordinal()];
        long key = LongMap.pair(state, action);
        int at = known.get(key);
        if (at < 0) {
            at = made.size();
            AgentAction request = (AgentAction) things.get(action);
            Outcome outcome = outcome(state, request, fault);
            made.add(
                    outcome == null
                            ? new Answer(-1, -1)
                            : new Answer(outcome.next, things.number(new Agents.Answered(request, outcome.events))));
            known.put(key, at);
        }
        Answer answer = made.get(at);
        return answer.next() < 0 ? null : answer;
    }

    private record Outcome(int next, List<AgentEvent> events) {}

    private @Nullable Outcome outcome(int state, AgentAction action, Fault fault) {
        if (action instanceof AgentAction.Prepare prepare) {
            return prepare(state, prepare.branch(), fault);
        } else if (action instanceof AgentAction.CommitOnePhase commit) {
            return commitOnePhase(state, commit.branch(), fault);
        } else if (action instanceof AgentAction.CommitPrepared commit) {
            return commitPrepared(state, commit, fault);
        } else if (action instanceof AgentAction.RollbackPrepared rollback) {
            int next = move(state, rollback.branch(), Stage.PREPARED, Stage.UNDONE);
            return phaseTwo(state, next, rollback.branch(), PhaseTwoCompletion.done(), fault);
        } else if (fault != Fault.NONE) {
            return null;
        } else if (action instanceof AgentAction.Rollback rollback) {
            int next = move(state, rollback.branch(), Stage.ACTIVE, Stage.ROLLED_BACK);
            return new Outcome(next, List.of(new AgentEvent.RollbackCompleted(rollback.branch())));
        } else if (action instanceof AgentAction.ListPrepared list) {
            return new Outcome(state, List.of(listed(state, list.resource())));
        } else if (action instanceof AgentAction.AskDatabase ask) {
            return new Outcome(
                    state, List.of(new AgentEvent.FateKnown(ask.tx(), ask.branch(), fate(find(state, ask.branch())))));
        }
        throw new IllegalArgumentException("nothing that a database answers: " + action);
    }

    AgentEvent listed(int state, String resource) {
        List<PreparedXid> prepared = new ArrayList<>();
        for (Branch branch : states.get(state)) {
            if (branch.stage() == Stage.PREPARED) {
                prepared.add(new PreparedXid(scope.id(branch.tx()), branch.id()));
            }
        }
        return new AgentEvent.ScanCompleted(resource, ScanCompletion.listed(prepared, 0));
    }

    private @Nullable Outcome prepare(int state, BranchId id, Fault fault) {
        Branch branch = find(state, id);
        boolean gone = branch == null || branch.stage() != Stage.ACTIVE;
        Stage next = branch == null || gone ? Stage.ROLLED_BACK : prepared(branch);
        PrepareResult result;
        switch (fault) {
            case NONE -> {
                Proof proof = scope.proofs ? proof(id) : null;
                result = gone
                        ? lost()
                        : next == Stage.PREPARED ? PrepareResult.prepared(proof) : PrepareResult.readOnly();
            }
            case REFUSES -> {
                next = Stage.ROLLED_BACK;
                result = PrepareResult.refused(Reason.of(ErrorCode.PREPARE_REFUSED));
            }
            case LOST_BEFORE -> {
                next = Stage.ROLLED_BACK;
                result = lost();
            }
            case LOST_AFTER -> result = lost();
            case LIES -> {
                next = Stage.ROLLED_BACK;
                result = PrepareResult.prepared(null);
            }
            case LOST_OPEN -> {
                next = Stage.PREPARING_UNSEEN;
                result = lost();
            }
            default -> throw new IllegalStateException();
        }
        return new Outcome(move(state, id, Stage.ACTIVE, next), List.of(new AgentEvent.PrepareCompleted(id, result)));
    }

    private static PrepareResult lost() {
        return PrepareResult.lost(Reason.of(ErrorCode.CONNECTION_LOST));
    }

    private @Nullable Outcome commitOnePhase(int state, BranchId id, Fault fault) {
        Branch branch = find(state, id);
        if (branch == null) {
            return null;
        }
        Stage done = committedAlone(branch);
        OnePhaseCompletion answer =
                done == Stage.COMMITTED_ALONE ? OnePhaseCompletion.committed() : OnePhaseCompletion.readOnly();
        OnePhaseCompletion lost = OnePhaseCompletion.lost(Reason.of(ErrorCode.CONNECTION_LOST));
        return switch (fault) {
            case NONE -> committedOnePhase(state, id, done, answer);
            case REFUSES ->
                committedOnePhase(
                        state,
                        id,
                        Stage.ROLLED_BACK,
                        OnePhaseCompletion.rolledBack(Reason.of(ErrorCode.COMMIT_REFUSED)));
            case LOST_BEFORE -> committedOnePhase(state, id, Stage.ROLLED_BACK, lost);
            case LOST_AFTER -> committedOnePhase(state, id, done, lost);
            case LOST_OPEN -> committedOnePhase(state, id, Stage.COMMITTING_UNSEEN, lost);
            case LIES -> null;
        };
    }

    private Outcome committedOnePhase(int state, BranchId id, Stage next, OnePhaseCompletion completion) {
        List<AgentEvent> events = new ArrayList<>();
        if (scope.proofs) {
            events.add(new AgentEvent.OnePhaseProofKnown(id, proof(id)));
        }
        events.add(new AgentEvent.OnePhaseCompleted(id, completion));
        return new Outcome(move(state, id, Stage.ACTIVE, next), events);
    }

    private @Nullable Outcome commitPrepared(int state, AgentAction.CommitPrepared commit, Fault fault) {
        Branch branch = find(state, commit.branch());
        PhaseTwoCompletion completion;
        if (branch != null && branch.stage() == Stage.PREPARED) {
            completion = PhaseTwoCompletion.done();
        } else if (commit.proof() != null && branch != null) {
            completion = branch.stage() == Stage.COMMITTED
                    ? PhaseTwoCompletion.done()
                    : PhaseTwoCompletion.heuristic("it is " + branch.stage());
        } else {
            completion = commit.firstAttempt() ? PhaseTwoCompletion.resolvedElsewhere("") : PhaseTwoCompletion.done();
        }
        int next = move(state, commit.branch(), Stage.PREPARED, Stage.COMMITTED);
        return phaseTwo(state, next, commit.branch(), completion, fault);
    }

    private static @Nullable Outcome phaseTwo(
            int state, int next, BranchId branch, PhaseTwoCompletion completion, Fault fault) {
        PhaseTwoCompletion notYet = PhaseTwoCompletion.notYet(Reason.of(ErrorCode.CONNECTION_LOST));
        return switch (fault) {
            case NONE -> new Outcome(next, List.of(new AgentEvent.PhaseTwoCompleted(branch, completion)));
            case LOST_BEFORE -> new Outcome(state, List.of(new AgentEvent.PhaseTwoCompleted(branch, notYet)));
            case LOST_AFTER -> new Outcome(next, List.of(new AgentEvent.PhaseTwoCompleted(branch, notYet)));
            case REFUSES, LOST_OPEN, LIES -> null;
        };
    }

    private Fate fate(@Nullable Branch branch) {
        if (branch == null) {
            return Fate.UNKNOWN;
        }
        return switch (branch.stage()) {
            case ACTIVE, COMMITTING_UNSEEN, PREPARING_UNSEEN -> Fate.IN_PROGRESS;
            case COMMITTED, COMMITTED_ALONE -> Fate.COMMITTED;
            case ROLLED_BACK, UNDONE -> Fate.ROLLED_BACK;
            case PREPARED, READ_ONLY -> Fate.UNKNOWN;
        };
    }

    private static Proof proof(BranchId branch) {
        return Proof.of(new byte[] {1, (byte) branch.instance(), (byte) branch.counter()});
    }

    private @Nullable Branch find(int state, BranchId id) {
        for (Branch branch : states.get(state)) {
            if (branch.id().equals(id)) {
                return branch;
            }
        }
        return null;
    }

    private int move(int state, BranchId id, Stage from, Stage to) {
        List<Branch> after = new ArrayList<>();
        for (Branch branch : states.get(state)) {
            after.add(branch.id().equals(id) && branch.stage() == from ? branch.now(to) : branch);
        }
        return states.number(after);
    }
}
