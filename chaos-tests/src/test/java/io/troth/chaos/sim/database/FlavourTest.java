package io.troth.chaos.sim.database;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNotNull;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.troth.agent.xa.ResourceUnsuitableException;
import io.troth.agent.xa.TrothXid;
import io.troth.chaos.sim.check.BranchFacts.State;
import io.troth.chaos.sim.database.Bench.Prepared;
import io.troth.core.ErrorCode;
import io.troth.core.coordinator.OnePhaseFate;
import io.troth.core.participant.OnePhaseCompletion;
import io.troth.core.participant.PhaseTwoCompletion;
import io.troth.core.participant.PrepareResult;
import io.troth.core.participant.StatementEnd;
import java.util.List;
import java.util.Objects;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/**
 * What the agent's drivers make of each kind of database, one case after the other: a server, an agent process on it, and
 * one fault that is provoked. The columns of the truth table of databases are the tests, its rows the flavours.
 */
class FlavourTest {

    /** So long a server may take to notice that a client is gone. */
    private static final long NOTICE_MILLIS = 500;

    @ParameterizedTest
    @EnumSource(
            mode = EnumSource.Mode.EXCLUDE,
            names = {"H2", "HSQLDB"})
    void theCanaryAcceptsWhatKeepsItsPromise(Flavour flavour) throws Exception {
        Bench bench = new Bench(flavour, 1);
        bench.selfTest();
        assertNotNull(bench.agent.identity().identity());
        assertEquals(0, bench.server.preparedXids().size(), "the canary leaves nothing");
    }

    @ParameterizedTest
    @EnumSource(names = {"H2", "HSQLDB"})
    void theCanaryRefusesWhatLosesPreparedWork(Flavour flavour) {
        Bench bench = new Bench(flavour, 1);
        ResourceUnsuitableException refused = assertThrows(ResourceUnsuitableException.class, bench::selfTest);
        String why = String.valueOf(refused.getMessage());
        assertTrue(why.contains(flavour == Flavour.H2 ? "does not list" : "its row is not there"), why);
    }

    @Test
    void theSelfTestRefusesPostgresWithoutSlotsOrFlushes() {
        for (ServerSettings settings :
                List.of(new ServerSettings(0, 1, 0, true), new ServerSettings(32, 1, 0, false))) {
            TestWorld world = new TestWorld(1);
            SimulatedServer server = new SimulatedServer("bank", Flavour.POSTGRESQL, settings, world);
            SimulatedBranchDatabase agent = new SimulatedBranchDatabase("bank", server, 4, world);
            assertThrows(ResourceUnsuitableException.class, agent::selfTest);
        }
    }

    @ParameterizedTest
    @EnumSource(
            mode = EnumSource.Mode.EXCLUDE,
            names = {"H2", "HSQLDB"})
    void preparesListsAndCommits(Flavour flavour) {
        Bench bench = new Bench(flavour, 1);
        Prepared branch = bench.prepared("a");
        assertEquals(flavour == Flavour.POSTGRESQL, branch.proof() != null);
        assertEquals(List.of(), bench.row("a"), "not visible before phase 2");
        assertEquals(1, bench.list().prepared().size());
        assertEquals(flavour.tiesPreparedToSession() ? 1 : 0, bench.agent.connectionsInUse());
        assertEquals(PhaseTwoCompletion.Kind.DONE, bench.commit(branch, true).kind());
        assertEquals(List.of(5L), bench.row("a"));
        assertEquals(0, bench.list().prepared().size());
        assertEquals(0, bench.agent.connectionsInUse());
    }

    @ParameterizedTest
    @EnumSource(
            mode = EnumSource.Mode.EXCLUDE,
            names = {"H2", "HSQLDB"})
    void rollsBackWhatIsPreparedAndWhatIsNot(Flavour flavour) {
        Bench bench = new Bench(flavour, 1);
        TrothXid unprepared = bench.wrote("a");
        assertTrue(bench.rollback(unprepared));
        Prepared branch = bench.prepared("a");
        assertEquals(PhaseTwoCompletion.Kind.DONE, bench.rollBack(branch).kind());
        assertEquals(PhaseTwoCompletion.Kind.DONE, bench.rollBack(branch).kind(), "what is not there is done");
        assertEquals(State.ROLLED_BACK, bench.state(unprepared));
        assertEquals(State.ROLLED_BACK, bench.state(branch.xid()));
        assertEquals(List.of(), bench.row("a"));
    }

    @ParameterizedTest
    @EnumSource(
            mode = EnumSource.Mode.EXCLUDE,
            names = {"H2", "HSQLDB"})
    void commitsInOnePhase(Flavour flavour) {
        Bench bench = new Bench(flavour, 1);
        assertEquals(
                OnePhaseFate.COMMITTED, bench.commitOnePhase(bench.wrote("a")).fate());
        assertEquals(List.of(5L), bench.row("a"));
        assertEquals(flavour == Flavour.POSTGRESQL ? 1 : 0, bench.proofs.size());
        assertEquals(
                OnePhaseFate.READ_ONLY, bench.commitOnePhase(bench.branch()).fate(), "no connection was ever opened");
    }

    @Test
    void aFailedTransactionOfPostgresCannotVoteYes() {
        Bench bench = new Bench(Flavour.POSTGRESQL, 1);
        for (boolean onePhase : new boolean[] {false, true}) {
            TrothXid xid = bench.wrote("a");
            bench.server.provoke(DatabaseFault.STATEMENT_REFUSED);
            StatementResult failed = bench.execute(xid, SqlOperation.add(2, "b", 1));
            assertEquals(StatementEnd.Kind.FAILED, failed.end().kind());
            assertEquals(
                    ErrorCode.STATEMENT_FAILED,
                    Objects.requireNonNull(
                                    onePhase
                                            ? bench.commitOnePhase(xid).reason()
                                            : bench.prepare(xid).reason())
                            .code());
            assertEquals(State.ROLLED_BACK, bench.state(xid));
        }
        assertEquals(0, bench.server.preparedXids().size());
    }

    @ParameterizedTest
    @EnumSource(names = {"MARIADB", "ORACLE", "DERBY"})
    void aFailedStatementOfOthersUndoesOnlyItself(Flavour flavour) {
        Bench bench = new Bench(flavour, 1);
        TrothXid xid = bench.wrote("a");
        StatementResult failed = bench.execute(xid, SqlOperation.add(2, "b", -1));
        assertEquals(StatementEnd.Kind.FAILED, failed.end().kind(), "so that the agent votes NO");
        assertEquals(PrepareResult.Kind.PREPARED, bench.prepare(xid).kind(), "the database would have it");
        assertEquals(1, bench.facts(xid).steps().size());
    }

    @Test
    void sqlTextThatEndsTheTransactionIsNoticedByPostgres() {
        Bench bench = new Bench(Flavour.POSTGRESQL, 1);
        TrothXid xid = bench.wrote("a");
        bench.server.provoke(DatabaseFault.TRANSACTION_CONTROL_BYPASSED);
        bench.execute(xid, SqlOperation.add(2, "b", 1));
        PrepareResult result = bench.prepare(xid);
        assertEquals(PrepareResult.Kind.REFUSED, result.kind());
        assertEquals(
                ErrorCode.TRANSACTION_CONTROL_BYPASSED,
                Objects.requireNonNull(result.reason()).code());
        assertEquals(0, bench.server.preparedXids().size());
        assertEquals(List.of(), bench.row("b"));
    }

    @ParameterizedTest
    @EnumSource(
            mode = EnumSource.Mode.EXCLUDE,
            names = {"H2", "HSQLDB"})
    void aBranchThatOnlyReadIsOverWhereTheDatabaseSaysSo(Flavour flavour) {
        Bench bench = new Bench(flavour, 1);
        TrothXid xid = bench.branch();
        bench.execute(xid, SqlOperation.read(1, "a"));
        PrepareResult result = bench.prepare(xid);
        boolean listed = flavour.tiesPreparedToSession() || flavour == Flavour.MYSQL_DETACHED;
        assertEquals(listed ? PrepareResult.Kind.PREPARED : PrepareResult.Kind.READ_ONLY, result.kind());
        assertEquals(listed ? 1 : 0, bench.list().prepared().size());
        if (!listed) {
            assertEquals(
                    PhaseTwoCompletion.Kind.RESOLVED_ELSEWHERE,
                    bench.commit(new Prepared(xid, null), true).kind(),
                    "it then knows nothing of the branch");
        }
    }

    @Test
    void aRowLockIsAWriteForPostgres() {
        Bench bench = new Bench(Flavour.POSTGRESQL, 1);
        TrothXid xid = bench.branch();
        bench.execute(xid, SqlOperation.readLocked(1, "a"));
        assertEquals(PrepareResult.Kind.PREPARED, bench.prepare(xid).kind());
    }

    @Test
    void aReadOnlyBranchOfMariaDbEndsWithItsSession() {
        Bench bench = new Bench(Flavour.MARIADB, 1);
        TrothXid xid = bench.branch();
        bench.execute(xid, SqlOperation.read(1, "a"));
        bench.prepare(xid);
        bench.agent.close();
        bench.agent = bench.process();
        bench.world.run(1_000);
        assertEquals(1, bench.list().prepared().size(), "still listed");
        assertEquals(
                PhaseTwoCompletion.Kind.HEURISTIC,
                bench.commit(new Prepared(xid, null), true).kind());
        assertEquals(0, bench.list().prepared().size());
    }

    @Test
    void postgresRefusesToPrepareWithoutAFreeSlot() {
        Bench bench = new Bench(Flavour.POSTGRESQL, 1);
        bench.server.fillSlots(2_000_000_000L);
        TrothXid xid = bench.wrote("a");
        PrepareResult result = bench.prepare(xid);
        assertEquals(
                ErrorCode.PREPARED_SLOTS_EXHAUSTED,
                Objects.requireNonNull(result.reason()).code());
        assertTrue(bench.world.saw(DatabaseFault.SLOTS_EXHAUSTED));
        assertEquals(State.ROLLED_BACK, bench.state(xid));
        bench.world.run(3_000);
        bench.prepared("a");
    }

    @ParameterizedTest
    @EnumSource(
            mode = EnumSource.Mode.EXCLUDE,
            names = {"H2", "HSQLDB"})
    void aLostPrepareIsLostWhateverHappenedToIt(Flavour flavour) {
        Bench before = new Bench(flavour, 1);
        TrothXid xid = before.wrote("a");
        before.server.provoke(DatabaseFault.CONNECTION_LOST_BEFORE_PREPARE);
        assertEquals(PrepareResult.Kind.LOST, before.prepare(xid).kind());
        before.world.run(NOTICE_MILLIS);
        assertEquals(State.ROLLED_BACK, before.state(xid));

        Bench after = new Bench(flavour, 1);
        xid = after.wrote("a");
        after.server.provoke(DatabaseFault.REPLY_OF_PREPARE_LOST);
        assertEquals(PrepareResult.Kind.LOST, after.prepare(xid).kind());
        assertEquals(State.PREPARED, after.state(xid));
        assertEquals(1, after.connectionsLost, "the agent must list again");
        assertEquals(1, after.list().prepared().size());
        after.world.run(NOTICE_MILLIS);
        assertEquals(
                PhaseTwoCompletion.Kind.DONE,
                after.rollBack(new Prepared(xid, null)).kind());
    }

    @ParameterizedTest
    @EnumSource(
            mode = EnumSource.Mode.EXCLUDE,
            names = {"H2", "HSQLDB"})
    void aPrepareCanCompleteLongAfterItsConnectionDied(Flavour flavour) {
        Bench bench = new Bench(flavour, 3);
        TrothXid xid = bench.wrote("a");
        bench.server.provoke(DatabaseFault.PREPARE_COMPLETED_AFTER_ITS_CONNECTION_DIED);
        List<PrepareResult> results = new java.util.ArrayList<>();
        bench.agent.prepare(xid.tx(), xid.branch(), results::add);
        bench.world.run(50);
        assertEquals(PrepareResult.Kind.LOST, results.get(0).kind());
        assertEquals(State.ACTIVE, bench.state(xid));
        bench.world.run(21_000);
        assertEquals(State.PREPARED, bench.state(xid));
        assertTrue(bench.world.saw(DatabaseFault.PREPARE_COMPLETED_AFTER_ITS_CONNECTION_DIED));
    }

    @ParameterizedTest
    @EnumSource(
            mode = EnumSource.Mode.EXCLUDE,
            names = {"H2", "HSQLDB"})
    void aLostReplyOfPhaseTwoIsAskedAgain(Flavour flavour) {
        Bench bench = new Bench(flavour, 1);
        Prepared branch = bench.prepared("a");
        bench.server.provoke(DatabaseFault.REPLY_OF_PHASE_TWO_LOST);
        assertEquals(PhaseTwoCompletion.Kind.NOT_YET, bench.commit(branch, true).kind());
        assertEquals(State.COMMITTED, bench.state(branch.xid()));
        assertEquals(PhaseTwoCompletion.Kind.DONE, bench.commit(branch, false).kind());
    }

    @Test
    void onlyTheSessionThatPreparedOnMariaDbFinishesTheBranch() {
        Bench bench = new Bench(Flavour.MARIADB, 1);
        Prepared branch = bench.prepared("a");
        SimulatedBranchDatabase voter = bench.agent;
        bench.agent = bench.process();
        assertEquals(PhaseTwoCompletion.Kind.NOT_YET, bench.commit(branch, true).kind());
        assertEquals(1, bench.list().prepared().size(), "not known, and yet listed");
        assertTrue(bench.world.saw(DatabaseFault.HOSTAGE_OF_ITS_SESSION));
        voter.close();
        bench.world.run(1_000);
        assertEquals(PhaseTwoCompletion.Kind.DONE, bench.commit(branch, false).kind());
        assertEquals(List.of(5L), bench.row("a"));
    }

    @ParameterizedTest
    @EnumSource(names = {"POSTGRESQL", "MYSQL_DETACHED", "ORACLE", "SQL_SERVER", "DERBY"})
    void anyProcessFinishesWhatIsFreeOfItsSession(Flavour flavour) {
        Bench bench = new Bench(flavour, 1);
        Prepared branch = bench.prepared("a");
        bench.agent = bench.process();
        assertEquals(PhaseTwoCompletion.Kind.DONE, bench.commit(branch, true).kind());
    }

    @Test
    void postgresTellsWhatBecameOfABranchThatWasResolvedByHand() {
        Bench bench = new Bench(Flavour.POSTGRESQL, 1);
        Prepared committed = bench.prepared("a");
        assertTrue(bench.server.resolveByHand(true));
        assertEquals(PhaseTwoCompletion.Kind.DONE, bench.commit(committed, true).kind());
        Prepared rolledBack = bench.prepared("b");
        assertTrue(bench.server.resolveByHand(false));
        assertEquals(
                PhaseTwoCompletion.Kind.HEURISTIC,
                bench.commit(rolledBack, true).kind());
        assertFalse(bench.server.resolveByHand(true), "nothing is left");
    }

    @ParameterizedTest
    @EnumSource(names = {"MARIADB", "ORACLE", "DERBY"})
    void withoutAProofAVanishedBranchWasResolvedElsewhere(Flavour flavour) {
        Bench bench = new Bench(flavour, 1);
        Prepared branch = bench.prepared("a");
        bench.server.resolveByHand(false);
        PhaseTwoCompletion.Kind kind = bench.commit(branch, true).kind();
        if (kind == PhaseTwoCompletion.Kind.NOT_YET) {
            // The session that held the branch was ended for it.
            kind = bench.commit(branch, true).kind();
        }
        assertEquals(PhaseTwoCompletion.Kind.RESOLVED_ELSEWHERE, kind);
    }

    @ParameterizedTest
    @EnumSource(
            mode = EnumSource.Mode.EXCLUDE,
            names = {"H2", "HSQLDB"})
    void aLostAnswerToAOnePhaseCommitIsLost(Flavour flavour) {
        for (DatabaseFault fault :
                List.of(DatabaseFault.REPLY_OF_COMMIT_LOST, DatabaseFault.CONNECTION_LOST_BEFORE_COMMIT)) {
            Bench bench = new Bench(flavour, 1);
            TrothXid xid = bench.wrote("a");
            bench.server.provoke(fault);
            OnePhaseCompletion completion = bench.commitOnePhase(xid);
            assertEquals(OnePhaseFate.LOST, completion.fate());
            bench.world.run(NOTICE_MILLIS);
            boolean committed = fault == DatabaseFault.REPLY_OF_COMMIT_LOST;
            assertEquals(committed ? State.COMMITTED : State.ROLLED_BACK, bench.state(xid));
        }
    }

    @Test
    void errorCodeZeroSaysNothing() {
        Bench bench = new Bench(Flavour.MARIADB, 1);
        Prepared branch = bench.prepared("a");
        bench.server.provoke(DatabaseFault.CONNECTION_LOST_BEFORE_PHASE_TWO);
        PhaseTwoCompletion completion = bench.commit(branch, true);
        assertEquals(PhaseTwoCompletion.Kind.NOT_YET, completion.kind());
        assertTrue(bench.world.saw(DatabaseFault.ERROR_CODE_ZERO));
        assertEquals(State.PREPARED, bench.state(branch.xid()));
    }

    @ParameterizedTest
    @EnumSource(
            mode = EnumSource.Mode.EXCLUDE,
            names = {"H2", "HSQLDB"})
    void aListThatIsRefusedIsNoEmptyOne(Flavour flavour) {
        Bench bench = new Bench(flavour, 1);
        Prepared branch = bench.prepared("a");
        bench.server.provoke(DatabaseFault.LIST_REFUSED);
        assertNotNull(bench.list().failure());
        assertNull(bench.list().failure());
        bench.agent = bench.process();
        assertTrue(bench.server.resolveByHand(true));
        bench.server.provoke(DatabaseFault.LIST_REFUSED);
        assertEquals(
                PhaseTwoCompletion.Kind.NOT_YET, bench.commit(branch, false).kind(), "another may hold it");
        assertEquals(PhaseTwoCompletion.Kind.DONE, bench.commit(branch, false).kind());
    }

    @Test
    void strangersArePassedOver() {
        Bench bench = new Bench(Flavour.POSTGRESQL, 1);
        Prepared ours = bench.prepared("a");
        String other = XidText.of(new TrothXid(
                new io.troth.core.ClusterId(8), ours.xid().tx(), ours.xid().branch()));
        bench.server.addStrangers(List.of("somebody's", "7_YQ==_Yg==", other));
        assertEquals(1, bench.list().prepared().size());
        assertEquals(1, bench.list().otherClusters());
        assertTrue(bench.world.saw(DatabaseFault.FOREIGN_XID_LISTED));
        bench.commit(ours, true);
        assertEquals(3, bench.server.strangers());
    }

    @Test
    void aTerminatedSessionIsNoticedByTheNextStatement() {
        Bench bench = new Bench(Flavour.POSTGRESQL, 1);
        TrothXid xid = bench.wrote("a");
        assertTrue(bench.server.killSession());
        StatementResult result = bench.execute(xid, SqlOperation.add(2, "a", 1));
        assertEquals(StatementEnd.Kind.CONNECTION_LOST, result.end().kind());
        assertEquals(1, bench.connectionsLost);
        assertNull(bench.server.preparedAs(XidText.of(xid)));
        assertEquals(List.of(), bench.row("a"));
    }
}
