/** What the coordinator's two ways to speak TLS have in common. Depends on nothing; start-up thread only. */
@NullMarked
package io.troth.coordinator.tls;

import org.jspecify.annotations.NullMarked;
