/** What an application imports. Exposes no generated type and no gRPC type; thread-safe unless a type says otherwise. */
@NullMarked
package io.troth.client;

import org.jspecify.annotations.NullMarked;
