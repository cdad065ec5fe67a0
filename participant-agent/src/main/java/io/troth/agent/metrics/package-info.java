/** Meters. The only importer of Micrometer in the agent; listens and must never slow it down. */
@NullMarked
package io.troth.agent.metrics;

import org.jspecify.annotations.NullMarked;
