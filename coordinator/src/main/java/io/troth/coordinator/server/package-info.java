/** Wiring by constructor, start and stop, clocks and timers. Holds no protocol rule. */
@NullMarked
package io.troth.coordinator.server;

import org.jspecify.annotations.NullMarked;
