/** SQL for clients without a service: execute, batch, query. Works only under a transaction. */
@NullMarked
package io.troth.agent.sql;

import org.jspecify.annotations.NullMarked;
