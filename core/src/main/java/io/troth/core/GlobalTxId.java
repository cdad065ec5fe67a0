package io.troth.core;

import java.util.List;

/**
 * The name of a global transaction T (protocol 2). T lives in one shard and one epoch for all its life. The client
 * makes the id by itself: begin needs no message.
 *
 * @param shard the coordinator shard, 0 for a single-shard cluster
 * @param epoch the epoch whose leader alone may decide T
 * @param session the client session, counted up by the leader of {@code epoch} from 1
 * @param sequence counted up by the client within the session, from 1
 */
public record GlobalTxId(int shard, EpochId epoch, long session, long sequence) implements Comparable<GlobalTxId> {

    /** 2^64 divided by the golden ratio: neighbours end up far from each other. */
    private static final long MIXER = 0x9E37_79B9_7F4A_7C15L;

    public GlobalTxId {
        if (shard < 0 || session < 1 || sequence < 1) {
            throw new IllegalArgumentException("not a global transaction id: shard " + shard + ", session " + session
                    + ", sequence " + sequence + " (shard is at least 0, session and sequence at least 1)");
        }
    }

    /**
     * Mixed, because sessions and sequences both count up from 1: the hash of a record is linear in them, and a million
     * ids of a hundred sessions would share some thousand hashes.
     */
    @Override
    public int hashCode() {
        long mixed = (31L * shard + epoch.hashCode()) * MIXER + session;
        mixed = (mixed * MIXER + sequence) * MIXER;
        return (int) (mixed >>> 32);
    }

    /** Written out, and what differs most comes first: see {@link EpochId}. */
    @Override
    public boolean equals(Object other) {
        return other instanceof GlobalTxId that
                && sequence == that.sequence
                && session == that.session
                && shard == that.shard
                && epoch.equals(that.epoch);
    }

    @Override
    public int compareTo(GlobalTxId other) {
        int order = Integer.compare(shard, other.shard);
        order = order != 0 ? order : epoch.compareTo(other.epoch);
        order = order != 0 ? order : Long.compare(session, other.session);
        return order != 0 ? order : Long.compare(sequence, other.sequence);
    }

    /** {@code shard.epoch.nonce.session.sequence}: the one text form, on the wire, in logs and on the command line. */
    @Override
    public String toString() {
        return shard + "." + epoch + "." + session + "." + sequence;
    }

    /**
     * Reads what {@link #toString()} writes.
     *
     * @throws IllegalArgumentException when the text is anything else; the message says which part is wrong
     */
    public static GlobalTxId parse(String text) {
        List<String> parts = List.of(text.split("\\.", -1));
        if (parts.size() != 5) {
            throw new IllegalArgumentException(
                    "a global transaction id has 5 parts (shard.epoch.nonce.session.sequence), found " + parts.size());
        }
        long shard = Decimal.parse("shard", parts.get(0));
        if (shard > Integer.MAX_VALUE) {
            throw new IllegalArgumentException("shard is out of range: " + shard);
        }
        EpochId epoch = new EpochId(Decimal.parse("epoch", parts.get(1)), Hex.parse(parts.get(2)));
        return new GlobalTxId(
                (int) shard, epoch, Decimal.parse("session", parts.get(3)), Decimal.parse("sequence", parts.get(4)));
    }
}
