package io.troth.chaos.sim.world;

/** Ends the running step: its process has just died. Nothing may catch it but the world; an engine may, and stops. */
@SuppressWarnings("OverrideThrowableToString")
public final class Crash extends Error {

    private static final long serialVersionUID = 1L;

    Crash(String process) {
        super(process, null, false, false);
    }

    @Override
    public String toString() {
        return "the simulated process " + getMessage() + " has crashed";
    }
}
