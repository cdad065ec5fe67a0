/** Services and the mapping between wire and core. No decision is made here; event-loop threads hand over to the engine once per batch. */
@NullMarked
package io.troth.coordinator.grpc;

import org.jspecify.annotations.NullMarked;
