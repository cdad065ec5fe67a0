/**
 * Simulated databases on a virtual clock, one flavour for each kind of real one. What differs between them is only the
 * server; the agent's own drivers run on it as they are, so that every answer is theirs. Knows no world, network or
 * process; everything here runs on the world's one thread, and all chance comes from the random source that is passed
 * in.
 */
@NullMarked
package io.troth.chaos.sim.database;

import org.jspecify.annotations.NullMarked;
