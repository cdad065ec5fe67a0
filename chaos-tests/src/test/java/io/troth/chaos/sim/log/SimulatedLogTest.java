package io.troth.chaos.sim.log;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNotNull;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.troth.chaos.sim.world.Fault;
import io.troth.chaos.sim.world.Plan;
import io.troth.chaos.sim.world.Sights;
import io.troth.chaos.sim.world.SimProcess;
import io.troth.chaos.sim.world.World;
import io.troth.coordinator.engine.LogListener;
import io.troth.coordinator.engine.Recovered;
import io.troth.coordinator.log.DamagedRecordException;
import io.troth.core.BranchId;
import io.troth.core.Decision;
import io.troth.core.EpochId;
import io.troth.core.GlobalTxId;
import io.troth.core.coordinator.LogEntry;
import io.troth.core.coordinator.LogRecord;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.function.Function;
import java.util.function.LongSupplier;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;

/**
 * Goal: the simulated log gives what protocol 3 demands of any (L1-L5) and nothing that a real one does not; else the
 * simulation would be one of a dream. Method: by hand, and over seeds for what a power loss or a flipped bit may do.
 */
class SimulatedLogTest implements LogListener, LogWatcher {

    private static final EpochId ONE = new EpochId(1, 11);
    private static final EpochId TWO = new EpochId(2, 22);

    private final List<LogEntry> applied = new ArrayList<>();
    private final List<LogEntry> replayed = new ArrayList<>();
    private final List<GlobalTxId> purged = new ArrayList<>();
    private final List<LogRecord.Heuristic> forced = new ArrayList<>();
    private final List<GlobalTxId> found = new ArrayList<>();
    private @Nullable Throwable failure;
    private World world = new World(plan(1), new Sights(), null);
    private SimProcess process = world.process("c1");
    private SimulatedStore store = new SimulatedStore(world, this);

    private static Plan plan(long seed, Fault... faults) {
        Plan plan = Plan.of(seed, Set.of());
        Map<Fault, Integer> chosen = new java.util.EnumMap<>(Fault.class);
        for (Fault fault : faults) {
            chosen.put(fault, 1);
        }
        return new Plan(seed, chosen, Set.of(), Set.of(), 1, 1, 1, 1_000, plan.delay(), false, plan.mix());
    }

    private void fresh(long seed, Fault... faults) {
        world = new World(plan(seed, faults), new Sights(), null);
        process = world.process("c1");
        store = new SimulatedStore(world, this);
        applied.clear();
        replayed.clear();
        purged.clear();
        failure = null;
    }

    private SimulatedLog lead(EpochId epoch) {
        process.start(() -> {});
        return lead(store.open(process), epoch);
    }

    private SimulatedLog lead(SimulatedLog log, EpochId epoch) {
        replayed.clear();
        Recovered recovered = log.recover(replayed::add);
        assertTrue(recovered.highestEpoch() < epoch.number());
        log.start(epoch.number(), this);
        log.append(new LogRecord.Epoch(epoch), true);
        settle();
        return log;
    }

    private void settle() {
        world.run(world.nanos() + 40_000_000_000L);
    }

    private void crash() {
        process.crash();
    }

    private static GlobalTxId tx(EpochId epoch, long sequence) {
        return new GlobalTxId(0, epoch, 1, sequence);
    }

    private static LogRecord.Commit commit(GlobalTxId tx) {
        return new LogRecord.Commit(
                tx, List.of(new LogRecord.YesBranch(new BranchId(5, tx.sequence()), "accounts", null)));
    }

    private List<LogRecord> replayedRecords() {
        return replayed.stream().map(LogEntry::record).toList();
    }

    @Test
    void appliesInOrderWithTheEpochOfTheLeader() {
        SimulatedLog log = lead(ONE);
        List<LogEntry> expected = new ArrayList<>(applied);
        for (int i = 1; i <= 50; i++) {
            log.append(commit(tx(ONE, i)), true);
            expected.add(new LogEntry(1, commit(tx(ONE, i))));
        }
        settle();
        assertEquals(expected, applied);
        crash();
        lead(TWO);
        assertEquals(51, replayed.size());
        assertEquals(new LogEntry(1, commit(tx(ONE, 50))), replayed.get(50));
    }

    @Test
    void refusesWhatComesBeforeTheEpochAndAnOldEpoch() {
        process.start(() -> {});
        SimulatedLog log = store.open(process);
        log.recover(replayed::add);
        assertThrows(IllegalStateException.class, () -> log.append(new LogRecord.Epoch(ONE), true));
        log.start(1, this);
        assertThrows(IllegalArgumentException.class, () -> log.append(commit(tx(ONE, 1)), true));
        log.append(new LogRecord.Epoch(ONE), true);
        settle();
        assertThrows(IllegalArgumentException.class, () -> log.append(commit(tx(ONE, 1)), false));
        crash();
        process.start(() -> {});
        SimulatedLog next = store.open(process);
        next.recover(replayed::add);
        assertThrows(IllegalArgumentException.class, () -> next.start(1, this));
    }

    @Test
    void keepsWhatWasAppliedForcedAndKeepsOrLosesTheRestOverAPowerLoss() {
        boolean lazyLost = false;
        boolean lazyKept = false;
        boolean handedLost = false;
        boolean handedKept = false;
        for (long seed = 1; seed <= 200; seed++) {
            fresh(seed);
            SimulatedLog log = lead(ONE);
            log.append(commit(tx(ONE, 1)), true);
            settle();
            log.append(new LogRecord.End(tx(ONE, 1)), false);
            settle();
            log.append(commit(tx(ONE, 2)), true);
            world.run(world.nanos() + world.random().nextLong(2_000_000));
            boolean secondApplied = applied.contains(new LogEntry(1, commit(tx(ONE, 2))));
            crash();
            store.losePower();
            SimulatedLog next = lead(TWO);
            assertNotNull(next.find(tx(ONE, 1)), "seed " + seed);
            boolean ended = !replayedRecords().contains(commit(tx(ONE, 1)));
            boolean second = next.find(tx(ONE, 2)) != null;
            assertTrue(second || !secondApplied, "seed " + seed);
            assertTrue(ended || !secondApplied, "a forced record makes the lazy one before it durable, seed " + seed);
            lazyKept |= ended;
            lazyLost |= !ended;
            handedKept |= second && !secondApplied;
            handedLost |= !second;
        }
        assertTrue(lazyKept && lazyLost && handedKept && handedLost, "every case was seen");
    }

    @Test
    void saysUnknownOnceAndNothingAfterIt() {
        boolean survived = false;
        boolean lost = false;
        for (long seed = 1; seed <= 400; seed++) {
            fresh(seed, Fault.FSYNC_FAILS);
            SimulatedLog log = lead(ONE);
            for (int i = 1; i <= 30 && failure == null; i++) {
                log.append(commit(tx(ONE, i)), true);
                settle();
            }
            if (failure == null) {
                continue;
            }
            int before = applied.size();
            log.append(commit(tx(ONE, 99)), true);
            settle();
            assertEquals(before, applied.size());
            assertThrows(IllegalStateException.class, () -> log.find(tx(ONE, 1)));
            crash();
            world.becomeQuiet();
            SimulatedLog next = lead(TWO);
            int kept = replayed.size();
            assertTrue(kept >= before && kept <= before + 1, "seed " + seed);
            assertNull(next.find(tx(ONE, 99)));
            survived |= kept > before;
            lost |= kept == before;
        }
        assertTrue(survived && lost, "both were seen");
    }

    @Test
    void refusesToStartWithAFlippedBit() {
        int refused = 0;
        for (long seed = 1; seed <= 300; seed++) {
            fresh(seed);
            SimulatedLog log = lead(ONE);
            log.append(commit(tx(ONE, 1)), true);
            log.append(commit(tx(ONE, 2)), true);
            settle();
            crash();
            assertTrue(store.decay());
            process.start(() -> {});
            SimulatedLog damaged = store.open(process);
            assertThrows(DamagedRecordException.class, () -> damaged.recover(replayed::add), "seed " + seed);
            refused++;
            process.crash();
            store.restore();
            lead(TWO);
            assertEquals(3, replayed.size(), "seed " + seed);
        }
        assertEquals(300, refused);
    }

    @Test
    void letsAnotherLeaderTakeOverBehindTheBackOfTheFirst() {
        boolean kept = false;
        boolean lost = false;
        for (long seed = 1; seed <= 100; seed++) {
            fresh(seed);
            SimulatedLog old = lead(ONE);
            old.append(commit(tx(ONE, 1)), true);
            world.run(world.nanos() + world.random().nextLong(1_000_000));
            boolean wasApplied = applied.contains(new LogEntry(1, commit(tx(ONE, 1))));
            SimProcess other = world.process("c2");
            other.start(() -> {});
            SimulatedLog next = lead(store.takeOver(other), TWO);
            boolean found = next.find(tx(ONE, 1)) != null;
            assertTrue(found || !wasApplied, "seed " + seed);
            kept |= found;
            lost |= !found;
            old.append(commit(tx(ONE, 2)), true);
            settle();
            assertNotNull(failure, "the old one learns of it");
            assertNull(next.find(tx(ONE, 2)));
        }
        assertTrue(kept && lost, "both were seen");
    }

    @Test
    void dropsACommitOfAnotherEpochAndReportsIt() {
        lead(ONE);
        crash();
        SimulatedLog log = lead(TWO);
        log.append(commit(tx(ONE, 1)), true);
        settle();
        assertTrue(applied.contains(new LogEntry(2, commit(tx(ONE, 1)))));
        assertNull(log.find(tx(ONE, 1)));
    }

    @Test
    void purgesWhatHasEndedUpToTheHorizonAndNothingElse() {
        SimulatedLog log = lead(ONE);
        log.append(commit(tx(ONE, 1)), true);
        log.append(commit(tx(ONE, 2)), true);
        log.append(new LogRecord.End(tx(ONE, 1)), false);
        LogRecord.Horizon horizon = new LogRecord.Horizon(ONE, 1);
        assertThrows(IllegalArgumentException.class, () -> log.purge(horizon));
        log.append(horizon, false);
        settle();
        log.purge(horizon);
        assertEquals(List.of(tx(ONE, 1)), purged);
        assertNull(log.find(tx(ONE, 1)));
        assertNotNull(log.find(tx(ONE, 2)));
    }

    @Test
    void comesBackFromABackupWithoutWhatCameLaterAndWithAWarning() {
        SimulatedLog log = lead(ONE);
        log.append(commit(tx(ONE, 1)), true);
        log.append(new LogRecord.Heuristic(tx(ONE, 1), null, Decision.COMMIT, "it never ends"), true);
        settle();
        assertEquals(1, forced.size());
        LongSupplier backup = store.backup();
        log.append(commit(tx(ONE, 2)), true);
        settle();
        crash();

        long distrusted = backup.getAsLong();

        assertEquals(List.of(tx(ONE, 1)), found);
        assertTrue(distrusted > 1_000);
        lead(new EpochId(distrusted + 1, 5));
        assertTrue(replayedRecords().contains(new LogRecord.Distrust(distrusted)));
        assertTrue(replayedRecords().contains(commit(tx(ONE, 1))));
        assertFalse(replayedRecords().contains(commit(tx(ONE, 2))));
        assertTrue(forced.size() > 1, "told again after each recovery");
    }

    @Override
    public void applied(List<LogEntry> entries, long durableBatch) {
        applied.addAll(entries);
    }

    @Override
    public void failed(Throwable cause) {
        assertNull(failure, "told once");
        failure = cause;
    }

    @Override
    public void stalled(boolean stalled) {}

    @Override
    public void free(boolean aboveFloor, long freeBytes) {}

    @Override
    public void committed(LogRecord.Commit commit) {}

    @Override
    public void ended(GlobalTxId tx) {}

    @Override
    public void purged(GlobalTxId tx) {
        purged.add(tx);
    }

    @Override
    public void forced(LogRecord.Heuristic heuristic) {
        forced.add(heuristic);
    }

    @Override
    public void restored(Function<GlobalTxId, LogRecord.@Nullable Commit> log) {
        for (long sequence = 1; sequence <= 2; sequence++) {
            if (log.apply(tx(ONE, sequence)) != null) {
                found.add(tx(ONE, sequence));
            }
        }
    }
}
