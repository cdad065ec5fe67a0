package io.troth.agent.xa;

import io.troth.core.Proof;
import java.nio.ByteBuffer;
import org.jspecify.annotations.Nullable;

/**
 * The proof of a PostgreSQL branch (protocol 7.1): its transaction id, and where and when that id has a meaning.
 * Thirty-three bytes, big-endian: version(1) | xid8(8) | system identifier(8) | timeline(4) | database oid(4) | life(8).
 *
 * @param transactionId the 64-bit transaction id out of {@code pg_current_xact_id_if_assigned()}
 * @param systemIdentifier see {@link ServerFacts}
 * @param timeline see {@link ServerFacts}
 * @param databaseOid see {@link ServerFacts}
 * @param life see {@link ServerFacts}; counts for one-phase branches only
 */
record PostgresProof(long transactionId, long systemIdentifier, int timeline, long databaseOid, long life) {

    private static final byte VERSION = 1;
    private static final int BYTES = 33;

    static PostgresProof of(long transactionId, ServerFacts server) {
        return new PostgresProof(
                transactionId, server.systemIdentifier(), server.timeline(), server.databaseOid(), server.life());
    }

    Proof encode() {
        return Proof.of(ByteBuffer.allocate(BYTES)
                .put(VERSION)
                .putLong(transactionId)
                .putLong(systemIdentifier)
                .putInt(timeline)
                .putInt((int) databaseOid)
                .putLong(life)
                .array());
    }

    /** Null when the proof is not PostgreSQL's or of a version that this build does not know. */
    static @Nullable PostgresProof decode(Proof proof) {
        byte[] bytes = proof.toByteArray();
        if (bytes.length != BYTES || bytes[0] != VERSION) {
            return null;
        }
        ByteBuffer in = ByteBuffer.wrap(bytes, 1, BYTES - 1);
        return new PostgresProof(
                in.getLong(), in.getLong(), in.getInt(), Integer.toUnsignedLong(in.getInt()), in.getLong());
    }

    /** True when the server that is asked is the one that gave the transaction id, or a copy of it with another history. */
    boolean isOfDatabaseOf(ServerFacts server) {
        return systemIdentifier == server.systemIdentifier() && databaseOid == server.databaseOid();
    }

    /** True when moreover the history is the same. */
    boolean isFrom(ServerFacts server) {
        return isOfDatabaseOf(server) && timeline == server.timeline();
    }

    /** True when moreover no crash lies between: an unprepared branch's id cannot have been given to a stranger. */
    boolean isFromThisLifeOf(ServerFacts server) {
        // A server that does not say which life it lives (0) may have begun another one.
        return isFrom(server) && life != 0 && life == server.life();
    }
}
