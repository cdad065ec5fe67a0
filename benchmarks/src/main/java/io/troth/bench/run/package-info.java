/**
 * The harness: starts the servers, gives contenders their turns, measures, and checks that the money is still there and
 * that what was claimed to be forced was forced. Knows no contender. One thread orders everything; the work runs on
 * threads of a turn.
 */
@NullMarked
package io.troth.bench.run;

import org.jspecify.annotations.NullMarked;
