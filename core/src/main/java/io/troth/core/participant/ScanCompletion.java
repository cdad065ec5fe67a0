package io.troth.core.participant;

import io.troth.core.Reason;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * A list of the prepared xids of one database (protocol 9.5).
 *
 * @param prepared those of this cluster, of all instances, in this database only; empty when the list failed
 * @param otherClusters how many Troth branches of other clusters were seen: never touched, only counted
 * @param failure why there is no list, null when there is one
 */
public record ScanCompletion(
        List<PreparedXid> prepared,
        int otherClusters,
        @Nullable Reason failure) {

    public ScanCompletion {
        prepared = List.copyOf(prepared);
    }

    public static ScanCompletion listed(List<PreparedXid> prepared, int otherClusters) {
        return new ScanCompletion(prepared, otherClusters, null);
    }

    public static ScanCompletion failed(Reason reason) {
        return new ScanCompletion(List.of(), 0, reason);
    }
}
