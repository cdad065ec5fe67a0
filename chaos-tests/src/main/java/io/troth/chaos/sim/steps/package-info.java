/**
 * Counts what every transaction at its leader, and every branch at its agent, went through: in which state it was when
 * which kind of event came.
 */
@NullMarked
package io.troth.chaos.sim.steps;

import org.jspecify.annotations.NullMarked;
