/** The commands coordinator, config, log and admin. Parses and prints; the work is done elsewhere. */
@NullMarked
package io.troth.coordinator.cli;

import org.jspecify.annotations.NullMarked;
