package io.troth.core.coordinator;

import io.troth.core.EpochId;
import io.troth.core.GlobalTxId;
import java.util.TreeMap;
import org.jspecify.annotations.Nullable;

/** What the log says about epochs: the EPOCH entries, DISTRUST and HORIZON. Changed by apply only. */
final class EpochTable {

    final TreeMap<Long, EpochId> known = new TreeMap<>();
    /** Absence of a record says nothing up to this epoch number; 0 when there is no DISTRUST. */
    long distrust;
    /** Ended records up to here may be gone; null when nothing was ever purged. */
    LogRecord.@Nullable Horizon horizon;

    /** The highest epoch number applied, 0 when none. */
    long highest() {
        return known.isEmpty() ? 0 : known.lastKey();
    }

    /** True when the log has exactly this EPOCH entry. */
    boolean isKnown(EpochId epoch) {
        return epoch.equals(known.get(epoch.number()));
    }

    boolean isDistrusted(EpochId epoch) {
        return epoch.number() <= distrust;
    }

    /** True when records of this transaction's session may have been purged. */
    boolean isForgotten(GlobalTxId tx) {
        return horizon != null && isAtOrBelow(tx.epoch(), tx.session(), horizon);
    }

    /** Compares (epoch, session) with a horizon. */
    static boolean isAtOrBelow(EpochId epoch, long session, LogRecord.Horizon horizon) {
        int byEpoch = Long.compare(epoch.number(), horizon.epoch().number());
        return byEpoch < 0 || (byEpoch == 0 && session <= horizon.session());
    }
}
