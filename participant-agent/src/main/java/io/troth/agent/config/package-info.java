/**
 * The configuration of the agent as a process: a table of keys, and what flags, environment, file and defaults make of
 * it. The only importer of com.typesafe.config. Knows no server; start-up thread only, what it gives is immutable.
 */
@NullMarked
package io.troth.agent.config;

import org.jspecify.annotations.NullMarked;
