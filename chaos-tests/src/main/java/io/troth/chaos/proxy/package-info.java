/** A TCP proxy in user space that cuts, delays, holds and swallows: the network faults of the chaos tests. */
@NullMarked
package io.troth.chaos.proxy;

import org.jspecify.annotations.NullMarked;
