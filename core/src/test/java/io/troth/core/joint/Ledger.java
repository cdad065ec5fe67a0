package io.troth.core.joint;

import io.troth.core.BranchId;
import io.troth.core.BranchWork;
import io.troth.core.GlobalTxId;
import io.troth.core.Outcome;
import io.troth.core.coordinator.CommitContent;
import io.troth.core.coordinator.LogRecord;
import io.troth.core.joint.SimulatedDatabase.State;
import io.troth.core.joint.SimulatedDatabase.Work;
import java.util.ArrayList;
import java.util.Collections;
import java.util.EnumSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import java.util.TreeSet;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;

/** What is true, known to nobody in the system but to the test; checks the properties of protocol 12 after every step. */
final class Ledger {

    /** What is known of one T. */
    private static final class Facts {
        final List<Work> works = new ArrayList<>();
        /** The calls whose reply has reached the client, by the branch that the reply named. */
        final Map<BranchId, List<Long>> seen = new TreeMap<>();

        final Set<Outcome> answers = EnumSet.noneOf(Outcome.class);
        final Set<BranchId> yes = new TreeSet<>();
        final Set<BranchId> rollbackSaid = new TreeSet<>();

        @Nullable
        CommitContent content;

        LogRecord.@Nullable Commit record;
    }

    private final Map<GlobalTxId, Facts> all = new TreeMap<>();
    /** How often something noteworthy happened, for the sum over all seeds. */
    final Map<String, Integer> sights;

    Ledger(Map<String, Integer> sights) {
        this.sights = sights;
    }

    void saw(String sight) {
        sights.merge(sight, 1, Integer::sum);
    }

    private Facts of(GlobalTxId tx) {
        return all.computeIfAbsent(tx, key -> new Facts());
    }

    void started(Work work) {
        of(work.tx).works.add(work);
    }

    void seen(GlobalTxId tx, BranchId branch, long call) {
        of(tx).seen.computeIfAbsent(branch, key -> new ArrayList<>()).add(call);
    }

    void requested(GlobalTxId tx, CommitContent content) {
        of(tx).content = content;
    }

    void votedYes(GlobalTxId tx, BranchId branch) {
        of(tx).yes.add(branch);
    }

    void saidRollback(GlobalTxId tx, BranchId branch) {
        of(tx).rollbackSaid.add(branch);
    }

    /** COMMIT(T) is durable, in an entry of T's epoch. */
    void committed(LogRecord.Commit commit) {
        Facts facts = of(commit.tx());
        require(facts.record == null, () -> "two COMMITs of " + commit.tx());
        facts.record = commit;
        saw("COMMIT");
    }

    boolean purged(GlobalTxId tx) {
        LogRecord.Commit record = of(tx).record;
        for (Work work : of(tx).works) {
            boolean waits = work.state == State.PREPARED
                    && record != null
                    && record.branches().stream().anyMatch(yes -> yes.branch().equals(work.branch));
            require(!waits, () -> "No early purge: " + tx + " while " + work.branch + " is prepared");
        }
        saw("purge");
        return true;
    }

    /** A prepared branch is committed. */
    void commits(Work work) {
        LogRecord.Commit record = of(work.tx).record;
        boolean decided = record != null
                && record.branches().stream().anyMatch(yes -> yes.branch().equals(work.branch));
        require(
                decided,
                () -> "Answer truth: " + work.branch + " of " + work.tx + " is committed in phase 2 without COMMIT");
    }

    /** A prepared branch is rolled back. */
    void rollsBack(Work work) {
        Facts facts = of(work.tx);
        require(
                !facts.yes.contains(work.branch) || facts.rollbackSaid.contains(work.branch),
                () -> "No lone resolution: " + work.branch + " of " + work.tx
                        + " voted YES and no leader said rollback");
    }

    void answered(GlobalTxId tx, Outcome outcome) {
        of(tx).answers.add(outcome);
        saw("answer " + outcome);
    }

    /** The properties of protocol 12 that must hold after every step. */
    void check() {
        all.forEach(Ledger::check);
    }

    private static void check(GlobalTxId tx, Facts facts) {
        boolean saidCommitted = facts.answers.contains(Outcome.COMMITTED);
        boolean saidRolledBack = facts.answers.contains(Outcome.ROLLED_BACK);
        require(!saidCommitted || !saidRolledBack, () -> "No contradiction: both answers for " + tx);
        boolean committed = false;
        for (Work work : facts.works) {
            committed |= work.state == State.COMMITTED;
        }
        if (committed) {
            require(!saidRolledBack, () -> "Answer truth: ROLLED_BACK answered, a branch of " + tx + " is committed");
            require(
                    !facts.answers.contains(Outcome.READ_ONLY),
                    () -> "Answer truth: READ_ONLY answered, a branch of " + tx + " is committed");
        }
        if (facts.record != null) {
            require(!saidRolledBack, () -> "Answer truth: ROLLED_BACK answered, COMMIT " + tx + " is durable");
            for (LogRecord.YesBranch yes : facts.record.branches()) {
                State state = state(facts, yes.branch());
                require(
                        state == State.PREPARED || state == State.COMMITTED,
                        () -> "Record truth: COMMIT " + tx + ", and " + yes.branch() + " is " + state);
            }
        }
        require(
                !saidCommitted || facts.record != null || committed,
                () -> "Answer truth: COMMITTED answered for " + tx + " without a record");
        if (committed || saidCommitted || facts.record != null) {
            checkWork(tx, facts);
        }
    }

    /** Agreement, Validity, and Exactly the seen work. */
    private static void checkWork(GlobalTxId tx, Facts facts) {
        CommitContent content = facts.content;
        if (content == null) {
            throw new AssertionError("Validity: " + tx + " is committed and nobody asked for it");
        }
        Set<BranchId> listed = new TreeSet<>();
        for (BranchWork work : content.branches()) {
            listed.add(work.branch());
            State state = state(facts, work.branch());
            require(
                    state == State.PREPARED || state == State.COMMITTED || state == State.READ_ONLY,
                    () -> "Agreement: " + tx + " is committed, and " + work.branch() + " is " + state);
        }
        for (Work work : facts.works) {
            if (work.state == State.COMMITTED || listed.contains(work.branch)) {
                require(
                        listed.contains(work.branch),
                        () -> "Exactly the seen work: " + tx + " committed " + work.branch);
                List<Long> seen = new ArrayList<>(facts.seen.getOrDefault(work.branch, List.of()));
                List<Long> done = new ArrayList<>(work.calls);
                Collections.sort(seen);
                Collections.sort(done);
                require(
                        seen.equals(done),
                        () -> "Exactly the seen work: " + tx + " saw " + seen + ", committed " + done);
            }
        }
    }

    private static @Nullable State state(Facts facts, BranchId branch) {
        for (Work work : facts.works) {
            if (work.branch.equals(branch)) {
                return work.state;
            }
        }
        return null;
    }

    /** Termination, once failures have stopped and everything that was to happen has happened. */
    void checkTermination() {
        all.forEach((tx, facts) -> {
            for (Work work : facts.works) {
                require(
                        work.state != State.ACTIVE && work.state != State.PREPARED,
                        () -> "Termination: " + work.branch + " of " + tx + " is still " + work.state);
            }
            if (facts.record != null) {
                for (LogRecord.YesBranch yes : facts.record.branches()) {
                    require(
                            state(facts, yes.branch()) == State.COMMITTED,
                            () -> "Termination: " + yes.branch() + " of " + tx + " is not committed");
                }
            }
        });
    }

    static void require(boolean holds, Supplier<String> property) {
        if (!holds) {
            throw new AssertionError(property.get());
        }
    }
}
