package io.troth.chaos.sim;

import io.troth.chaos.sim.check.Told;
import io.troth.chaos.sim.log.LogWatcher;
import io.troth.chaos.sim.resource.BranchWatcher;
import io.troth.chaos.sim.world.Broken;
import io.troth.chaos.sim.world.World;
import io.troth.core.BranchId;
import io.troth.core.BranchWork;
import io.troth.core.Decision;
import io.troth.core.EpochId;
import io.troth.core.GlobalTxId;
import io.troth.core.Outcome;
import io.troth.core.coordinator.CommitContent;
import io.troth.core.coordinator.LogRecord;
import java.util.ArrayList;
import java.util.Collections;
import java.util.EnumSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Set;
import java.util.TreeMap;
import java.util.TreeSet;
import java.util.function.Function;
import java.util.function.LongSupplier;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;

/**
 * What is true, known to nobody in the simulated system; checks the properties of protocol 12 of a transaction whenever
 * anything becomes true of it. One thread.
 */
final class Ledger implements BranchWatcher, LogWatcher {

    /** What is known of one branch. */
    private static final class Branch {
        /** The calls that ran in it, by execution. */
        final Map<Long, Long> calls = new TreeMap<>();
        /** The calls whose reply, which names it, has reached the client. */
        final List<Long> seen = new ArrayList<>();

        State state = State.ACTIVE;
        boolean votedYes;
        boolean rollbackSaid;
        boolean started;

        @Nullable
        String resource;

        /** What operators have decided about it, or what a leader has heard of a decision of somebody else's. */
        final Set<Decision> forced = EnumSet.noneOf(Decision.class);
    }

    /** What is known of one T. */
    private static final class Facts {
        final Map<BranchId, Branch> branches = new LinkedHashMap<>();
        final Set<Outcome> answers = EnumSet.noneOf(Outcome.class);

        /** Somebody has resolved a branch by hand, or restored a backup: checked at the end, branch by branch. */
        boolean excused;

        @Nullable
        CommitContent content;

        LogRecord.@Nullable Commit record;
        boolean purged;
        /** When END was seen to come into the log; -1 when it was not. */
        long endedNanos = -1;
        /** The record was in a log that is gone. */
        boolean lost;
        /** An operator has closed it: what is left of it need not be done. */
        boolean closed;

        Branch branch(BranchId id) {
            return branches.computeIfAbsent(id, key -> new Branch());
        }
    }

    private final World world;
    private final Map<GlobalTxId, Facts> all = new LinkedHashMap<>();
    private final List<Told> answers = new ArrayList<>();
    private final Set<String> excluded = new TreeSet<>();
    private final Set<EpochId> led = new TreeSet<>();
    /** Epochs that were led before the log was restored. */
    private final Set<EpochId> lost = new TreeSet<>();
    /** Up to this epoch a restored log has lost what it said. */
    private long distrusted;

    private final LongSupplier retentionNanos;
    private int checked;

    /** {@code retentionNanos}: for so long after END an outcome is known at least, whatever clocks do. */
    Ledger(World world, LongSupplier retentionNanos) {
        this.world = world;
        this.retentionNanos = retentionNanos;
    }

    /** How many transactions there were. */
    int transactions() {
        return all.size();
    }

    private Facts of(GlobalTxId tx) {
        return all.computeIfAbsent(tx, key -> new Facts());
    }

    // What databases do.

    @Override
    public void excused(GlobalTxId tx) {
        of(tx).excused = true;
    }

    @Override
    public void moved(String resource, GlobalTxId tx, BranchId id, State state) {
        Facts facts = of(tx);
        Branch branch = facts.branch(id);
        branch.started = true;
        branch.resource = resource;
        if (branch.state == State.PREPARED && !facts.excused) {
            resolves(tx, id, facts, branch, state);
        }
        branch.state = state;
        check(tx, facts);
    }

    private static void resolves(GlobalTxId tx, BranchId id, Facts facts, Branch branch, State state) {
        if (state == State.COMMITTED) {
            Broken.unless(
                    isInRecord(facts, id) || branch.forced.contains(Decision.COMMIT),
                    () -> "Answer truth: " + id + " of " + tx + " is committed without COMMIT");
        } else {
            Broken.unless(
                    !branch.votedYes || branch.rollbackSaid,
                    () -> "No lone resolution: " + id + " of " + tx + " voted YES and no leader said rollback");
        }
    }

    private static boolean isInRecord(Facts facts, BranchId id) {
        LogRecord.Commit record = facts.record;
        return record != null
                && record.branches().stream().anyMatch(yes -> yes.branch().equals(id));
    }

    @Override
    public void executed(GlobalTxId tx, BranchId id, long call, long scope) {
        of(tx).branch(id).calls.put(scope, call);
    }

    // What the log does.

    @Override
    public void committed(LogRecord.Commit commit) {
        Facts facts = of(commit.tx());
        if (facts.record == null) {
            world.saw("COMMIT");
            facts.record = commit;
        }
        Broken.unless(facts.record.equals(commit), () -> "two COMMITs of " + commit.tx());
        check(commit.tx(), facts);
    }

    /** Done was said of every branch, which is a word about the database (protocol 9.3), or an operator has said enough. */
    @Override
    public void ended(GlobalTxId tx) {
        Facts facts = of(tx);
        facts.branches.forEach((id, branch) -> Broken.unless(
                !isPreparedInRecord(facts, id, branch) || isGivenUp(facts, branch),
                () -> "Done: END of " + tx + " while " + id + " is prepared"));
        facts.endedNanos = world.nanos();
    }

    @Override
    public void purged(GlobalTxId tx) {
        Facts facts = of(tx);
        facts.branches.forEach((id, branch) -> Broken.unless(
                !isPreparedInRecord(facts, id, branch)
                        || (isGivenUp(facts, branch) && excluded.contains(branch.resource)),
                () -> "No early purge: " + tx + " while " + id + " is prepared"));
        checkRetention(facts, () -> "No early purge: " + tx);
        facts.purged = true;
        world.saw("purge");
    }

    /** Protocol 9.4: what has ended is known for the outcome retention. */
    private void checkRetention(Facts facts, Supplier<String> what) {
        long nanos = world.nanos() - facts.endedNanos;
        Broken.unless(
                facts.endedNanos < 0 || nanos >= retentionNanos.getAsLong(),
                () -> what.get() + " only " + nanos / 1_000_000 + " ms after its END");
    }

    private static boolean isPreparedInRecord(Facts facts, BranchId id, Branch branch) {
        return !facts.excused && branch.state == State.PREPARED && isInRecord(facts, id);
    }

    private static boolean isGivenUp(Facts facts, Branch branch) {
        return facts.closed || branch.forced.contains(Decision.ROLLBACK);
    }

    @Override
    public void forced(LogRecord.Heuristic heuristic) {
        Facts facts = of(heuristic.tx());
        BranchId branch = heuristic.branch();
        if (branch == null) {
            facts.closed = true;
        } else {
            facts.branch(branch).forced.add(heuristic.decision());
        }
    }

    @Override
    public void restored(Function<GlobalTxId, LogRecord.@Nullable Commit> log) {
        all.forEach((tx, facts) -> {
            boolean isLost = facts.record != null && !facts.purged && log.apply(tx) == null;
            facts.lost |= isLost;
            if (isLost) {
                world.saw("COMMIT lost by a restore of the log");
            }
        });
    }

    /** A leader has opened this epoch. */
    void leads(EpochId epoch) {
        led.add(epoch);
    }

    /** The log is restored, and distrusted up to this epoch. */
    void distrusts(long through) {
        lost.addAll(led);
        distrusted = Math.max(distrusted, through);
    }

    /** Whether what the log does not say about T means nothing; DISTRUST may be too low for an epoch that is lost. */
    boolean isDistrusted(GlobalTxId tx) {
        return tx.epoch().number() <= distrusted || lost.contains(tx.epoch());
    }

    /** An operator has said that the resource is gone for ever. */
    void excluded(String resource) {
        excluded.add(resource);
    }

    /** A question about a branch. */
    interface Question {
        boolean ask(GlobalTxId tx, BranchId branch, State state);
    }

    /** Whether the answer is yes for any branch that ever did something. */
    boolean anyBranch(Question question) {
        return all.entrySet().stream()
                .anyMatch(each -> each.getValue().branches.entrySet().stream()
                        .anyMatch(branch -> branch.getValue().started
                                && question.ask(each.getKey(), branch.getKey(), branch.getValue().state)));
    }

    /** Where T's branches stand, as whoever asks every database sees it. */
    Map<BranchId, State> branches(GlobalTxId tx) {
        Map<BranchId, State> states = new TreeMap<>();
        of(tx).branches.forEach((id, branch) -> {
            if (branch.started) {
                states.put(id, branch.state);
            }
        });
        return states;
    }

    /** Whether T's Commit, as far as anybody knows, may have named the branch. */
    boolean mayBeListed(GlobalTxId tx, BranchId branch) {
        CommitContent content = of(tx).content;
        return content == null
                || content.branches().stream().anyMatch(work -> work.branch().equals(branch));
    }

    /** Whether this was ever answered about T. */
    boolean wasTold(GlobalTxId tx, Outcome outcome) {
        return of(tx).answers.contains(outcome);
    }

    /** Whether somebody has decided about the branch, or about all of T, so that a leader may call it mixed. */
    boolean excusesHeuristic(GlobalTxId tx, BranchId branch) {
        Facts facts = of(tx);
        return facts.closed || !facts.branch(branch).forced.isEmpty();
    }

    /** Whether the branch stands where an operator has wanted it by force, and T's record does not. */
    boolean isForced(GlobalTxId tx, BranchId id) {
        Facts facts = of(tx);
        Branch branch = facts.branch(id);
        boolean asDecided = branch.state == State.COMMITTED && isInRecord(facts, id);
        return isForced(branch, branch.state) && !asDecided;
    }

    private static boolean isForced(Branch branch, State state) {
        return branch.forced.contains(state == State.COMMITTED ? Decision.COMMIT : Decision.ROLLBACK)
                && (state == State.COMMITTED || state == State.ROLLED_BACK);
    }

    /** The log is read again: it must hold the COMMITs that were applied, those that were not purged, and no other. */
    void replayed(Function<GlobalTxId, LogRecord.@Nullable Commit> log) {
        all.forEach((tx, facts) -> {
            LogRecord.Commit found = log.apply(tx);
            boolean same = Objects.equals(found, facts.record) || (found == null && (facts.purged || facts.lost));
            Broken.unless(same, () -> "Replay: the log holds " + found + " and applied was " + facts.record);
        });
    }

    // What is said.

    void seen(GlobalTxId tx, BranchId branch, long call) {
        of(tx).branch(branch).seen.add(call);
    }

    void requested(GlobalTxId tx, CommitContent content) {
        of(tx).content = content;
    }

    void votedYes(GlobalTxId tx, BranchId branch) {
        of(tx).branch(branch).votedYes = true;
    }

    void saidRollback(GlobalTxId tx, BranchId branch) {
        of(tx).branch(branch).rollbackSaid = true;
    }

    /** A client has heard an answer; {@code certain} when the protocol owes it one. */
    void told(GlobalTxId tx, Outcome outcome, boolean certain) {
        answers.add(new Told(tx, outcome, certain));
    }

    /** The branches that each Commit named. */
    Map<GlobalTxId, Set<BranchId>> listed() {
        Map<GlobalTxId, Set<BranchId>> listed = new TreeMap<>();
        all.forEach((tx, facts) -> {
            if (facts.content != null) {
                Set<BranchId> named = new TreeSet<>();
                facts.content.branches().forEach(work -> named.add(work.branch()));
                listed.put(tx, named);
            }
        });
        return listed;
    }

    List<Told> answers() {
        return answers;
    }

    /** Whether anything was done behind everybody's back, or by force. */
    boolean hasExcuses() {
        return all.values().stream()
                .anyMatch(facts -> facts.excused
                        || facts.branches.values().stream().anyMatch(branch -> isForced(branch, branch.state)));
    }

    void answered(GlobalTxId tx, Outcome outcome) {
        world.saw("answer " + outcome);
        Facts facts = of(tx);
        if (outcome == Outcome.FORGOTTEN) {
            checkRetention(facts, () -> "FORGOTTEN is answered about " + tx);
        }
        if (facts.answers.add(outcome)) {
            check(tx, facts);
        }
    }

    /** Whether a branch is committed, and not because an operator wanted it. */
    private static boolean hasCommitted(Facts facts) {
        for (Branch branch : facts.branches.values()) {
            if (branch.state == State.COMMITTED && !isForced(branch, State.COMMITTED)) {
                return true;
            }
        }
        return false;
    }

    // Protocol 12.

    private void check(GlobalTxId tx, Facts facts) {
        checked++;
        boolean saidCommitted = facts.answers.contains(Outcome.COMMITTED);
        boolean saidRolledBack = facts.answers.contains(Outcome.ROLLED_BACK);
        Broken.unless(!saidCommitted || !saidRolledBack, () -> "No contradiction: both answers for " + tx);
        if (facts.excused) {
            return;
        }
        boolean committed = hasCommitted(facts);
        if (committed) {
            Broken.unless(
                    !saidRolledBack && !facts.answers.contains(Outcome.READ_ONLY),
                    () -> "Answer truth: " + facts.answers + " answered, a branch of " + tx + " is committed");
        }
        LogRecord.Commit record = facts.record;
        if (record != null) {
            Broken.unless(!saidRolledBack, () -> "Answer truth: ROLLED_BACK answered, COMMIT " + tx + " is durable");
            for (LogRecord.YesBranch yes : record.branches()) {
                State state = state(facts, yes.branch());
                Broken.unless(
                        state == State.PREPARED || state == State.COMMITTED || isForced(facts, yes.branch(), state),
                        () -> "Record truth: COMMIT " + tx + ", and " + yes.branch() + " is " + state);
            }
        }
        Broken.unless(
                !saidCommitted || record != null || committed || mayNotKnowItRead(facts),
                () -> "Answer truth: COMMITTED answered for " + tx + " without a record");
        if (committed || saidCommitted || record != null) {
            checkWork(tx, facts);
        }
    }

    /** Committed in one phase at a database that does not tell whether anything was written. */
    private static boolean mayNotKnowItRead(Facts facts) {
        CommitContent content = facts.content;
        return content != null
                && content.isOnePhase()
                && state(facts, content.branches().get(0).branch()) == State.READ_ONLY;
    }

    /** Agreement, Validity, and Exactly the seen work. */
    private static void checkWork(GlobalTxId tx, Facts facts) {
        CommitContent content = facts.content;
        if (content == null) {
            throw new Broken("Validity: " + tx + " is committed and nobody asked for it");
        }
        Set<BranchId> listed = new TreeSet<>();
        for (BranchWork work : content.branches()) {
            listed.add(work.branch());
            State state = state(facts, work.branch());
            Broken.unless(
                    state == State.PREPARED
                            || state == State.COMMITTED
                            || state == State.READ_ONLY
                            || isForced(facts, work.branch(), state),
                    () -> "Agreement: " + tx + " is committed, and " + work.branch() + " is " + state);
        }
        facts.branches.forEach((id, branch) -> {
            boolean counts = !isForced(branch, branch.state) || isInRecord(facts, id);
            if (counts && (branch.state == State.COMMITTED || listed.contains(id))) {
                Broken.unless(
                        listed.contains(id), () -> "Exactly the seen work: " + tx + " committed the unlisted " + id);
                List<Long> seen = new ArrayList<>(branch.seen);
                List<Long> done = new ArrayList<>(branch.calls.values());
                Collections.sort(seen);
                Collections.sort(done);
                Broken.unless(
                        seen.equals(done),
                        () -> "Exactly the seen work: " + tx + " saw " + seen + ", committed " + done + " in " + id);
            }
        });
    }

    private static boolean isForced(Facts facts, BranchId id, @Nullable State state) {
        Branch branch = facts.branches.get(id);
        return branch != null && state != null && isForced(branch, state);
    }

    private static @Nullable State state(Facts facts, BranchId id) {
        Branch branch = facts.branches.get(id);
        return branch == null || !branch.started ? null : branch.state;
    }

    /** What is not over although failures have stopped for long; null when everything is. */
    @Nullable
    String unfinished() {
        for (Map.Entry<GlobalTxId, Facts> each : all.entrySet()) {
            for (Map.Entry<BranchId, Branch> branch : each.getValue().branches.entrySet()) {
                State state = branch.getValue().state;
                if (branch.getValue().started && (state == State.ACTIVE || state == State.PREPARED)) {
                    return branch.getKey() + " of " + each.getKey() + " is still " + state;
                }
            }
        }
        return null;
    }

    /** A T whose record is not purged although it has ended for long; null when there is none. */
    @Nullable
    GlobalTxId unpurged() {
        for (Map.Entry<GlobalTxId, Facts> each : all.entrySet()) {
            Facts facts = each.getValue();
            if (facts.record != null && !facts.purged && !facts.lost) {
                return each.getKey();
            }
        }
        return null;
    }

    /** How often a transaction was checked. */
    int checks() {
        return checked;
    }
}
