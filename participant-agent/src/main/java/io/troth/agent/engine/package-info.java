/** The agent's event loop around the core's branch machine, and its ports. Knows no database and no transport. */
@NullMarked
package io.troth.agent.engine;

import org.jspecify.annotations.NullMarked;
