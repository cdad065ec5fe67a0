package io.troth.chaos.sim.database;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.troth.agent.xa.TrothXid;
import io.troth.chaos.sim.check.BranchFacts;
import io.troth.chaos.sim.check.BranchFacts.State;
import io.troth.core.coordinator.Fate;
import io.troth.core.coordinator.OnePhaseFate;
import io.troth.core.participant.OnePhaseCompletion;
import io.troth.core.participant.PhaseTwoCompletion;
import io.troth.core.participant.PrepareResult;
import io.troth.core.participant.StatementEnd;
import java.util.ArrayList;
import java.util.EnumSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/**
 * The one property that matters of a driver on a database that does its worst: what it says for certain is true. Seeded:
 * every round trip may break or be answered with any code, servers crash and sessions are killed in between. Whatever
 * the answer, the server's own books are compared with it, and again when everything is over.
 */
class TruthTest {

    private static final int SEEDS = 60;
    private static final int WILD = 400;

    @ParameterizedTest
    @EnumSource(
            mode = EnumSource.Mode.EXCLUDE,
            names = {"H2", "HSQLDB"})
    void whatTheDriverSaysForCertainIsTrue(Flavour flavour) {
        Map<String, Integer> sights = new TreeMap<>();
        for (long seed = 0; seed < SEEDS; seed++) {
            Bench bench = new Bench(flavour, seed);
            for (DatabaseFault fault : DatabaseFault.values()) {
                bench.world.odds.put(fault, WILD);
            }
            Round round = new Round(bench);
            for (int i = 0; i < 8; i++) {
                round.one();
            }
            bench.world.odds.clear();
            round.settle();
            bench.world.sights.forEach((sight, times) -> sights.merge(sight, times, Integer::sum));
        }
        Set<DatabaseFault> expected = EnumSet.of(
                DatabaseFault.REPLY_OF_PREPARE_LOST,
                DatabaseFault.PREPARE_COMPLETED_AFTER_ITS_CONNECTION_DIED,
                DatabaseFault.REPLY_OF_PHASE_TWO_LOST,
                DatabaseFault.REPLY_OF_COMMIT_LOST,
                DatabaseFault.SERVER_CRASH,
                DatabaseFault.SESSION_KILLED);
        if (flavour != Flavour.POSTGRESQL) {
            expected.add(DatabaseFault.ODD_ERROR_CODE);
        }
        for (DatabaseFault fault : expected) {
            assertTrue(sights.containsKey(fault.counter()), () -> fault + " never happened: " + sights);
        }
    }

    /** Branches on one server, and what was said of each. */
    private static final class Round {

        private final Bench bench;
        private final Map<TrothXid, PrepareResult> prepared = new java.util.LinkedHashMap<>();
        private final List<TrothXid> mustBeCommitted = new ArrayList<>();
        private final List<TrothXid> mustBeRolledBack = new ArrayList<>();

        Round(Bench bench) {
            this.bench = bench;
        }

        void one() {
            TrothXid xid = bench.branch();
            String key = "row " + xid.branch().counter();
            List<StatementResult> results = bench.start(xid, SqlOperation.add(1, key, 1));
            bench.world.runUntil(() -> !results.isEmpty(), 61_000);
            StatementResult result = results.get(0);
            if (bench.world.random().nextInt(10) == 0) {
                bench.server.crash();
            } else if (bench.world.random().nextInt(6) == 0) {
                bench.server.killSession();
            }
            if (result.end().kind() != StatementEnd.Kind.COMPLETED || result.failure() != null) {
                boolean unused = bench.rollback(xid);
                mustBeRolledBack.add(xid);
            } else if (bench.world.random().nextBoolean()) {
                prepare(xid);
            } else {
                onePhase(xid);
            }
        }

        private void prepare(TrothXid xid) {
            PrepareResult result = bench.prepare(xid);
            switch (result.kind()) {
                case PREPARED -> {
                    assertEquals(State.PREPARED, bench.state(xid), () -> xid + " said " + result);
                    prepared.put(xid, result);
                    mustBeCommitted.add(xid);
                    commit(xid);
                }
                case READ_ONLY -> throw new AssertionError("it wrote: " + xid);
                case REFUSED -> mustBeRolledBack.add(xid);
                case LOST -> prepared.put(xid, result);
            }
        }

        private void commit(TrothXid xid) {
            PrepareResult vote = prepared.get(xid);
            PhaseTwoCompletion completion =
                    bench.commit(new Bench.Prepared(xid, vote == null ? null : vote.proof()), false);
            if (completion.kind() == PhaseTwoCompletion.Kind.DONE) {
                assertEquals(State.COMMITTED, bench.state(xid));
                prepared.remove(xid);
            } else {
                assertEquals(PhaseTwoCompletion.Kind.NOT_YET, completion.kind(), () -> xid + ": " + completion);
            }
        }

        private void onePhase(TrothXid xid) {
            int proofs = bench.proofs.size();
            OnePhaseCompletion completion = bench.commitOnePhase(xid);
            if (completion.fate() == OnePhaseFate.COMMITTED) {
                mustBeCommitted.add(xid);
            } else if (completion.fate() == OnePhaseFate.ROLLED_BACK) {
                mustBeRolledBack.add(xid);
            } else {
                assertEquals(OnePhaseFate.LOST, completion.fate());
                if (bench.proofs.size() > proofs) {
                    Fate fate = bench.fate(bench.proofs.get(proofs));
                    if (fate == Fate.COMMITTED) {
                        mustBeCommitted.add(xid);
                    } else if (fate == Fate.ROLLED_BACK) {
                        mustBeRolledBack.add(xid);
                    }
                }
            }
        }

        /** Nothing goes wrong any more: every branch ends, and every certain word has stayed true. */
        void settle() {
            bench.world.run(61_000);
            for (int i = 0; i < 3 && !prepared.isEmpty(); i++) {
                for (TrothXid xid : List.copyOf(prepared.keySet())) {
                    if (mustBeCommitted.contains(xid)) {
                        commit(xid);
                    } else if (bench.rollBack(new Bench.Prepared(xid, null)).kind() == PhaseTwoCompletion.Kind.DONE) {
                        prepared.remove(xid);
                        mustBeRolledBack.add(xid);
                    }
                }
            }
            assertEquals(Map.of(), prepared, "everything can be finished");
            for (BranchFacts facts : bench.server.branches()) {
                boolean committed = facts.state() == State.COMMITTED;
                assertTrue(facts.state() != State.PREPARED && facts.state() != State.ACTIVE, facts::toString);
                assertTrue(
                        committed
                                || mustBeCommitted.stream()
                                        .noneMatch(xid -> xid.branch().equals(facts.branch())),
                        () -> "said to be committed: " + facts);
                assertTrue(
                        !committed
                                || mustBeRolledBack.stream()
                                        .noneMatch(xid -> xid.branch().equals(facts.branch())),
                        () -> "said to be rolled back: " + facts);
            }
        }
    }
}
