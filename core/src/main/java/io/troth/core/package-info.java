/**
 * The words of the protocol: identifiers, votes, outcomes, error codes, and the texts that carry them between
 * processes. Shared by coordinator, agent and client library.
 *
 * <p>Depends on nothing but the language: no clock, thread, random source, logger or I/O. All types are immutable and
 * may be used by any thread.
 */
@NullMarked
package io.troth.core;

import org.jspecify.annotations.NullMarked;
