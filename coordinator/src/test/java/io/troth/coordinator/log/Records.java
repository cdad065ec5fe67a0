package io.troth.coordinator.log;

import io.troth.core.BranchId;
import io.troth.core.Decision;
import io.troth.core.EpochId;
import io.troth.core.GlobalTxId;
import io.troth.core.Proof;
import io.troth.core.coordinator.LogRecord;
import java.util.List;

/** Records for tests of the log. */
public final class Records {

    private Records() {}

    public static EpochId epochId(long number) {
        return new EpochId(number, 0xe000_0000_0000_0000L | number);
    }

    public static LogRecord.Epoch epoch(long number) {
        return new LogRecord.Epoch(epochId(number));
    }

    public static GlobalTxId tx(long epoch, long session, long sequence) {
        return new GlobalTxId(0, epochId(epoch), session, sequence);
    }

    public static LogRecord.Commit commit(GlobalTxId tx) {
        return new LogRecord.Commit(
                tx,
                List.of(
                        new LogRecord.YesBranch(
                                new BranchId(7, tx.sequence()), "accounts", Proof.of(new byte[] {1, 2, 3})),
                        new LogRecord.YesBranch(new BranchId(8, tx.sequence()), "orders", null)));
    }

    public static LogRecord.End end(GlobalTxId tx) {
        return new LogRecord.End(tx);
    }

    public static LogRecord.Horizon horizon(long epoch, long session) {
        return new LogRecord.Horizon(epochId(epoch), session);
    }

    public static LogRecord.Heuristic heuristic(GlobalTxId tx) {
        return new LogRecord.Heuristic(tx, new BranchId(7, tx.sequence()), Decision.ROLLBACK, "ticket 4711");
    }
}
