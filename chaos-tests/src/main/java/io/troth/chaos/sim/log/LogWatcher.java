package io.troth.chaos.sim.log;

import io.troth.core.GlobalTxId;
import io.troth.core.coordinator.LogRecord;

/** Hears what is true about the log, which nobody in the simulated system can know. */
public interface LogWatcher {

    /** COMMIT(T) is in the log, in an entry of T's epoch. Told again after each recovery. */
    void committed(LogRecord.Commit commit);

    /** END(T) is in the log. */
    void ended(GlobalTxId tx);

    /** COMMIT(T) is being deleted. */
    void purged(GlobalTxId tx);
}
