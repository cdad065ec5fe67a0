/**
 * Troth as a contender, as its users run it: the coordinator is a process of its own with the configuration it ships
 * with; the agents are inside the callers' process, or processes of their own.
 */
@NullMarked
package io.troth.bench.troth;

import org.jspecify.annotations.NullMarked;
