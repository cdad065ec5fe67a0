package io.troth.core.coordinator;

import java.util.TreeSet;
import org.jspecify.annotations.Nullable;

/** How far the next HORIZON has come: one boundary at a time, so that the state stays small. */
final class HorizonState {

    /** The next horizon: everything at or below it has ended. Null when there is none to wait for. */
    LogRecord.@Nullable Horizon next;
    /** The retention since the last END at or below {@link #next} is over; scans are waited for. */
    boolean retained;
    /** HORIZON is handed to the log. */
    boolean handed;
    /** The resources that have since reported a scan without a prepared xid at or below {@link #next}. */
    final TreeSet<String> cleared = new TreeSet<>();
}
