/** What an operator asks and does: list, show, resolve. Reads and changes state only through the engine. */
@NullMarked
package io.troth.coordinator.admin;

import org.jspecify.annotations.NullMarked;
