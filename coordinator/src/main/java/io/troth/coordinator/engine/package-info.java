/** The event loop around the core, and its ports. Knows no transport, no store and no metrics library; engine thread only unless a type says otherwise. */
@NullMarked
package io.troth.coordinator.engine;

import org.jspecify.annotations.NullMarked;
