/**
 * Real processes for the demo and the chaos tests: children that die with their parent, that report the named point
 * they have reached and park there, and that are then killed by a real signal. Knows nothing of what the children do.
 */
@NullMarked
package io.troth.chaos.process;

import org.jspecify.annotations.NullMarked;
