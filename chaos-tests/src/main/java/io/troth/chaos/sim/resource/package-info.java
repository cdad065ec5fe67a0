/** What the simulated services do with databases, and a plain database that does it. One thread. */
@NullMarked
package io.troth.chaos.sim.resource;

import org.jspecify.annotations.NullMarked;
