/**
 * The transaction that a thread or a call runs under. For applications are {@link OutgoingCall} and {@link ServedCall}, which take
 * a transaction from service to service where gRPC's interceptors cannot; everything else is for those and for the agent, and may
 * change. T is the global transaction. Knows no transport; thread-safe.
 */
@NullMarked
package io.troth.client.context;

import org.jspecify.annotations.NullMarked;
