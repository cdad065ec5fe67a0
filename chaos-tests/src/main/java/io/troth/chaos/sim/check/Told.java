package io.troth.chaos.sim.check;

import io.troth.core.GlobalTxId;
import io.troth.core.Outcome;

/**
 * An answer that a client got about a transaction.
 *
 * @param tx the transaction
 * @param outcome what was said; PENDING and NOT_LEADER are no answers and need not be recorded
 * @param certain whether the protocol owes a certain answer: the question had the content of the Commit, which did not
 *     allow one phase, and no restored log has lost what it said about the transaction's epoch
 */
public record Told(GlobalTxId tx, Outcome outcome, boolean certain) {}
