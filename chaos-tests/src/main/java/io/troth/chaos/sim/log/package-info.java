/** The decision log of a simulation: real records, keys and bytes on a simulated disk. One thread. */
@NullMarked
package io.troth.chaos.sim.log;

import org.jspecify.annotations.NullMarked;
