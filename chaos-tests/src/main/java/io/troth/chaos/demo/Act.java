package io.troth.chaos.demo;

import io.troth.chaos.bank.Answer;
import java.util.List;
import org.jspecify.annotations.Nullable;

/** The three moments at which the demo kills a process. */
enum Act {
    VOTES_IN(
            1,
            Victim.COORDINATOR,
            List.of("BEFORE_SEND_PREPARE", "BEFORE_APPEND_COMMIT"),
            Answer.Kind.ROLLED_BACK,
            "The coordinator dies before it has decided.",
            "Both banks have promised \"I can commit\" for the transfers below and have locked the accounts. The"
                    + " coordinator has all the promises, but has not written its decision to disk.",
            "Nothing was decided, so nobody may have been told \"committed\": all of them must be rolled back,"
                    + " in both banks."),
    DECIDED(
            2,
            Victim.COORDINATOR,
            List.of("BEFORE_SEND_PREPARE", "AFTER_COMMIT_DURABLE"),
            Answer.Kind.COMMITTED,
            "The coordinator dies after it has decided, before it tells anybody.",
            "The decision \"commit\" is on the coordinator's disk, and nobody else knows. Neither the banks nor the"
                    + " client have heard of it.",
            "A decision on disk is a decision: they must be committed, in both banks."),
    VOTED(
            3,
            Victim.SECOND_AGENT,
            List.of("AFTER_VOTE"),
            null,
            "The agent of bank B dies just after its promise.",
            "The agent has told the coordinator \"bank B can commit\". Now it is gone, and bank B keeps the accounts"
                    + " locked until somebody tells it how it ended.",
            "The new agent finds the promises in the database and asks the coordinator: each transfer must end the"
                    + " same way in both banks.");

    /** Who is killed. */
    enum Victim {
        COORDINATOR,
        SECOND_AGENT
    }

    private final int number;
    private final Victim victim;

    @SuppressWarnings("ImmutableEnumChecker") // Made by List.of.
    private final List<String> points;

    private final Answer.@Nullable Kind ending;
    private final String title;
    private final String situation;
    private final String expectation;

    Act(
            int number,
            Victim victim,
            List<String> points,
            Answer.@Nullable Kind ending,
            String title,
            String situation,
            String expectation) {
        this.number = number;
        this.victim = victim;
        this.points = points;
        this.ending = ending;
        this.title = title;
        this.situation = situation;
        this.expectation = expectation;
    }

    /** 1 to 3. */
    int number() {
        return number;
    }

    Victim victim() {
        return victim;
    }

    /**
     * The points at which the victim is parked, one after the other: at the earlier ones until all transfers of the act
     * have come as far, at the last one until it is killed.
     */
    List<String> points() {
        return points;
    }

    /** Whether the coordinator must have all votes at once before it goes to the last point, so that it decides all together. */
    boolean gathersVotes() {
        return this == DECIDED;
    }

    /** The point at which the victim is killed. */
    String lastPoint() {
        return points.get(points.size() - 1);
    }

    /** Points that nobody may pass meanwhile: an agent that is about to die must not go on with what it is told. */
    List<String> barred() {
        return switch (victim) {
            case COORDINATOR -> List.of();
            case SECOND_AGENT -> List.of("BEFORE_PHASE_TWO");
        };
    }

    /** How many transfers come to the first point one by one: a parked coordinator stands still as a whole. */
    int arrivals(int transfers) {
        return switch (victim) {
            case COORDINATOR -> 1;
            case SECOND_AGENT -> transfers;
        };
    }

    /** How many branches are in doubt, at least, when that many transfers have come to the last point. */
    int branches(int transfers) {
        return switch (victim) {
            case COORDINATOR -> 2 * transfers;
            case SECOND_AGENT -> transfers;
        };
    }

    /** Who is killed, for people. */
    String victimText() {
        return switch (victim) {
            case COORDINATOR -> "coordinator";
            case SECOND_AGENT -> "agent of bank B";
        };
    }

    /** How every transfer of the act must end, or null when either ending is right as long as both banks agree. */
    Answer.@Nullable Kind ending() {
        return ending;
    }

    String title() {
        return title;
    }

    String situation() {
        return situation;
    }

    String expectation() {
        return expectation;
    }
}
