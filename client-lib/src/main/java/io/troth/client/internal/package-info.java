/** How the client speaks to the coordinator. Nobody outside this module uses it. */
@NullMarked
package io.troth.client.internal;

import org.jspecify.annotations.NullMarked;
