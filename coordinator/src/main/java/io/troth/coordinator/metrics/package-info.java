/** Meters. The only importer of Micrometer; listens to the engine and must never slow it down. */
@NullMarked
package io.troth.coordinator.metrics;

import org.jspecify.annotations.NullMarked;
