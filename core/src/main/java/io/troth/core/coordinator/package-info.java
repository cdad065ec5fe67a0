/**
 * The coordinator's half of two-phase commit as a pure state machine: {@code step(event) -> actions}, and log records
 * through {@code apply} only, live and in recovery alike.
 *
 * <p>No I/O, no clock, no threads, no randomness: see {@code CoordinatorStateMachine} for the contract and
 * docs/INVARIANTS.md for what it keeps. Called by the engine's core thread only.
 */
@NullMarked
package io.troth.core.coordinator;

import org.jspecify.annotations.NullMarked;
