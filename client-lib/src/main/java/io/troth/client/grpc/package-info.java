/**
 * Carries a transaction T across gRPC services. For applications are {@link TrothClientInterceptor} and {@link
 * TrothServerInterceptor}; everything else connects the client and the agent with their coordinator, and may change. The only
 * public package with gRPC types; thread-safe.
 */
@NullMarked
package io.troth.client.grpc;

import org.jspecify.annotations.NullMarked;
