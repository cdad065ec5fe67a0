/**
 * Real PostgreSQL servers for the demo and the chaos tests: unpacked, initialised, started, killed and asked what they
 * hold prepared. Durability is left on: a test about crashes must not run on a database that forgets.
 */
@NullMarked
package io.troth.chaos.db;

import org.jspecify.annotations.NullMarked;
