/** Interceptors that carry a transaction across services. The only public package with gRPC types; thread-safe. */
@NullMarked
package io.troth.client.grpc;

import org.jspecify.annotations.NullMarked;
