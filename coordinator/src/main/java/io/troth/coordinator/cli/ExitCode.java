package io.troth.coordinator.cli;

/** What the commands end with. Stable: scripts and docs/OPERATIONS.md rely on them. */
public final class ExitCode {

    /** Done as asked. */
    public static final int OK = 0;

    /** Could not start or go on, or what was checked is not good; the message says why. */
    public static final int FAILED = 1;

    /** Wrong command line. */
    public static final int USAGE = 2;

    /** The coordinator did not answer; whether it did what was asked is not known. */
    public static final int UNREACHABLE = 3;

    /** An invariant was broken, or something that cannot happen has happened: the process has stopped itself. */
    public static final int VIOLATED = 70;

    private ExitCode() {}
}
