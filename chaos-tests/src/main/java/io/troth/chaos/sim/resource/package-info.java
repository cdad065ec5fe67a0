/** Databases in the simulated world. One thread. */
@NullMarked
package io.troth.chaos.sim.resource;

import org.jspecify.annotations.NullMarked;
