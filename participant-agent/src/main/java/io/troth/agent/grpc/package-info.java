/** The stream to the coordinator and the SQL service on the wire. No protocol rule lives here. */
@NullMarked
package io.troth.agent.grpc;

import org.jspecify.annotations.NullMarked;
