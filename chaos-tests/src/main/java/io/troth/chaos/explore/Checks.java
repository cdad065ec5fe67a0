package io.troth.chaos.explore;

import io.troth.chaos.explore.Databases.Branch;
import io.troth.chaos.explore.Databases.Stage;
import io.troth.core.GlobalTxId;
import io.troth.core.coordinator.LogRecord;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;

/** The properties of protocol 12, looked at with knowledge that no part of the system has. */
final class Checks {

    private final World world;
    private final Scope scope;

    Checks(World world) {
        this.world = world;
        scope = world.scope;
    }

    /** True when something has changed that the properties speak of. */
    boolean concerns(int[] before, int[] after) {
        if (before[world.log()] != after[world.log()] || before[world.answers()] != after[world.answers()]) {
            return true;
        }
        for (int r = 0; r < scope.resources(); r++) {
            if (before[world.database(r)] != after[world.database(r)]) {
                return true;
            }
        }
        return false;
    }

    /** What is broken in this world, null when nothing. */
    @Nullable
    String broken(int[] at) {
        for (int t = 0; t < scope.transactions(); t++) {
            String broken = broken(at, t);
            if (broken != null) {
                return scope.transactions() == 1 ? broken : broken + " (transaction " + (t + 1) + ")";
            }
        }
        return null;
    }

    private List<Branch> branches(int[] at, int tx) {
        List<Branch> all = new ArrayList<>();
        for (int r = 0; r < scope.resources(); r++) {
            for (Branch branch : world.branches(at, r)) {
                if (branch.tx() == tx) {
                    all.add(branch);
                }
            }
        }
        return all;
    }

    private @Nullable String broken(int[] at, int tx) {
        int answers = Answers.of(at[world.answers()], tx);
        boolean saidCommitted = (answers & Answers.COMMITTED) != 0;
        boolean saidRolledBack = (answers & Answers.ROLLED_BACK) != 0;
        if (saidCommitted && saidRolledBack) {
            return "No contradiction: both COMMITTED and ROLLED_BACK are answered";
        }
        List<Branch> branches = branches(at, tx);
        boolean committed = branches.stream().anyMatch(branch -> branch.stage().isCommitted());
        if (committed && saidRolledBack) {
            return "Answer truth: ROLLED_BACK is answered and a branch is committed";
        }
        if (committed && (answers & Answers.READ_ONLY) != 0) {
            return "Answer truth: READ_ONLY is answered and a branch is committed";
        }
        GlobalTxId id = scope.id(tx);
        Logs.State log = world.logOf(at);
        LogRecord.Commit record = log.decision(id);
        String broken =
                record == null ? undecided(branches, saidCommitted) : decided(record, branches, saidRolledBack, log);
        if (broken == null && (committed || saidCommitted || record != null)) {
            broken = work(world.clientOf(at, tx), branches);
        }
        return broken;
    }

    private static @Nullable String undecided(List<Branch> branches, boolean saidCommitted) {
        boolean alone = false;
        for (Branch branch : branches) {
            if (branch.stage() == Stage.COMMITTED) {
                return "Answer truth: " + branch.id() + " is committed in phase 2 without COMMIT";
            }
            alone |= branch.stage() == Stage.COMMITTED_ALONE;
        }
        return saidCommitted && !alone ? "Answer truth: COMMITTED is answered without COMMIT" : null;
    }

    private static @Nullable String decided(
            LogRecord.Commit record, List<Branch> branches, boolean saidRolledBack, Logs.State log) {
        if (saidRolledBack) {
            return "Answer truth: ROLLED_BACK is answered and COMMIT is durable";
        }
        boolean purged = log.isPurged(record.tx());
        for (LogRecord.YesBranch yes : record.branches()) {
            Stage stage = null;
            for (Branch branch : branches) {
                stage = branch.id().equals(yes.branch()) ? branch.stage() : stage;
            }
            if (stage != Stage.PREPARED && stage != Stage.COMMITTED) {
                return "Record truth: COMMIT is durable and " + yes.branch() + " is " + stage;
            }
            if (purged && stage == Stage.PREPARED) {
                return "No early purge: COMMIT is purged and " + yes.branch() + " is prepared";
            }
        }
        for (Branch branch : branches) {
            boolean listed =
                    record.branches().stream().anyMatch(yes -> yes.branch().equals(branch.id()));
            if (branch.stage() == Stage.COMMITTED && !listed) {
                return "Validity: " + branch.id() + " is committed in phase 2 and not in COMMIT";
            }
        }
        return null;
    }

    /** Agreement, Validity, and Exactly the seen work. */
    private @Nullable String work(Clients.State client, List<Branch> branches) {
        if (client.phase() != Clients.Phase.COMMIT) {
            return "Validity: committed, and nobody has asked for it";
        }
        List<Integer> calls = scope.callsOf(client.tx());
        for (Branch branch : branches) {
            List<Integer> seen = new ArrayList<>();
            for (int i = 0; i < calls.size(); i++) {
                if (branch.id().equals(client.seen().get(i).id())) {
                    seen.add(calls.get(i));
                }
            }
            Stage stage = branch.stage();
            if (!seen.isEmpty()
                    && stage != Stage.PREPARED
                    && !stage.isCommitted()
                    && stage != Stage.READ_ONLY
                    && stage != Stage.COMMITTING_UNSEEN) {
                return "Agreement: committed, and " + branch.id() + " is " + stage;
            }
            if ((stage.isCommitted() || !seen.isEmpty()) && !seen.equals(branch.calls())) {
                return "Exactly the seen work: of " + branch.id() + " the client saw " + text(seen) + ", committed is "
                        + text(branch.calls());
            }
        }
        return null;
    }

    private static String text(List<Integer> calls) {
        return "calls " + calls;
    }
}
