package io.troth.chaos.sim.resource;

import io.troth.agent.engine.ResourceIdentity;
import io.troth.agent.xa.ResourceUnsuitableException;
import io.troth.agent.xa.TrothXid;
import io.troth.chaos.sim.check.BranchFacts;
import io.troth.chaos.sim.database.Backup;
import io.troth.chaos.sim.database.DatabaseFault;
import io.troth.chaos.sim.database.Flavour;
import io.troth.chaos.sim.database.Observer;
import io.troth.chaos.sim.database.ServerSettings;
import io.troth.chaos.sim.database.SimulatedBranchDatabase;
import io.troth.chaos.sim.database.SimulatedServer;
import io.troth.chaos.sim.database.Surroundings;
import io.troth.chaos.sim.database.XidText;
import io.troth.chaos.sim.world.Fault;
import io.troth.chaos.sim.world.SimProcess;
import io.troth.chaos.sim.world.World;
import io.troth.core.BranchId;
import io.troth.core.ClusterId;
import io.troth.core.EpochId;
import io.troth.core.GlobalTxId;
import java.sql.SQLException;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.SplittableRandom;
import org.jspecify.annotations.Nullable;

/** A simulated database of one kind under the agent's own driver, put into the world: it outlives its agents. */
public final class DatabaseServer {

    /** The flavours whose canary lives. */
    public static final List<Flavour> FIT = List.of(
            Flavour.POSTGRESQL,
            Flavour.MARIADB,
            Flavour.MYSQL_ATTACHED,
            Flavour.MYSQL_DETACHED,
            Flavour.ORACLE,
            Flavour.SQL_SERVER,
            Flavour.DERBY);

    /** Faults after which a server may go on with a request whose client is gone. */
    public static final Set<Fault> GOES_ON_ALONE = Set.of(
            Fault.PREPARE_AFTER_LOSS,
            Fault.ONE_PHASE_AFTER_LOSS,
            Fault.PHASE_TWO_AFTER_LOSS,
            Fault.CONNECTION_LOST_OTHERWISE);

    private static final int CONNECTIONS = 6;

    /** Accounts begin empty, and may be overdrawn, though not for ever. */
    private static final ServerSettings SETTINGS = new ServerSettings(24, 50_000, -2_000, true);

    private static final long OUTAGE_NANOS_MAX = 4_000_000_000L;

    /** Another transaction manager's, another cluster's, and one that is no Xid at all. */
    private static final List<String> STRANGERS = List.of(
            "4711_c29tZWJvZHk=_ZWxzZQ==",
            XidText.of(new TrothXid(new ClusterId(99), new GlobalTxId(0, new EpochId(1, 1), 1, 1), new BranchId(1, 1))),
            "a name that somebody gave");

    private final World world;
    private final SimulatedServer server;
    private final ResourceIdentity identity;

    /** A server that is up; its canary has lived. */
    public DatabaseServer(World world, String name, Flavour flavour, BranchWatcher watcher) {
        this.world = world;
        this.server = new SimulatedServer(name, flavour, SETTINGS, new Calm());
        this.identity = tried(server, new Calm());
        this.server.observer(new Told(world, name, watcher));
    }

    private static ResourceIdentity tried(SimulatedServer server, Surroundings calm) {
        SimulatedBranchDatabase first = new SimulatedBranchDatabase(server.name(), server, CONNECTIONS, calm);
        try {
            first.selfTest();
            return first.identity();
        } catch (SQLException | ResourceUnsuitableException e) {
            throw new IllegalStateException(server.flavour() + " is not fit", e);
        }
    }

    /** The resource name. */
    public String name() {
        return server.name();
    }

    /** The server itself. */
    public SimulatedServer server() {
        return server;
    }

    /** Something befalls it: one of the kinds without an occasion that are about databases, other than a crash. */
    public void strike(Fault kind, SplittableRandom random) {
        switch (kind) {
            case SESSION_KILLED -> {
                boolean unused = server.killSession();
            }
            case SLOTS_FILLED -> server.fillSlots(random.nextLong(OUTAGE_NANOS_MAX));
            case STRANGERS_PREPARE -> server.addStrangers(STRANGERS);
            case RESOLVED_BY_HAND -> {
                boolean unused = server.resolveByHand(random.nextBoolean());
            }
            case BACKUP_RESTORED -> {
                Backup backup = server.backup();
                world.after(random.nextLong(OUTAGE_NANOS_MAX), () -> name() + " is restored", () -> {
                    if (world.isFaulty()) {
                        server.restore(backup, random.nextBoolean());
                    }
                });
            }
            default -> throw new IllegalArgumentException(kind + " does not befall databases");
        }
    }

    /** Takes a backup. Whoever runs what comes back restores it. */
    public Runnable backup() {
        Backup backup = server.backup();
        return () -> server.restore(backup, world.faultRandom().nextBoolean());
    }

    /** The server dies and comes back: connections and what was unprepared are gone, what was prepared stays. */
    public void crash() {
        server.crash();
    }

    /**
     * Whether there is a reason to report a heuristic of this branch, though the protocol has done everything right: it was
     * resolved by hand, or a backup was restored. And MariaDB rolls a prepared branch that changed nothing back with its
     * session, and says so to whoever commits it: a false alarm that no driver can tell from a true one.
     */
    public boolean excusesHeuristic(BranchId branch) {
        return server.branches().stream()
                .anyMatch(facts -> facts.branch().equals(branch) && (!facts.wrote() || facts.isExcused()));
    }

    /** The committed rows. */
    public Map<String, List<Long>> rows() {
        return server.committedRows();
    }

    /** Opens it for a process; when the process dies its connections end, and with them what is unprepared. */
    public SimulatedBranchDatabase open(SimProcess agent) {
        SimulatedBranchDatabase port =
                new SimulatedBranchDatabase(server.name(), server, CONNECTIONS, new OfProcess(agent));
        port.assume(identity);
        return port;
    }

    /** Nothing goes wrong any more: whoever else works here comes to an end. */
    public void becomeQuiet() {
        // After a restore, the id of a lost branch can be that of a stranger's transaction: its fate waits for that
        // one.
        server.strangersLeave();
    }

    /** Tells the one who knows everything. */
    private record Told(World world, String name, BranchWatcher watcher) implements Observer {

        @Override
        public void moved(BranchFacts branch) {
            world.note(() -> name + ": " + branch.branch() + " of " + branch.tx() + " is " + branch.state());
            if (branch.isExcused()) {
                watcher.excused(branch.tx());
            }
            watcher.moved(name, branch.tx(), branch.branch(), stateOf(branch));
        }

        private static BranchWatcher.State stateOf(BranchFacts branch) {
            return switch (branch.state()) {
                case ACTIVE -> BranchWatcher.State.ACTIVE;
                case PREPARED -> BranchWatcher.State.PREPARED;
                case ROLLED_BACK -> BranchWatcher.State.ROLLED_BACK;
                case COMMITTED ->
                    // Some databases prepare also what wrote nothing.
                    branch.wrote() || branch.preparedNanos() >= 0
                            ? BranchWatcher.State.COMMITTED
                            : BranchWatcher.State.READ_ONLY;
            };
        }

        @Override
        public void executed(GlobalTxId tx, BranchId branch, long call, long scope) {
            watcher.executed(tx, branch, call, scope);
        }
    }

    /** Where the server stands. */
    private class Calm implements Surroundings {

        @Override
        public long nowNanos() {
            return world.nanos();
        }

        @Override
        public void schedule(long delayNanos, Runnable task) {
            world.after(delayNanos, () -> "", task);
        }

        @Override
        public long delayNanos() {
            return world.shortDelay() / 2;
        }

        @Override
        public SplittableRandom random() {
            return world.random();
        }

        @Override
        public boolean strikes(DatabaseFault fault) {
            // Nothing goes wrong before the world begins.
            Fault kind = world.nanos() == 0 ? null : kindOf(fault);
            return kind != null && world.fault(kind);
        }

        @Override
        public void happened(String what) {
            world.saw(what);
        }
    }

    /** Where one life of a process stands: what comes after its death is lost, also when it lives again. */
    private final class OfProcess extends Calm {

        private final SimProcess process;
        private final int life;

        private OfProcess(SimProcess process) {
            this.process = process;
            this.life = process.life();
        }

        @Override
        public void schedule(long delayNanos, Runnable task) {
            if (process.isUp() && process.life() == life) {
                world.after(delayNanos, process, () -> "", task);
            }
        }
    }

    /** The world's kind of fault; null for what has causes of its own. */
    private static @Nullable Fault kindOf(DatabaseFault fault) {
        return switch (fault) {
            case CONNECTION_LOST_IN_STATEMENT -> Fault.CONNECTION_LOST_IN_STATEMENT;
            case CONNECTION_LOST_BEFORE_PREPARE -> Fault.PREPARE_LOST;
            case REPLY_OF_PREPARE_LOST -> Fault.PREPARE_REPLY_LOST;
            case PREPARE_COMPLETED_AFTER_ITS_CONNECTION_DIED -> Fault.PREPARE_AFTER_LOSS;
            case CONNECTION_LOST_BEFORE_COMMIT -> Fault.ONE_PHASE_LOST;
            case REPLY_OF_COMMIT_LOST -> Fault.ONE_PHASE_REPLY_LOST;
            case COMMIT_COMPLETED_AFTER_ITS_CONNECTION_DIED -> Fault.ONE_PHASE_AFTER_LOSS;
            case CONNECTION_LOST_BEFORE_PHASE_TWO -> Fault.PHASE_TWO_FAILS;
            case REPLY_OF_PHASE_TWO_LOST -> Fault.PHASE_TWO_REPLY_LOST;
            case PHASE_TWO_COMPLETED_AFTER_ITS_CONNECTION_DIED -> Fault.PHASE_TWO_AFTER_LOSS;
            case CONNECTION_LOST_OTHERWISE -> Fault.CONNECTION_LOST_OTHERWISE;
            case CONNECT_REFUSED -> Fault.CONNECT_REFUSED;
            case ODD_ERROR_CODE -> Fault.ODD_ERROR_CODE;
            case LIST_REFUSED -> Fault.SCAN_FAILS;
            case STATEMENT_REFUSED -> Fault.STATEMENT_FAILS;
            case PREPARE_REFUSED -> Fault.PREPARE_REFUSED;
            case SLOW_ANSWER -> Fault.DATABASE_SLOW;
            case TRANSACTION_CONTROL_BYPASSED -> Fault.SQL_ENDS_TRANSACTION;
            case CANCEL_WITHOUT_EFFECT -> Fault.CANCEL_IGNORED;
            default -> null;
        };
    }
}
