package io.troth.core.participant;

import io.troth.core.coordinator.StateReader;
import io.troth.core.coordinator.StateWriter;

/** The lists of prepared xids of one resource: at most one is read at a time (protocol 9.5). */
final class ResourceScans {

    private long started;
    private boolean running;
    private boolean wantedAgain;

    /** How many lists were started so far; the number of the running or last one. */
    long started() {
        return started;
    }

    /** Asks for a list. Returns true when it is to be started now; else one starts when the running one is read. */
    boolean want() {
        if (running) {
            wantedAgain = true;
            return false;
        }
        running = true;
        started++;
        return true;
    }

    /** The running list was read, or failed. Returns true when another one is wanted at once. */
    boolean ended() {
        boolean again = wantedAgain;
        running = false;
        wantedAgain = false;
        return again;
    }

    boolean isRunning() {
        return running;
    }

    void write(StateWriter out) {
        out.int64(out.isFolded() ? 1 : started);
        out.bool(running);
        out.bool(wantedAgain);
    }

    static ResourceScans read(StateReader in) {
        ResourceScans scans = new ResourceScans();
        scans.started = in.int64();
        scans.running = in.bool();
        scans.wantedAgain = in.bool();
        return scans;
    }
}
