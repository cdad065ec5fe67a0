/**
 * The simulator: the whole system in one thread on a virtual clock. The coordinator's engine, the agents' engine, the core
 * under both, call scopes and the records of the log are the real ones; network, disk, databases, clients and time are
 * not. The same seed gives the same run.
 */
@NullMarked
package io.troth.chaos.sim;

import org.jspecify.annotations.NullMarked;
