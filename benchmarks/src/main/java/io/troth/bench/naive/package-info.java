/**
 * The design that comes to mind first, built as an ordinary team would: a coordinator with unary gRPC calls and one
 * synchronous write for each decision, kept as a baseline. Also the floor of any coordinator over streams. Knows nothing
 * of Troth.
 */
@NullMarked
package io.troth.bench.naive;

import org.jspecify.annotations.NullMarked;
