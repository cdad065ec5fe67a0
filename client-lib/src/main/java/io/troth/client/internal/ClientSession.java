package io.troth.client.internal;

import io.troth.core.EpochId;
import io.troth.core.GlobalTxId;
import io.troth.core.SessionKey;
import java.util.BitSet;
import java.util.HashMap;
import java.util.Map;
import java.util.concurrent.TimeUnit;
import java.util.function.Consumer;

/**
 * A client session (protocol 4): counts the sequences up and knows the lowest that has not ended. Not thread-safe: the
 * engine's lock guards it.
 */
final class ClientSession {

    /** Protocol 4.2: the most sequences between the lowest open and the highest. */
    static final int WINDOW = 10_000;

    private static final int RENEW_PERCENT = 90;

    private final int shard;
    private final EpochId epoch;
    private final long number;
    private final SessionKey key;
    private final int maxOpen;
    private final boolean commitsInPlace;
    private final long completionLimitMillis;
    private final long openedNanos;
    private final long maxAgeNanos;

    private final Map<Long, OpenTransaction> open = new HashMap<>();

    /** Ring of the sequences from {@link #lowestOpen} on that have ended. */
    private final BitSet ended = new BitSet(WINDOW);

    private long nextSequence = 1;
    private long lowestOpen = 1;
    private long reportedLowestOpen = 1;
    private boolean resumed = true;

    /** Opened at {@code openedNanos}: the time at which it was asked for, so that it ends here before it ends there. */
    ClientSession(int shard, EpochId epoch, long number, SessionKey key, Terms terms) {
        this.shard = shard;
        this.epoch = epoch;
        this.number = number;
        this.key = key;
        this.maxOpen = terms.maxOpen();
        this.commitsInPlace = terms.commitsInPlace();
        this.completionLimitMillis = terms.completionLimitMillis();
        this.openedNanos = terms.openedNanos();
        this.maxAgeNanos = TimeUnit.MILLISECONDS.toNanos(terms.maxAgeMillis());
    }

    /** What the leader announced with the session. */
    record Terms(
            int maxOpen, long maxAgeMillis, boolean commitsInPlace, long completionLimitMillis, long openedNanos) {}

    EpochId epoch() {
        return epoch;
    }

    long number() {
        return number;
    }

    SessionKey key() {
        return key;
    }

    int maxOpen() {
        return maxOpen;
    }

    /** Whether the leader knows that a transaction may prepare or end unheard of. */
    boolean commitsInPlace() {
        return commitsInPlace;
    }

    /** How long a commit waits for branches that this process commits. */
    long completionLimitMillis() {
        return completionLimitMillis;
    }

    /** Whether a transaction may begin here now, within the window that the leader knows of. */
    boolean accepts(long nowNanos) {
        return resumed && nowNanos - openedNanos < maxAgeNanos && nextSequence - reportedLowestOpen < WINDOW;
    }

    /** Whether the leader must hear of the low-water mark soon: agents tell it of the sequences that come. */
    boolean owesProgress() {
        return hasProgress() && nextSequence - reportedLowestOpen >= WINDOW / 2;
    }

    /** Whether the next session should be opened by now, before begin has to wait for it. */
    boolean isWorn(long nowNanos) {
        return nowNanos - openedNanos >= maxAgeNanos / 100 * RENEW_PERCENT
                || nextSequence - lowestOpen >= WINDOW / 100 * RENEW_PERCENT;
    }

    /** The id of the next transaction. */
    GlobalTxId nextId() {
        return new GlobalTxId(shard, epoch, number, nextSequence++);
    }

    void add(OpenTransaction transaction) {
        open.put(transaction.id().sequence(), transaction);
    }

    /** The transaction has ended at the client; its sequence is never used again. */
    void end(OpenTransaction transaction) {
        long sequence = transaction.id().sequence();
        if (open.remove(sequence) == null) {
            return;
        }
        ended.set((int) (sequence % WINDOW));
        while (lowestOpen < nextSequence && ended.get((int) (lowestOpen % WINDOW))) {
            ended.clear((int) (lowestOpen % WINDOW));
            lowestOpen++;
        }
    }

    /** Whether work may still run under the transaction, as far as this client knows. */
    boolean isOpen(GlobalTxId tx) {
        OpenTransaction transaction = open.get(tx.sequence());
        return transaction != null && transaction.id().equals(tx) && transaction.isOpen();
    }

    int openCount() {
        return open.size();
    }

    void forEachOpen(Consumer<OpenTransaction> action) {
        // A copy: the action may end transactions.
        for (OpenTransaction transaction : open.values().toArray(new OpenTransaction[0])) {
            action.accept(transaction);
        }
    }

    /** The low-water mark that the next message carries. */
    long reportLowestOpen() {
        reportedLowestOpen = lowestOpen;
        return lowestOpen;
    }

    /** Whether the leader has not heard the low-water mark yet. */
    boolean hasProgress() {
        return lowestOpen > reportedLowestOpen;
    }

    boolean isResumed() {
        return resumed;
    }

    /** False from the loss of the stream until the leader takes the session up again. */
    void setResumed(boolean resumed) {
        this.resumed = resumed;
    }

    @Override
    public String toString() {
        return "session " + epoch + "." + number;
    }
}
