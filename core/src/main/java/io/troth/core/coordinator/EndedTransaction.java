package io.troth.core.coordinator;

import io.troth.core.BranchId;
import io.troth.core.Outcome;
import io.troth.core.Reason;
import org.jspecify.annotations.Nullable;

/**
 * The kept result of an ended sequence.
 *
 * @param branch the branch that is the reason, or the only branch of a one-phase T; null when there is none
 * @param resource the resource of {@code branch} when T was one-phase, else null
 * @param unheard whether it was ended before any Enlist or Commit of it came: then no prepared branch of it is committed
 */
record EndedTransaction(
        Outcome outcome,
        @Nullable BranchId branch,
        @Nullable Reason reason,
        @Nullable String resource,
        boolean unheard) {}
