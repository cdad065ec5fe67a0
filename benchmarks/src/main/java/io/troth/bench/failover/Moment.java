package io.troth.bench.failover;

import io.troth.coordinator.engine.StepListener.Point;

/** Where a transaction is when its leader is killed. */
enum Moment {
    PREPARING(Point.AFTER_SEND_PREPARE, "prepare has left to the branches"),
    HANDED(Point.AFTER_APPEND_COMMIT, "COMMIT was handed to the log"),
    APPLIED(Point.AFTER_COMMIT_DURABLE, "COMMIT is applied, nobody has heard of it"),
    PHASE_TWO(Point.AFTER_SEND_COMMIT, "commit has left to the branches"),
    ONE_PHASE(Point.AFTER_SEND_ONE_PHASE, "the only branch was told to commit by itself");

    private final Point point;
    private final String meaning;

    Moment(Point point, String meaning) {
        this.point = point;
        this.meaning = meaning;
    }

    /** The step of the coordinator at which it is parked. */
    Point point() {
        return point;
    }

    /** For people. */
    String meaning() {
        return meaning;
    }
}
