package io.troth.chaos.sim.database;

import java.time.Clock;
import java.time.Instant;
import java.time.ZoneId;
import java.time.ZoneOffset;

/** The wall clock of a simulated machine, for the age of canaries. */
final class VirtualClock extends Clock {

    private final Surroundings world;

    VirtualClock(Surroundings world) {
        this.world = world;
    }

    @Override
    public ZoneId getZone() {
        return ZoneOffset.UTC;
    }

    @Override
    public Clock withZone(ZoneId zone) {
        return this;
    }

    @Override
    public Instant instant() {
        return Instant.EPOCH.plusNanos(world.nowNanos());
    }
}
