/**
 * {@code troth bench recovery}: what many transactions in the log, or in doubt, cost: the time until the coordinator serves
 * again, memory, and the price of every transaction after that. Real processes over logs that were filled beforehand.
 */
@NullMarked
package io.troth.bench.recovery;

import org.jspecify.annotations.NullMarked;
