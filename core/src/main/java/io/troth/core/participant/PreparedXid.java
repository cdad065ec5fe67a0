package io.troth.core.participant;

import io.troth.core.BranchId;
import io.troth.core.GlobalTxId;

/** A branch of this cluster that a database lists as prepared. */
public record PreparedXid(GlobalTxId tx, BranchId branch) {}
