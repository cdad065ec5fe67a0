package io.troth.bench.contender;

/**
 * One statement of a transaction.
 *
 * @param resource the database, by its place in {@link Environment#databases()}
 * @param account the row, from 0
 * @param amount what is added to its balance; 0 for a step that only reads
 */
public record Step(int resource, int account, long amount) {

    public boolean isRead() {
        return amount == 0;
    }
}
