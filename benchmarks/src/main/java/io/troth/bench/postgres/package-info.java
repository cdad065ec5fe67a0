/**
 * What a careful programmer does by hand over two PostgreSQL servers: the floors that every coordinator is measured
 * against. Plain JDBC, no library of ours.
 */
@NullMarked
package io.troth.bench.postgres;

import org.jspecify.annotations.NullMarked;
