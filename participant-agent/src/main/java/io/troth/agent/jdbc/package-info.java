/** The DataSource that applications see, and the pool behind it. Knows no transport. */
@NullMarked
package io.troth.agent.jdbc;

import org.jspecify.annotations.NullMarked;
