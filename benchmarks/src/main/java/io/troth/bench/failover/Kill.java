package io.troth.bench.failover;

/**
 * What one kill of the leader did.
 *
 * @param inDoubt branches that were prepared when the leader was gone
 * @param leaderMillis until the next leader was ready
 * @param resolvedMillis until none of them was prepared any more
 * @param commitMillis until a client had heard COMMITTED of a transaction that it had begun after the kill
 */
record Kill(Moment moment, int inDoubt, double leaderMillis, double resolvedMillis, double commitMillis) {

    /** When both had happened. */
    double overMillis() {
        return Math.max(resolvedMillis, commitMillis);
    }
}
