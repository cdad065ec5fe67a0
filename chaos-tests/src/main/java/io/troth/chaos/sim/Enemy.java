package io.troth.chaos.sim;

import io.troth.chaos.sim.log.LeaderLog;
import io.troth.chaos.sim.resource.DatabaseServer;
import io.troth.chaos.sim.world.Connection;
import io.troth.chaos.sim.world.Fault;
import io.troth.chaos.sim.world.SimProcess;
import io.troth.chaos.sim.world.World;
import java.util.ArrayList;
import java.util.List;
import java.util.SplittableRandom;

/** Starts the faults that have no occasion of their own: from time to time one of the kinds that this run has. */
final class Enemy {

    private static final long MILLI = 1_000_000;
    static final long OUTAGE_NANOS_MAX = 6_000 * MILLI;

    private final Run run;
    private final World world;
    private final SplittableRandom random;
    private final List<Fault> kinds = new ArrayList<>();
    private final long pauseNanosMax;

    Enemy(Run run) {
        this.run = run;
        this.world = run.world;
        this.random = world.faultRandom();
        world.plan().chosen().stream()
                .filter(fault -> fault.oneIn() == 0 && !Fault.OPERATORS.contains(fault))
                .forEach(kinds::add);
        pauseNanosMax = 2L * world.plan().millis() * MILLI / (2 + random.nextInt(40));
    }

    void start() {
        if (!kinds.isEmpty()) {
            later();
        }
    }

    private void later() {
        world.after(random.nextLong(pauseNanosMax), () -> "", () -> {
            if (world.isFaulty()) {
                Fault kind = kinds.get(random.nextInt(kinds.size()));
                if (world.happens(kind)) {
                    strike(kind);
                }
                later();
            }
        });
    }

    /** Everything that lasts is over. */
    void stop() {
        world.network().healAll();
        world.hurry();
        processes().forEach(SimProcess::resume);
        run.databases.forEach(DatabaseServer::becomeQuiet);
        LeaderLog log = run.leader().log();
        if (log != null) {
            log.reportFree(true, false);
        }
    }

    private List<SimProcess> processes() {
        List<SimProcess> all = new ArrayList<>();
        run.coordinators.forEach(each -> all.add(each.process()));
        run.agents.forEach(each -> all.add(each.process()));
        run.clients.forEach(each -> all.add(each.process()));
        return all;
    }

    private void strike(Fault kind) {
        switch (kind) {
            case COORDINATOR_CRASH -> {
                run.leader().process().crash();
            }
            case POWER_LOSS -> {
                if (run.leader().process().isUp()) {
                    run.leader().process().crash();
                    run.store.losePower();
                }
            }
            case COORDINATOR_PAUSE -> pause(run.leader().process());
            case COORDINATOR_DRAIN -> run.leader().drain();
            case LEADER_DEPOSED -> {
                boolean unused = run.depose();
            }
            case AGENT_CRASH -> anAgent().process().crash();
            case AGENT_PAUSE -> pause(anAgent().process());
            case CLIENT_CRASH -> aClient().process().crash();
            case CONNECTION_BREAK -> breakConnection();
            case PARTITION -> partition(true);
            case PARTITION_ONE_WAY -> partition(false);
            case SLOW_NETWORK -> slow();
            case DISK_FULL -> fill();
            case DATABASE_CRASH -> aDatabase().crash();
            case SESSION_KILLED, SLOTS_FILLED, STRANGERS_PREPARE, RESOLVED_BY_HAND, BACKUP_RESTORED ->
                aDatabase().strike(kind, random);
            default -> throw new IllegalStateException(kind + " has an occasion of its own");
        }
    }

    private SimulatedAgent anAgent() {
        return run.agents.get(random.nextInt(run.agents.size()));
    }

    private SimulatedClient aClient() {
        return run.clients.get(random.nextInt(run.clients.size()));
    }

    private DatabaseServer aDatabase() {
        return run.databases.get(random.nextInt(run.databases.size()));
    }

    private long outage() {
        // Mostly short, some longer than any limit.
        return random.nextInt(3) > 0 ? random.nextLong(500 * MILLI) : random.nextLong(OUTAGE_NANOS_MAX);
    }

    private void pause(SimProcess process) {
        process.pause();
        world.after(outage(), () -> process + " goes on", process::resume);
    }

    private void breakConnection() {
        List<Connection> open = world.network().open();
        if (!open.isEmpty()) {
            Connection connection = open.get(random.nextInt(open.size()));
            Connection.End end = random.nextBoolean() ? connection.dialer() : connection.server();
            if (end.isOpen()) {
                world.note(() -> connection + " breaks at " + end.process());
                end.breakHere();
            }
        }
    }

    private void partition(boolean bothWays) {
        List<SimProcess> all = processes();
        SimProcess one = all.get(random.nextInt(all.size()));
        SimProcess other = random.nextBoolean() ? run.leader().process() : all.get(random.nextInt(all.size()));
        if (one == other) {
            return;
        }
        world.note(() -> one + (bothWays ? " and " : " to ") + other + " are cut off");
        world.network().cut(one, other);
        if (bothWays) {
            world.network().cut(other, one);
        }
        world.after(outage(), () -> one + " reaches " + other + " again", () -> {
            world.network().heal(one, other);
            world.network().heal(other, one);
        });
    }

    private void slow() {
        world.slowDown(5 + random.nextInt(40));
        world.after(outage(), () -> "the network is itself again", world::hurry);
    }

    private void fill() {
        LeaderLog log = run.leader().log();
        if (log != null) {
            log.reportFree(false, random.nextInt(4) == 0);
            world.after(outage(), () -> "the disk has room again", () -> log.reportFree(true, false));
        }
    }
}
