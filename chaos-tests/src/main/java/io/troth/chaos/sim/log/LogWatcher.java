package io.troth.chaos.sim.log;

import io.troth.core.GlobalTxId;
import io.troth.core.coordinator.LogRecord;
import java.util.function.Function;
import org.jspecify.annotations.Nullable;

/** Hears what is true about the log, which nobody in the simulated system can know. */
public interface LogWatcher {

    /** COMMIT(T) is in the log, in an entry of T's epoch. Told again after each recovery. */
    void committed(LogRecord.Commit commit);

    /** END(T) is in the log. */
    void ended(GlobalTxId tx);

    /** COMMIT(T) is being deleted. */
    void purged(GlobalTxId tx);

    /** HEURISTIC is in the log. Told again after each recovery. */
    void forced(LogRecord.Heuristic heuristic);

    /** The log is one of long ago again: what {@code log} does not find, and was not purged, is lost. */
    void restored(Function<GlobalTxId, LogRecord.@Nullable Commit> log);
}
