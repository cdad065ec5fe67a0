/** Drivers: how a kind of database begins, probes, prepares, finishes and lists branches. Knows no transport. */
@NullMarked
package io.troth.agent.xa;

import org.jspecify.annotations.NullMarked;
