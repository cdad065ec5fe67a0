package io.troth.chaos.sim.database;

import io.troth.agent.xa.TrothXid;
import java.util.Base64;
import java.util.List;
import javax.transaction.xa.Xid;
import org.jspecify.annotations.Nullable;

/** Xids as text, as PostgreSQL keeps them: {@code formatId_base64_base64}. A stranger's may have any other form. */
public final class XidText {

    /** The format id of the agent's canaries, "TROC". */
    private static final String CANARY = 0x54524F43 + "_";

    private XidText() {}

    /** An Xid that a server lists. */
    @SuppressWarnings("ArrayRecordComponent") // Nobody compares two of them.
    private record Listed(int formatId, byte[] gtrid, byte[] bqual) implements Xid {

        @Override
        public int getFormatId() {
            return formatId;
        }

        @Override
        public byte[] getGlobalTransactionId() {
            return gtrid.clone();
        }

        @Override
        public byte[] getBranchQualifier() {
            return bqual.clone();
        }
    }

    /** The text of an Xid. */
    public static String of(Xid xid) {
        Base64.Encoder encoder = Base64.getEncoder();
        return xid.getFormatId() + "_" + encoder.encodeToString(xid.getGlobalTransactionId()) + "_"
                + encoder.encodeToString(xid.getBranchQualifier());
    }

    /** Null when the text has another form. */
    static @Nullable Xid read(String text) {
        List<String> parts = List.of(text.split("_", -1));
        if (parts.size() != 3) {
            return null;
        }
        try {
            Base64.Decoder decoder = Base64.getDecoder();
            return new Listed(
                    Integer.parseInt(parts.get(0)), decoder.decode(parts.get(1)), decoder.decode(parts.get(2)));
        } catch (IllegalArgumentException anotherForm) {
            return null;
        }
    }

    /** Neither a branch of Troth nor a canary. */
    static boolean isStrangers(String text) {
        return parse(text) == null && !text.startsWith(CANARY);
    }

    /** Null when it is no branch of Troth, of whatever cluster. */
    static @Nullable TrothXid parse(String text) {
        Xid xid = read(text);
        return xid == null
                ? null
                : TrothXid.read(xid.getFormatId(), xid.getGlobalTransactionId(), xid.getBranchQualifier());
    }
}
