/**
 * The coordinator's configuration: a table of keys, and what flags, environment, file and defaults make of it. The only
 * importer of com.typesafe.config. Knows no server; start-up thread only, what it gives is immutable.
 */
@NullMarked
package io.troth.coordinator.config;

import org.jspecify.annotations.NullMarked;
