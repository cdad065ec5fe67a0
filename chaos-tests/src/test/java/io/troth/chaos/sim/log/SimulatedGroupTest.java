package io.troth.chaos.sim.log;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertInstanceOf;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.troth.chaos.sim.world.Fault;
import io.troth.chaos.sim.world.Plan;
import io.troth.chaos.sim.world.Sights;
import io.troth.chaos.sim.world.SimProcess;
import io.troth.chaos.sim.world.World;
import io.troth.coordinator.engine.LeadershipLostException;
import io.troth.coordinator.engine.LogListener;
import io.troth.core.BranchId;
import io.troth.core.Decision;
import io.troth.core.EpochId;
import io.troth.core.GlobalTxId;
import io.troth.core.coordinator.LogEntry;
import io.troth.core.coordinator.LogRecord;
import java.util.ArrayList;
import java.util.EnumMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.function.Function;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;

/**
 * Goal: the simulated replicated log gives what L1-L5 of protocol 3 demand, and uses all the freedom that they leave.
 * Method: leaders on three processes, over seeds; each seed must keep the rules, and among all of them each thing that may
 * happen must.
 */
class SimulatedGroupTest {

    private static final int SEEDS = 300;

    /** One leader, and what it has heard. */
    private final class Led implements LogListener {
        final SimProcess process;
        final SimulatedLeadership log;
        final EpochId epoch;
        final List<LogEntry> recovered = new ArrayList<>();
        final List<LogEntry> applied = new ArrayList<>();

        @Nullable
        Throwable failure;

        Led(String name, Function<SimProcess, SimulatedLeadership> opens) {
            process = world.process(name);
            process.start(() -> {});
            log = opens.apply(process);
            epoch = new EpochId(
                    log.recover(recovered::add).nextEpoch(), world.random().nextLong());
            log.start(epoch.number(), this);
            log.append(new LogRecord.Epoch(epoch), true);
        }

        List<LogRecord> records() {
            return applied.stream().map(LogEntry::record).toList();
        }

        /** What it knows to be in the log. */
        List<LogRecord> known() {
            List<LogRecord> all = new ArrayList<>();
            recovered.forEach(entry -> all.add(entry.record()));
            all.addAll(records());
            return all;
        }

        LogRecord.Commit commit(long sequence) {
            GlobalTxId tx = new GlobalTxId(0, epoch, 1, sequence);
            return new LogRecord.Commit(
                    tx, List.of(new LogRecord.YesBranch(new BranchId(5, sequence), "accounts", null)));
        }

        @Override
        public void applied(List<LogEntry> entries, long durableBatch) {
            assertNull(failure, "nothing is reported after the end");
            applied.addAll(entries);
        }

        @Override
        public void failed(Throwable cause) {
            assertNull(failure, "the end is reported once");
            failure = cause;
        }

        @Override
        public void stalled(boolean stalled) {}

        @Override
        public void free(boolean aboveFloor, long freeBytes) {}
    }

    private final List<LogRecord.Commit> committed = new ArrayList<>();
    private Sights sights = new Sights();
    private World world = world(1);
    private SimulatedGroup group = group();

    private World world(long seed, Fault... faults) {
        Map<Fault, Integer> chosen = new EnumMap<>(Fault.class);
        for (Fault fault : faults) {
            chosen.put(fault, 1);
        }
        Plan any = Plan.of(seed, Set.of());
        return new World(
                new Plan(seed, chosen, Set.of(), Set.of(), 1, 1, 1, 1_000, any.delay(), false, any.mix()),
                sights,
                null);
    }

    private SimulatedGroup group() {
        return new SimulatedGroup(world, new LogWatcher() {
            @Override
            public void committed(LogRecord.Commit commit) {
                committed.add(commit);
            }

            @Override
            public void ended(GlobalTxId tx) {}

            @Override
            public void purged(GlobalTxId tx) {}

            @Override
            public void forced(LogRecord.Heuristic heuristic) {}

            @Override
            public void restored(Function<GlobalTxId, LogRecord.@Nullable Commit> log) {}
        });
    }

    private void fresh(long seed, Fault... faults) {
        world = world(seed, faults);
        committed.clear();
        group = group();
    }

    private void settle() {
        world.run(world.nanos() + 60_000_000_000L);
    }

    @Test
    void appliesInOrderUnderTheEpochOfTheTerm() {
        Led leader = new Led("a", group::open);
        List<LogRecord> expected = new ArrayList<>(List.of(new LogRecord.Epoch(leader.epoch)));
        for (long sequence = 1; sequence <= 5; sequence++) {
            expected.add(leader.commit(sequence));
            leader.log.append(leader.commit(sequence), true);
        }
        settle();
        assertEquals(expected, leader.records());
        assertTrue(leader.applied.stream().allMatch(entry -> entry.epochNumber() == leader.epoch.number()));
        leader.process.crash();
        Led next = new Led("b", group::open);
        settle();
        assertTrue(next.epoch.number() > leader.epoch.number());
        assertTrue(next.known().containsAll(expected));
    }

    /** A leader is deposed with two entries under way; both go on, and a third one looks at what is there. */
    @Test
    void keepsAnyFirstPartOfWhatWasUnderWayAndNothingOfADeposedLeaderLater() {
        int[] kept = new int[3];
        boolean heardLate = false;
        for (long seed = 0; seed < SEEDS; seed++) {
            fresh(seed);
            Led first = new Led("a", group::open);
            settle();
            List<LogRecord.Commit> sent = List.of(first.commit(1), first.commit(2));
            for (LogRecord.Commit commit : sent) {
                first.log.append(commit, true);
                world.run(world.nanos() + world.random().nextLong(3_000_000));
            }
            Led second = new Led("b", group::takeOver);
            first.log.append(first.commit(3), true);
            settle();
            List<LogRecord> known = second.known();
            int count = (int) sent.stream().filter(known::contains).count();
            kept[count]++;
            assertEquals(
                    sent.subList(0, count),
                    known.stream().filter(sent::contains).toList(),
                    "seed " + seed);
            assertEquals(Set.copyOf(sent.subList(0, count)), Set.copyOf(committed), "seed " + seed);
            int own = second.records().indexOf(new LogRecord.Epoch(second.epoch));
            assertEquals(second.applied.size() - 1, own, "seed " + seed + ": nothing of another epoch after EPOCH");
            heardLate |= own > 0;
            assertTrue(known.containsAll(first.records()), "seed " + seed + ": what was acknowledged is there");
            assertInstanceOf(LeadershipLostException.class, first.failure, "seed " + seed);
            assertThrows(
                    IllegalStateException.class,
                    () -> first.log.find(first.commit(1).tx()));
        }
        assertTrue(kept[0] > 0 && kept[1] > 0 && kept[2] > 0, "kept none, one, both");
        assertTrue(heardLate, "an entry is heard of between recovery and EPOCH");
    }

    /** What the one before has left is not taken for one's own. */
    @Test
    void letsNobodyHearOfAnEntryThatIsNotInTheLog() {
        for (long seed = 0; seed < SEEDS; seed++) {
            fresh(seed);
            Led first = new Led("a", group::open);
            Led second = new Led("b", group::takeOver);
            world.run(world.nanos() + world.random().nextLong(3_000_000));
            Led third = new Led("c", group::takeOver);
            settle();
            assertTrue(third.known().containsAll(first.records()), "seed " + seed);
            assertTrue(third.known().containsAll(second.records()), "seed " + seed);
        }
    }

    /** Its own EPOCH comes after what the one before has left, also for a leader that hears of it when it leads no more. */
    @Test
    void letsNobodyHearOfItsOwnBeforeWhatComesBefore() {
        boolean heardBoth = false;
        for (long seed = 0; seed < SEEDS; seed++) {
            fresh(seed);
            Led first = new Led("a", group::open);
            settle();
            first.log.append(first.commit(1), true);
            world.run(world.nanos() + world.random().nextLong(3_000_000));
            Led second = new Led("b", group::takeOver);
            world.run(world.nanos() + world.random().nextLong(3_000_000));
            Led third = new Led("c", group::takeOver);
            settle();
            boolean isThere = third.known().contains(first.commit(1));
            boolean ready = second.records().contains(new LogRecord.Epoch(second.epoch));
            assertTrue(!isThere || !ready || second.known().contains(first.commit(1)), "seed " + seed);
            heardBoth |= isThere && ready;
        }
        assertTrue(heardBoth);
    }

    @Test
    void saysUnknownOnceAndOnlyTheNextLeaderCanTell() {
        int survivors = 0;
        for (long seed = 0; seed < SEEDS; seed++) {
            fresh(seed);
            Led leader = new Led("a", group::open);
            settle();
            leader.log.reportFree(false, true);
            leader.log.append(leader.commit(1), true);
            leader.log.append(leader.commit(2), true);
            settle();
            assertInstanceOf(LeadershipLostException.class, leader.failure, "seed " + seed);
            assertEquals(List.of(new LogRecord.Epoch(leader.epoch)), leader.records());
            leader.process.crash();
            Led next = new Led("b", group::open);
            settle();
            survivors += next.known().contains(leader.commit(1)) ? 1 : 0;
        }
        assertTrue(survivors > 0 && survivors < SEEDS, survivors + " entries survived");
    }

    @Test
    void dropsWhatIsProposedAgainInALaterTerm() {
        long dropped = 0;
        for (long seed = 0; seed < SEEDS; seed++) {
            fresh(seed, Fault.LOG_PROPOSES_AGAIN);
            Led first = new Led("a", group::open);
            settle();
            LogRecord forced = new LogRecord.Heuristic(first.commit(1).tx(), null, Decision.COMMIT, "by hand");
            first.log.append(forced, true);
            world.run(world.nanos() + world.random().nextLong(2_000_000));
            Led second = new Led("b", group::takeOver);
            settle();
            second.log.append(second.commit(1), true);
            settle();
            List<LogRecord> own = second.records();
            assertEquals(
                    List.of(new LogRecord.Epoch(second.epoch), second.commit(1)),
                    own.subList(own.size() - 2, own.size()),
                    "seed " + seed);
            second.process.crash();
            Led third = new Led("c", group::open);
            long times = third.known().stream().filter(forced::equals).count();
            assertEquals(second.known().stream().filter(forced::equals).count(), times, "seed " + seed);
            assertTrue(times <= 1, "seed " + seed);
            dropped = sights.count("fenced entry");
        }
        assertTrue(dropped > 0);
    }
}
