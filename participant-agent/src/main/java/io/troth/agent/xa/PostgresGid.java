package io.troth.agent.xa;

import java.util.Base64;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import javax.transaction.xa.Xid;
import org.jspecify.annotations.Nullable;

/**
 * The text under which PostgreSQL keeps a prepared transaction: {@code formatId_base64(gtrid)_base64(bqual)}, as
 * pgjdbc's XAResource writes it, so that other tools read our branches.
 */
final class PostgresGid {

    private static final Pattern FORM = Pattern.compile("(-?[0-9]{1,10})_([A-Za-z0-9+/=]*)_([A-Za-z0-9+/=]*)");

    private PostgresGid() {}

    /** The gid; made of characters that need no escape in an SQL literal. */
    static String of(Xid xid) {
        return of(xid.getFormatId(), xid.getGlobalTransactionId(), xid.getBranchQualifier());
    }

    static String of(int formatId, byte[] gtrid, byte[] bqual) {
        Base64.Encoder encoder = Base64.getEncoder();
        return formatId + "_" + encoder.encodeToString(gtrid) + "_" + encoder.encodeToString(bqual);
    }

    /** The branch that the gid names, null when it is not in Troth's form. */
    static @Nullable TrothXid parse(String gid) {
        Matcher matcher = FORM.matcher(gid);
        if (!matcher.matches()) {
            return null;
        }
        try {
            return TrothXid.read(
                    Integer.parseInt(matcher.group(1)),
                    Base64.getDecoder().decode(matcher.group(2)),
                    Base64.getDecoder().decode(matcher.group(3)));
        } catch (IllegalArgumentException notBase64) {
            return null;
        }
    }
}
