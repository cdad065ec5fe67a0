/**
 * Troth's own processes under test: a coordinator, agents and a client, each in a JVM of its own that can be parked at a
 * named point, killed and started again on the same data and ports. The child mains are the product's servers with a
 * {@code StepListener} that parks; nothing else about them differs from production.
 */
@NullMarked
package io.troth.chaos.cluster;

import org.jspecify.annotations.NullMarked;
