package io.troth.core.coordinator;

import io.troth.core.BranchId;
import io.troth.core.GlobalTxId;
import io.troth.core.Outcome;

/**
 * A prepared branch that is not finished.
 *
 * @param outcome COMMITTED: decided, and its commit is on the way; else what its agent was answered: it is left alone
 * @param held its resource is on hold
 */
public record InDoubtView(GlobalTxId tx, BranchId branch, String resource, Outcome outcome, boolean held) {}
