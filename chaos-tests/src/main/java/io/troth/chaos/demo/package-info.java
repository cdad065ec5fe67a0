/** The demo: real processes, real databases, real kills, and a check that the result is true. */
@NullMarked
package io.troth.chaos.demo;

import org.jspecify.annotations.NullMarked;
