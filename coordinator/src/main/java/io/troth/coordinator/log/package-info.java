/** The record codec and what every decision log must give. Knows no store; log thread only unless a type says otherwise. */
@NullMarked
package io.troth.coordinator.log;

import org.jspecify.annotations.NullMarked;
