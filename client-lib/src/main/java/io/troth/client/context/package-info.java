/** The transaction that a thread or a call runs under. Knows no transport; thread-safe. */
@NullMarked
package io.troth.client.context;

import org.jspecify.annotations.NullMarked;
