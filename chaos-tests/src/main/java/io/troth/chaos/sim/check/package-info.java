/**
 * Checkers: pure functions over what a simulated run recorded. They know nothing of how the run came about, so that any
 * workload can be judged by them, and each complains by name. Depends on the words of the core and on nothing else.
 */
@NullMarked
package io.troth.chaos.sim.check;

import org.jspecify.annotations.NullMarked;
