/** The agent as a process: flags, wiring by constructor, start and stop, clocks and timers. */
@NullMarked
package io.troth.agent.server;

import org.jspecify.annotations.NullMarked;
