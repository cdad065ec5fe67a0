package io.troth.bench.contender;

/** Somebody who can make several resources commit together, or nearly. Without state: {@link #open} makes one that runs. */
public interface Contender {

    /** Short and unique, for tables and {@code --only}: {@code narayana-journal}. */
    String name();

    /** One line for the report: what it is, in which version, and with which settings that matter. */
    String description();

    Suite suite();

    /**
     * How often the contender's own log says it is forced on the way of a transaction with two writing branches when no
     * other runs beside it. Others in flight may share a force, so the harness wants at least {@code forces x committed /
     * inFlight}; a run below is invalid.
     */
    int logForcesClaimed();

    /**
     * How often it says each database is forced for such a transaction: 1 for a local commit, 2 for prepare and commit.
     * Checked in the same way, with the server's own count.
     */
    int databaseForcesClaimed();

    /** The most transactions in flight with which it makes sense; above, it has no turns. */
    default int inFlightMax() {
        return Integer.MAX_VALUE;
    }

    /** Starts it. Everything that it needs besides the environment it brings along. */
    Running open(Environment environment) throws Exception;
}
