/**
 * What a service with a database of its own imports, beginning with {@link TrothAgent}: its data sources take part in the global
 * transaction that the calling thread runs under. Other packages below this one are how it does that, and may change, but for
 * {@code metrics}, which counts by Micrometer. Exposes no generated type; thread-safe.
 */
@NullMarked
package io.troth.agent;

import org.jspecify.annotations.NullMarked;
