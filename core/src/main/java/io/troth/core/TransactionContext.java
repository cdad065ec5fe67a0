package io.troth.core;

import java.util.List;

/**
 * What travels with every call under a global transaction: the {@code troth-transaction} header (protocol 5.1). ASCII:
 * {@code 1;cluster;shard.epoch.nonce.session.sequence;key;call;remainingMillis}. It carries a remaining time and no
 * point in time: no clock is compared between machines.
 *
 * @param cluster the cluster that T belongs to
 * @param tx the transaction
 * @param key the key of T's client session; a secret
 * @param call 63 random bits for this call; {@link #ROOT_CALL} for a root scope
 * @param remainingMillis what is left of T's timeout, at least 0
 */
public record TransactionContext(ClusterId cluster, GlobalTxId tx, SessionKey key, long call, long remainingMillis) {

    /** The name of the header. */
    public static final String HEADER = "troth-transaction";

    /** The longest header that is read, in characters. */
    public static final int LENGTH_MAX = 512;

    /** The call number of a root scope (protocol 5.1); it never travels. */
    public static final long ROOT_CALL = 0;

    private static final String VERSION = "1";

    public TransactionContext {
        if (call < 0 || remainingMillis < 0) {
            throw new IllegalArgumentException("call number and remaining time must not be negative");
        }
    }

    /** The header's value. Contains the session key: send it to services of the transaction, never to a log. */
    public String encode() {
        return VERSION + ";" + cluster + ";" + tx + ";" + key.reveal() + ";" + call + ";" + remainingMillis;
    }

    /**
     * Reads what {@link #encode()} writes.
     *
     * @throws IllegalArgumentException when the text is anything else; the message does not repeat the key
     */
    public static TransactionContext parse(String text) {
        if (text.length() > LENGTH_MAX) {
            throw new IllegalArgumentException(HEADER + " is longer than " + LENGTH_MAX + " characters");
        }
        List<String> fields = List.of(text.split(";", -1));
        if (!fields.get(0).equals(VERSION)) {
            throw new IllegalArgumentException(HEADER + " has a version this build does not know; it knows " + VERSION);
        }
        if (fields.size() != 6) {
            throw new IllegalArgumentException(HEADER + " has " + fields.size() + " fields instead of 6");
        }
        TransactionContext context = new TransactionContext(
                ClusterId.parse(fields.get(1)),
                GlobalTxId.parse(fields.get(2)),
                SessionKey.parse(fields.get(3)),
                Decimal.parse("call", fields.get(4)),
                Decimal.parse("remainingMillis", fields.get(5)));
        if (context.call == ROOT_CALL) {
            throw new IllegalArgumentException(HEADER + " has call 0, which is the root scope and never travels");
        }
        return context;
    }

    /** Like the record's own, without the key. */
    @Override
    public String toString() {
        return "TransactionContext[" + tx + ", call " + call + ", " + remainingMillis + " ms left]";
    }
}
