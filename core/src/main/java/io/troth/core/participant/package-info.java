/** The agent's half of two-phase commit as a pure state machine. No I/O, no clock, no threads: see docs/PROTOCOL.md and docs/INVARIANTS.md. */
@NullMarked
package io.troth.core.participant;

import org.jspecify.annotations.NullMarked;
