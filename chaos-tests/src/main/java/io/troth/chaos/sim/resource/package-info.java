/** Databases in the simulated world: a plain one, and one of each real kind. One thread. */
@NullMarked
package io.troth.chaos.sim.resource;

import org.jspecify.annotations.NullMarked;
