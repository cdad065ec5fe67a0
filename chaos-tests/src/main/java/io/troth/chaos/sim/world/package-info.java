/**
 * The world of a simulation: a virtual clock, one queue of what will happen, processes that crash and pause, and a network.
 * One thread; knows nothing of transactions.
 */
@NullMarked
package io.troth.chaos.sim.world;

import org.jspecify.annotations.NullMarked;
