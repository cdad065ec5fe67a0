/**
 * {@code troth bench soak}: Troth under full load for a long time, and whether any of its processes grows meanwhile. The
 * load is the harness's; here is what is made of what it saw.
 */
@NullMarked
package io.troth.bench.soak;

import org.jspecify.annotations.NullMarked;
