/** What a service that embeds the agent imports. Exposes no generated type; thread-safe. */
@NullMarked
package io.troth.agent;

import org.jspecify.annotations.NullMarked;
