package io.troth.chaos.db;

import io.troth.core.GlobalTxId;
import io.troth.core.XidCodec;
import java.util.Base64;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * One row of {@code pg_prepared_xacts}: work that the database has promised to be able to commit or to roll back, and
 * whose locks it keeps until somebody tells it which.
 *
 * @param gid the name as the database has it: {@code formatId_base64(gtrid)_base64(bqual)}, as pgjdbc writes it
 * @param database the database it belongs to
 * @param ageMillis how long it has been prepared, by the database's clock
 */
public record PreparedTransaction(String gid, String database, long ageMillis) {

    /** The transaction that the gid names, or null when it is not one of ours. */
    public @Nullable GlobalTxId tx() {
        List<String> parts = List.of(gid.split("_", -1));
        if (parts.size() != 3) {
            return null;
        }
        try {
            int formatId = Integer.parseInt(parts.get(0));
            byte[] gtrid = Base64.getDecoder().decode(parts.get(1));
            byte[] bqual = Base64.getDecoder().decode(parts.get(2));
            return XidCodec.hasTrothForm(formatId, gtrid, bqual)
                    ? XidCodec.parseGtrid(gtrid).tx()
                    : null;
        } catch (IllegalArgumentException e) {
            return null;
        }
    }
}
