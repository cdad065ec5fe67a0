/** Kills the leader of a cluster again and again, and looks at how soon the next one works and what everybody was told. */
@NullMarked
package io.troth.bench.failover;

import org.jspecify.annotations.NullMarked;
