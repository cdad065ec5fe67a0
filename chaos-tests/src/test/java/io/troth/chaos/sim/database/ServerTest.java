package io.troth.chaos.sim.database;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.troth.agent.xa.TrothXid;
import io.troth.chaos.sim.check.BranchFacts;
import io.troth.chaos.sim.check.BranchFacts.State;
import io.troth.chaos.sim.database.Bench.Prepared;
import io.troth.core.coordinator.Fate;
import io.troth.core.participant.PhaseTwoCompletion;
import io.troth.core.participant.PrepareResult;
import io.troth.core.participant.StatementEnd;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/** What a server keeps and loses: locks, crashes, killed processes, restored backups; and what its proofs are worth then. */
class ServerTest {

    /** So long a server may take to notice that a client is gone. */
    private static final long NOTICE_MILLIS = 500;

    @Test
    void aWriterWaitsForTheLockOfAnother() {
        Bench bench = new Bench(Flavour.POSTGRESQL, 1);
        TrothXid first = bench.wrote("a");
        TrothXid second = bench.branch();
        List<StatementResult> waiting = bench.start(second, SqlOperation.add(1, "a", 2));
        bench.world.run(1_000);
        assertEquals(List.of(), waiting);
        assertTrue(bench.world.saw(DatabaseFault.LOCK_WAIT));
        assertEquals(
                List.of(),
                bench.execute(bench.branch(), SqlOperation.read(1, "a")).row(),
                "readers do not wait");
        bench.commitOnePhase(first);
        assertEquals(List.of(7L), waiting.get(0).row(), "it sees what the first has committed");
        assertTrue(bench.rollback(second));
        assertEquals(List.of(5L), bench.row("a"));
    }

    @Test
    void sharedLocksKeepWritersOutAndAreUpgraded() {
        Bench bench = new Bench(Flavour.DERBY, 1);
        TrothXid reader = bench.branch();
        bench.execute(reader, SqlOperation.readLocked(1, "a"));
        TrothXid other = bench.branch();
        bench.execute(other, SqlOperation.readLocked(1, "a"));
        List<StatementResult> writer = bench.start(bench.branch(), SqlOperation.add(1, "a", 1));
        bench.world.run(1_000);
        assertEquals(List.of(), writer);
        bench.rollback(other);
        assertEquals(
                List.of(9L), bench.execute(reader, SqlOperation.add(2, "a", 9)).row(), "the only reader may write");
        bench.rollback(reader);
        assertEquals(List.of(1L), writer.get(0).row());
    }

    @ParameterizedTest
    @EnumSource(names = {"POSTGRESQL", "MARIADB"})
    void aDeadlockHasOneVictim(Flavour flavour) {
        Bench bench = new Bench(flavour, 1);
        TrothXid one = bench.wrote("a");
        TrothXid two = bench.wrote("b");
        List<StatementResult> waits = bench.start(one, SqlOperation.add(2, "b", 1));
        bench.world.run(10);
        StatementResult victim = bench.execute(two, SqlOperation.add(2, "a", 1));
        assertEquals(StatementEnd.Kind.FAILED, victim.end().kind());
        bench.world.run(10);
        assertEquals(1, waits.size(), "the other one goes on");
        assertEquals(PrepareResult.Kind.REFUSED, bench.prepare(two).kind());
        assertEquals(State.ROLLED_BACK, bench.state(two));
    }

    @Test
    void aStatementThatWaitsTooLongFails() {
        Bench bench = new Bench(Flavour.MARIADB, 1);
        bench.wrote("a");
        TrothXid waiting = bench.wrote("b");
        List<StatementResult> result = bench.start(waiting, SqlOperation.add(2, "a", 1));
        bench.world.run(51_000);
        assertEquals(StatementEnd.Kind.FAILED, result.get(0).end().kind());
        assertEquals(1, bench.facts(waiting).steps().size(), "only the statement is undone");
    }

    @Test
    void rollbackCancelsARunningStatementOrCutsItsConnection() {
        for (boolean heeds : new boolean[] {true, false}) {
            Bench bench = new Bench(Flavour.POSTGRESQL, 1);
            bench.wrote("a");
            TrothXid waiting = bench.wrote("b");
            List<StatementResult> running = bench.start(waiting, SqlOperation.add(2, "a", 1));
            bench.world.run(10);
            if (!heeds) {
                bench.server.provoke(DatabaseFault.CANCEL_WITHOUT_EFFECT);
            }
            long begins = bench.world.nowNanos();
            assertEquals(heeds, bench.rollback(waiting));
            bench.world.run(NOTICE_MILLIS);
            assertEquals(1, running.size());
            assertEquals(State.ROLLED_BACK, bench.state(waiting));
            long took = bench.facts(waiting).endedNanos() - begins;
            assertTrue(took < 2_500_000_000L, "locks are free soon after the limit, took " + took);
        }
    }

    @ParameterizedTest
    @EnumSource(
            mode = EnumSource.Mode.EXCLUDE,
            names = {"H2", "HSQLDB"})
    void aCrashKeepsWhatIsPreparedWithItsLocks(Flavour flavour) {
        Bench bench = new Bench(flavour, 1);
        Prepared prepared = bench.prepared("a");
        TrothXid active = bench.wrote("b");
        bench.server.crash(1_000_000_000L);
        assertFalse(bench.server.isUp());
        assertEquals(State.ROLLED_BACK, bench.state(active));
        bench.world.run(2_000);
        assertEquals(1, bench.list().prepared().size());
        List<StatementResult> writer = bench.start(bench.branch(), SqlOperation.add(1, "a", 1));
        bench.world.run(1_000);
        assertEquals(List.of(), writer, "the lock is held");
        PhaseTwoCompletion.Kind kind = bench.commit(prepared, true).kind();
        if (flavour.tiesPreparedToSession()) {
            assertEquals(PhaseTwoCompletion.Kind.NOT_YET, kind, "its own connection is gone");
            kind = bench.commit(prepared, false).kind();
        }
        assertEquals(PhaseTwoCompletion.Kind.DONE, kind);
        bench.world.run(10);
        assertEquals(List.of(6L), writer.get(0).row());
    }

    @Test
    void whileTheServerIsDownNothingIsCertain() {
        Bench bench = new Bench(Flavour.POSTGRESQL, 1);
        Prepared prepared = bench.prepared("a");
        bench.server.crash(120_000_000_000L);
        assertEquals(
                PhaseTwoCompletion.Kind.NOT_YET, bench.commit(prepared, true).kind());
        StatementResult result = awaitLong(bench, bench.branch());
        assertEquals(StatementEnd.Kind.COMPLETED, result.end().kind(), "nothing was begun");
        assertTrue(result.failure() != null);
    }

    private static StatementResult awaitLong(Bench bench, TrothXid xid) {
        List<StatementResult> results = bench.start(xid, SqlOperation.add(1, "a", 1));
        bench.world.run(11_000);
        return results.get(0);
    }

    @Test
    void aProofOfAnUnpreparedBranchCountsInOneLifeOnly() {
        Bench bench = new Bench(Flavour.POSTGRESQL, 1);
        bench.commitOnePhase(bench.wrote("a"));
        assertEquals(Fate.COMMITTED, bench.fate(bench.proofs.get(0)));
        bench.server.crash(1);
        bench.world.run(1_000);
        assertEquals(Fate.UNKNOWN, bench.fate(bench.proofs.get(0)), "it may be a stranger's");
    }

    @Test
    void anIdThatWasNotDurableIsGivenAgain() {
        boolean seen = false;
        for (long seed = 0; seed < 20; seed++) {
            Bench bench = new Bench(Flavour.POSTGRESQL, seed);
            TrothXid lost = bench.wrote("a");
            bench.server.provoke(DatabaseFault.CONNECTION_LOST_BEFORE_COMMIT);
            bench.commitOnePhase(lost);
            bench.world.run(NOTICE_MILLIS);
            assertEquals(Fate.ROLLED_BACK, bench.fate(bench.proofs.get(0)));
            bench.server.crash(1);
            bench.world.run(1_000);
            bench.commitOnePhase(bench.wrote("b"));
            seen |= bench.world.saw(DatabaseFault.TRANSACTION_ID_GIVEN_TWICE);
            assertTrue(bench.fate(bench.proofs.get(0)) != Fate.COMMITTED, "never a stranger's fate");
        }
        assertTrue(seen);
    }

    @ParameterizedTest
    @EnumSource(
            mode = EnumSource.Mode.EXCLUDE,
            names = {"H2", "HSQLDB"})
    void aKilledProcessLeavesOnlyWhatIsPrepared(Flavour flavour) {
        Bench bench = new Bench(flavour, 1);
        Prepared prepared = bench.prepared("a");
        TrothXid active = bench.wrote("b");
        bench.agent.close();
        bench.world.run(500);
        assertEquals(State.ROLLED_BACK, bench.state(active));
        assertEquals(BranchFacts.Ending.DATABASE, bench.facts(active).ending());
        assertEquals(State.PREPARED, bench.state(prepared.xid()));
        bench.agent = bench.process();
        assertEquals(1, bench.list().prepared().size());
        assertEquals(PhaseTwoCompletion.Kind.DONE, bench.commit(prepared, true).kind());
    }

    @Test
    void aBackupFromBeforeThePrepareHasLostTheBranch() {
        for (boolean newTimeline : new boolean[] {false, true}) {
            Bench bench = new Bench(Flavour.POSTGRESQL, 1);
            Backup backup = bench.server.backup();
            Prepared branch = bench.prepared("a");
            bench.server.restore(backup, newTimeline);
            bench.world.run(1_000);
            assertEquals(State.ROLLED_BACK, bench.state(branch.xid()));
            assertTrue(bench.facts(branch.xid()).touchedByRestore());
            PhaseTwoCompletion.Kind kind = bench.commit(branch, true).kind();
            kind = kind == PhaseTwoCompletion.Kind.NOT_YET
                    ? bench.commit(branch, true).kind()
                    : kind;
            assertEquals(PhaseTwoCompletion.Kind.RESOLVED_ELSEWHERE, kind, "reported, never plain done");
            assertTrue(bench.world.saw(DatabaseFault.RESTORED_TO_BEFORE_PREPARE));
        }
    }

    /** Its id will be that of somebody else, whose end its proof then tells. */
    @Test
    void aRestoreTouchesAlsoWhatHadBeenRolledBackSince() {
        Bench bench = new Bench(Flavour.POSTGRESQL, 1);
        Backup backup = bench.server.backup();
        Prepared branch = bench.prepared("a");
        bench.server.resolveByHand(false);
        assertFalse(bench.facts(branch.xid()).touchedByRestore());
        bench.server.restore(backup, false);
        assertTrue(bench.facts(branch.xid()).touchedByRestore());
    }

    @ParameterizedTest
    @EnumSource(names = {"POSTGRESQL", "MYSQL_DETACHED", "ORACLE"})
    void aBackupFromBeforeTheCommitHasThePreparedBranchAgain(Flavour flavour) {
        Bench bench = new Bench(flavour, 1);
        Prepared branch = bench.prepared("a");
        Backup backup = bench.server.backup();
        bench.commit(branch, true);
        assertEquals(List.of(5L), bench.row("a"));
        bench.server.restore(backup, false);
        bench.world.run(1_000);
        assertEquals(List.of(), bench.row("a"));
        assertEquals(1, bench.list().prepared().size());
        assertTrue(bench.facts(branch.xid()).touchedByRestore());
        PhaseTwoCompletion.Kind kind = bench.commit(branch, false).kind();
        assertEquals(PhaseTwoCompletion.Kind.DONE, kind);
        assertEquals(List.of(5L), bench.row("a"));
    }

    @Test
    void whatAServerDoesNotUnderstandIsLoud() {
        Bench bench = new Bench(Flavour.POSTGRESQL, 1);
        ClientEnd end = org.junit.jupiter.api.Assertions.assertDoesNotThrow(() -> ClientEnd.open(bench.server));
        PostgresBackend backend = new PostgresBackend(bench.server, end.session);
        assertThrows(java.sql.SQLException.class, () -> backend.execute("SELECT 2", List.of()));
    }
}
