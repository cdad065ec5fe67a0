/**
 * The explorer: visits every state that the real core can get into within a small scope, and checks all properties of
 * {@code docs/INVARIANTS.md} in each. No randomness, and a clock only for the figures; one thread for each scope. Depends on the core
 * and on nothing else of Troth.
 */
@NullMarked
package io.troth.chaos.explore;

import org.jspecify.annotations.NullMarked;
