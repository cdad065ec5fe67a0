/**
 * What a contender is, and what it is given. Depends on nothing else of the benchmarks: the contenders and the harness
 * both stand on it, and neither knows the other.
 */
@NullMarked
package io.troth.bench.contender;

import org.jspecify.annotations.NullMarked;
