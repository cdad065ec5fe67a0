/**
 * What an application imports, beginning with {@link TrothClient}: it runs work in a {@link Transaction}. How a commit can end is
 * told by {@link CommitResult}, {@link RolledBackException} and {@link OutcomeUnknownException}; everything else that goes wrong is a
 * {@link io.troth.core.TrothException} with a code of {@link io.troth.core.ErrorCode}, which says whether the work is worth another
 * try.
 *
 * <p>Exposes no generated type and no gRPC type; thread-safe unless a type says otherwise. Nothing may be null, given or returned,
 * that is not marked {@code @Nullable}. "Protocol" with a number is that section of {@code docs/PROTOCOL.md}, T is the global
 * transaction in question, and a branch is the part of T that one agent does in one database.
 */
@NullMarked
package io.troth.client;

import org.jspecify.annotations.NullMarked;
