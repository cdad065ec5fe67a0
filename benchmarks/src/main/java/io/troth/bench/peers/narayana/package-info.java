/**
 * Narayana, behind the contract of a peer. The classes of this package are defined once for each contender, by the loader
 * that also defines Narayana's own; nobody outside names them.
 */
@NullMarked
package io.troth.bench.peers.narayana;

import org.jspecify.annotations.NullMarked;
