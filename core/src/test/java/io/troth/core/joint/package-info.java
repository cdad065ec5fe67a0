/**
 * Both machines together: one coordinator, some agents with their databases, and clients, in one thread and driven by a
 * seed. Test code only; the seed of the simulator.
 */
@NullMarked
package io.troth.core.joint;

import org.jspecify.annotations.NullMarked;
