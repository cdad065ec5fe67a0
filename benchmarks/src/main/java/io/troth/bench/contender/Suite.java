package io.troth.bench.contender;

/** Who can be compared with whom. */
public enum Suite {
    /** Transactions over two PostgreSQL servers. */
    POSTGRES,
    /** Transactions over resources that do nothing: what the coordination alone costs. */
    NOOP
}
