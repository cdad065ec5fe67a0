/**
 * {@code troth bench}: Troth beside its peers and beside the physical floor, in one run on one machine. This package has
 * the main and the list of contenders, and is the only one that knows all of them.
 */
@NullMarked
package io.troth.bench;

import org.jspecify.annotations.NullMarked;
