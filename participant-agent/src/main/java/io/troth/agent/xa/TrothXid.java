package io.troth.agent.xa;

import io.troth.core.BranchId;
import io.troth.core.ClusterId;
import io.troth.core.GlobalTxId;
import io.troth.core.XidCodec;
import javax.transaction.xa.Xid;
import org.jspecify.annotations.Nullable;

/**
 * The Xid of one branch, in Troth's form (protocol 2).
 *
 * @param cluster the cluster that the transaction belongs to
 * @param tx the global transaction: the gtrid
 * @param branch the branch: the bqual
 */
public record TrothXid(ClusterId cluster, GlobalTxId tx, BranchId branch) implements Xid {

    /**
     * Reads the three fields of an Xid.
     *
     * @return null when they do not have Troth's form; such an Xid belongs to somebody else and is never touched
     */
    public static @Nullable TrothXid read(int formatId, byte[] gtrid, byte[] bqual) {
        if (!XidCodec.hasTrothForm(formatId, gtrid, bqual)) {
            return null;
        }
        try {
            XidCodec.Gtrid parsed = XidCodec.parseGtrid(gtrid);
            return new TrothXid(parsed.cluster(), parsed.tx(), XidCodec.parseBqual(bqual));
        } catch (IllegalArgumentException impossible) {
            // Anybody may prepare under a name like ours; one that names no possible transaction is not ours.
            return null;
        }
    }

    @Override
    public int getFormatId() {
        return XidCodec.FORMAT_ID;
    }

    @Override
    public byte[] getGlobalTransactionId() {
        return XidCodec.gtrid(cluster, tx);
    }

    @Override
    public byte[] getBranchQualifier() {
        return XidCodec.bqual(branch);
    }

    /** Transaction, then branch, as logs show them. */
    @Override
    public String toString() {
        return tx + "/" + branch;
    }
}
