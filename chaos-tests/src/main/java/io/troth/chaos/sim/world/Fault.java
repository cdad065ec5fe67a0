package io.troth.chaos.sim.world;

import java.util.Collections;
import java.util.EnumSet;
import java.util.Set;

/**
 * Everything that a simulation can let go wrong. A seed chooses which of these it has, and how often (swarm testing: a
 * run with few kinds of faults gets deeper into each than one with all).
 *
 * <p>Some happen at an occasion, asked for with {@link World#fault}, with about the given odds; the others, with odds 0,
 * are started from time to time by whoever plays the enemy, or an operator.
 */
public enum Fault {
    // Processes.
    COORDINATOR_CRASH(0),
    COORDINATOR_CRASH_AT_POINT(150),
    COORDINATOR_CRASH_IN_FLUSH(400),
    COORDINATOR_PAUSE(0),
    COORDINATOR_DRAIN(0),
    LEADER_DEPOSED(0),
    AGENT_CRASH(0),
    AGENT_CRASH_AT_POINT(120),
    AGENT_PAUSE(0),
    CLIENT_CRASH(0),
    // The network.
    CONNECTION_BREAK(0),
    PARTITION(0),
    PARTITION_ONE_WAY(0),
    SLOW_NETWORK(0),
    MESSAGE_TWICE(40),
    CALL_LOST(50),
    CALL_TWICE(30),
    REPLY_LOST(50),
    // The disk of the log.
    POWER_LOSS(0),
    FSYNC_FAILS(60),
    FSYNC_HANGS(80),
    DISK_FULL(0),
    BIT_ROT(4),
    LOG_PROPOSES_AGAIN(3),
    // What services do.
    SERVICE_ERROR(40),
    // Databases.
    DATABASE_CRASH(0),
    DATABASE_SLOW(30),
    STATEMENT_FAILS(60),
    CONNECTION_LOST_IN_STATEMENT(60),
    PREPARE_REFUSED(30),
    PREPARE_LOST(40),
    PREPARE_REPLY_LOST(30),
    PREPARE_AFTER_LOSS(30),
    ONE_PHASE_REPLY_LOST(15),
    ONE_PHASE_LOST(20),
    ONE_PHASE_AFTER_LOSS(30),
    PHASE_TWO_FAILS(12),
    PHASE_TWO_REPLY_LOST(12),
    PHASE_TWO_AFTER_LOSS(30),
    SCAN_FAILS(10),
    CONNECTION_LOST_OTHERWISE(100),
    CONNECT_REFUSED(60),
    ODD_ERROR_CODE(60),
    CANCEL_IGNORED(3),
    SQL_ENDS_TRANSACTION(100),
    SESSION_KILLED(0),
    SLOTS_FILLED(0),
    STRANGERS_PREPARE(0),
    RESOLVED_BY_HAND(0),
    BACKUP_RESTORED(0),
    // What an operator does, where there is one: rightly, or not.
    RESOURCE_HELD(0),
    RESOURCE_EXCLUDED(0),
    RESTORED_ON_HOLD(0),
    LOG_RESTORED(0),
    DECISION_FORCED(0),
    COMMIT_CLOSED(0);

    /** The kinds that an operator starts, by mistake or with good reason. Few runs have any. */
    public static final Set<Fault> OPERATORS = Collections.unmodifiableSet(EnumSet.range(RESOURCE_HELD, COMMIT_CLOSED));

    private final int oneIn;

    Fault(int oneIn) {
        this.oneIn = oneIn;
    }

    /** At how many occasions it happens about once; 0 for one that has no occasion. */
    public int oneIn() {
        return oneIn;
    }
}
