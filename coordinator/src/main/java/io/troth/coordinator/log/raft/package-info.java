/** The decision log replicated by Raft. The only importer of Apache Ratis; a type says on which threads it is called. */
@NullMarked
package io.troth.coordinator.log.raft;

import org.jspecify.annotations.NullMarked;
