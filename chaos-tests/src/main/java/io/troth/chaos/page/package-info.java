/** Pages for people about what was measured: one file each, readable in light and dark. Knows nothing of what is in them. */
@NullMarked
package io.troth.chaos.page;

import org.jspecify.annotations.NullMarked;
